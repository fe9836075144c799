from __future__ import annotations

import os
import socket

import pytest

from pytest_syskit.host.descriptors import descriptors
from pytest_syskit.tools.channels.channel_errors import EndOfStream, NobodyReads
from pytest_syskit.tools.channels.socket_pair import socket_pair


def test_both_ends_read_and_write():
    with socket_pair() as pair:
        pair.left.write(b"ping\n")
        assert pair.right.read_line() == b"ping\n"
        pair.right.write(b"pong\n")
        assert pair.left.read_line() == b"pong\n"


def test_left_is_the_reader_and_right_the_writer():
    with socket_pair() as pair:
        assert pair.left is pair.reader
        assert pair.right is pair.writer


def test_one_direction_can_end_alone():
    with socket_pair() as pair:
        pair.left.write(b"question")
        pair.left.finish_writing()
        assert pair.right.read_until_eof() == b"question"
        pair.right.write(b"answer")
        assert pair.left.read_exactly(6) == b"answer"
        with pytest.raises(NobodyReads, match="0 of 1 byte had been written"):
            pair.left.write(b"x")


def test_a_close_with_unread_bytes_is_an_end_not_a_reset():
    with socket_pair() as pair:
        pair.left.write(b"never read")
        pair.right.write(b"spam")
        pair.right.close()
        with pytest.raises(
            EndOfStream, match="socket left end wanted 9 bytes; the right end was closed after 4 of"
        ):
            pair.left.read_exactly(9)


def test_code_under_test_gets_a_blocking_socket():
    before = descriptors.numbers()
    with socket_pair() as pair:
        endpoint = pair.right.as_socket()
        assert isinstance(endpoint, socket.socket)
        assert endpoint.getblocking()
        assert os.get_blocking(endpoint.fileno())
        endpoint.sendall(b"spam")
        assert pair.left.read_exactly(4) == b"spam"
        pair.right.close()  # the copy goes with the end, so this is the end of the stream
        assert pair.left.read_until_eof() == b""
    assert descriptors.numbers() == before


def test_a_default_time_out_for_sockets_changes_nothing():
    socket.setdefaulttimeout(3)
    try:
        with socket_pair() as pair:
            assert os.get_blocking(pair.left.fd)
            pair.left.write(b"spam")
            assert pair.right.read_exactly(4) == b"spam"
    finally:
        socket.setdefaulttimeout(None)


def test_forbidden_sockets_do_not_concern_a_pair(monkeypatch):
    class Forbidden(socket.socket):
        def __new__(cls, *_args, **_kwargs):
            raise RuntimeError("sockets are forbidden")

    monkeypatch.setattr(socket, "socket", Forbidden)
    with socket_pair() as pair:
        pair.left.write(b"spam")
        assert pair.right.read_exactly(4) == b"spam"

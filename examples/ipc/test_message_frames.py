"""Messages arrive whole and by themselves, however the stream is cut."""

from __future__ import annotations

import os

import pytest

pytestmark = [pytest.mark.posix_only, pytest.mark.signal_timeout(60)]

from message_frames import (  # noqa: E402  # behind the marker
    LONGEST,
    CutShort,
    frame,
    receive_messages,
    send_message,
)


@pytest.fixture
def pipe(pipe_pair):
    """Have the descriptors of a blocking pipe: writing and reading end."""
    os.set_blocking(pipe_pair.reader.fd, True)
    os.set_blocking(pipe_pair.writer.fd, True)
    yield pipe_pair
    pipe_pair.close()


def rest_of(pipe) -> list[bytes]:
    pipe.writer.close()
    return list(receive_messages(pipe.reader.fd))


MESSAGES = [b"Spam 004", b"Spam 000", b"", b"\0\0\0\4two\nlines", "caf\xe9".encode()]


def test_without_frames_messages_merge(pipe):
    for message in (b"Spam 004", b"Spam 000"):
        os.write(pipe.writer.fd, message)
    assert os.read(pipe.reader.fd, 100) == b"Spam 004Spam 000"


def test_framed_messages_that_wait_in_the_pipe_together_come_one_by_one(pipe):
    for message in MESSAGES:
        send_message(pipe.writer.fd, message)
    assert rest_of(pipe) == MESSAGES


def test_framed_messages_that_come_byte_by_byte_come_whole(pipe, fork_runner):
    def dribble() -> None:
        os.close(pipe.reader.fd)
        for message in MESSAGES:
            for byte in frame(message):
                os.write(pipe.writer.fd, bytes([byte]))

    with fork_runner.start(dribble) as writer:
        assert rest_of(pipe) == MESSAGES
        writer.wait().unwrap()


def test_a_message_may_be_larger_than_the_pipe(pipe, fork_runner):
    large = bytes(range(256)) * (LONGEST // 256)
    with fork_runner.start(send_message, pipe.writer.fd, large) as writer:
        assert rest_of(pipe) == [large]
        writer.wait().unwrap()


@pytest.mark.parametrize(
    ("sent", "told"), [(1, "1 of 4"), (3, "3 of 4"), (4, "0 of 8"), (11, "7 of 8")]
)
def test_a_message_that_is_cut_short_is_an_error(pipe, sent, told):
    send_message(pipe.writer.fd, b"whole")
    os.write(pipe.writer.fd, frame(b"Spam 000")[:sent])
    pipe.writer.close()
    messages = receive_messages(pipe.reader.fd)
    assert next(messages) == b"whole"
    with pytest.raises(CutShort, match=f"ended after {told} bytes"):
        next(messages)


def test_a_length_that_cannot_be_is_not_believed(pipe):
    os.write(pipe.writer.fd, b"Spam 000Spam 001")  # no frames: the length would be 1.4 GB
    with pytest.raises(ValueError, match="a message of 1399873901 bytes; at most 1048576"):
        next(receive_messages(pipe.reader.fd))


def test_a_message_that_is_too_long_is_not_sent(pipe):
    with pytest.raises(ValueError, match="1048577 bytes; at most 1048576"):
        send_message(pipe.writer.fd, bytes(LONGEST + 1))
    assert rest_of(pipe) == []


def test_when_nobody_reads_it_is_an_error(pipe):
    pipe.reader.close()
    with pytest.raises(BrokenPipeError):
        send_message(pipe.writer.fd, b"spam")


@pytest.mark.requires("fork")
def test_small_messages_of_several_writers_do_not_mix(pipe, fork_runner):
    def send_many(letter) -> None:
        for _ in range(200):
            send_message(pipe.writer.fd, letter * 500)

    writers = [fork_runner.start(send_many, letter) for letter in (b"a", b"b", b"c")]
    arrived = rest_of(pipe)
    for writer in writers:
        writer.wait().unwrap()
    assert sorted(arrived) == [letter * 500 for letter in (b"a", b"b", b"c") for _ in range(200)]

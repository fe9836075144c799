"""Names in a short socket directory fit in a socket address, wherever the tests keep their files."""

from __future__ import annotations

import os
import socket
import stat
import tempfile

import pytest

from pytest_syskit.tools.workspace.short_socket_dir import (
    ROOM_FOR_NAME,
    SOCKET_PATH_LIMIT,
    _make,
    short_socket_dir,
)
from pytest_syskit.tools.workspace.tree_cursor import TreeCursor
from pytest_syskit.tools.workspace.tree_not_removed import TreeNotRemoved


def test_a_name_of_sixty_bytes_can_be_bound_and_reached():
    with short_socket_dir() as folder:
        path = folder / ("n" * ROOM_FOR_NAME)
        assert len(os.fsencode(path)) <= SOCKET_PATH_LIMIT
        with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
            server.bind(str(path))
            server.listen(1)
            client.settimeout(5)
            client.connect(str(path))


def test_it_is_private_whatever_the_umask():
    previous = os.umask(0o277)
    try:
        with short_socket_dir() as folder:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    finally:
        os.umask(previous)


def test_it_is_gone_afterwards_with_what_is_in_it():
    with short_socket_dir() as folder:
        (folder / "left").write_text("")
    assert not folder.exists()
    with pytest.raises(ZeroDivisionError), short_socket_dir() as folder:
        1 / 0  # noqa: B018
    assert not folder.exists()


def test_a_long_temporary_directory_is_passed_over(tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 80)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with short_socket_dir() as folder:
        assert deep not in folder.parents
        assert os.listdir(deep) == []


def test_a_short_temporary_directory_is_used(tmp_path, monkeypatch):
    with short_socket_dir() as outer:
        monkeypatch.setattr(tempfile, "tempdir", str(outer))
        with short_socket_dir() as inner:
            assert inner.parent == outer


def test_a_root_that_is_too_long_is_an_error_with_its_room(tmp_path):
    root = "/" + "r" * 60
    with (
        pytest.raises(OSError, match=r"60 bytes for a name.*103.*'/r+' leaves 30 bytes"),
        short_socket_dir(root),
    ):
        pass


def test_a_root_that_does_not_exist_is_an_error():
    with (
        pytest.raises(OSError, match="'/no-such-root': No such file or directory"),
        short_socket_dir("/no-such-root"),
    ):
        pass


def test_every_place_tried_is_named():
    with pytest.raises(OSError, match=r"'/no-a': No such.*; '/b+' leaves 0 bytes"):
        _make(["/no-a", "/" + "b" * 200])


def test_a_forked_child_leaves_it_to_the_parent():
    entered = short_socket_dir()
    folder = entered.__enter__()
    pid = os.fork()
    if pid == 0:
        try:
            entered.__exit__(None, None, None)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert folder.exists()
    entered.__exit__(None, None, None)
    assert not folder.exists()


def test_what_stays_is_an_error_but_never_over_the_blocks_own(monkeypatch):
    def busy(cursor, name):
        raise OSError(16, "Device or resource busy")

    with pytest.raises(TreeNotRemoved, match="1 entry stayed"), short_socket_dir() as folder:
        monkeypatch.setattr(TreeCursor, "rmdir", busy)
    monkeypatch.undo()
    folder.rmdir()
    with pytest.raises(KeyError) as caught, short_socket_dir() as folder:
        monkeypatch.setattr(TreeCursor, "rmdir", busy)
        raise KeyError("the news")
    monkeypatch.undo()
    folder.rmdir()
    assert "1 entry stayed" in caught.value.__notes__[0]

"""A cursor goes down only into true directories and up only to where it came from."""

from __future__ import annotations

import os

import pytest
from ordinary_user import ordinary_user

from pytest_syskit.tools.workspace.tree_cursor import TreeCursor, flags


@pytest.fixture(params=[True, False], ids=["by_descriptor", "by_path"])
def cursor(request, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("a")
    with TreeCursor(str(tmp_path), by_descriptor=request.param) as made:
        yield made


def test_it_goes_down_and_up_again(cursor):
    cursor.enter("a")
    cursor.enter("b")
    assert (cursor.depth, cursor.route("c"), cursor.names()) == (2, "a/b/c", [])
    assert [cursor.leave(), cursor.leave()] == ["b", "a"]
    assert sorted(cursor.names()) == ["a", "file", "link"]


@pytest.mark.parametrize("name", ["file", "link", "nothing"])
def test_only_directories_are_entered(cursor, name):
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(OSError, match=name):
        cursor.enter(name)
    assert (cursor.depth, len(os.listdir("/dev/fd"))) == (0, before)


def test_a_directory_without_the_way_back_is_not_entered():
    with ordinary_user() as folder, TreeCursor(str(folder)) as cursor:
        (folder / "listed").mkdir(mode=0o400)
        before = len(os.listdir("/dev/fd"))
        with pytest.raises(PermissionError):
            cursor.enter("listed")
        assert len(os.listdir("/dev/fd")) == before


def test_the_way_back_is_not_taken_to_another_place(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    before = len(os.listdir("/dev/fd"))
    with TreeCursor(str(tmp_path)) as cursor:
        cursor.enter("a")
        cursor.enter("b")
        (tmp_path / "a" / "b").rename(tmp_path / "b")
        with pytest.raises(OSError, match="the directory was moved while we were in it"):
            cursor.leave()
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.parametrize("by_descriptor", [True, False])
def test_it_starts_in_a_directory_only(tmp_path, by_descriptor):
    (tmp_path / "file").write_text("")
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(NotADirectoryError):
        TreeCursor(str(tmp_path / "file"), by_descriptor=by_descriptor)
    assert len(os.listdir("/dev/fd")) == before


def test_flags_a_platform_lacks_are_left_out():
    assert flags(["O_WRONLY", "O_NO_SUCH_FLAG"]) == os.O_WRONLY

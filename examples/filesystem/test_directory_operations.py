"""Directories are made, entered, renamed and removed, and links stay links (exercise A6)."""
# ruff: noqa: ANN202  # functions of one test

from __future__ import annotations

import errno
import os

import pytest
from directory_operations import entries, inside, remove_all, remove_empty, rename_directory

from pytest_syskit import Symlink

pytestmark = pytest.mark.posix_only
TREE = {"full": {"file": "x", "sub": {}}, "empty": {}, "file": "x", "link": Symlink("full")}


def test_a_block_works_inside_and_comes_back(temp_workspace):
    before = os.getcwd()
    temp_workspace.populate(TREE)
    with inside(temp_workspace / "link") as place:
        assert place == os.getcwd() == str(temp_workspace / "full")
        os.mkdir("made here")
    assert os.getcwd() == before
    assert (temp_workspace / "full" / "made here").is_dir()


def test_it_comes_back_after_an_error_and_after_a_rename(temp_workspace, leak_check):
    temp_workspace.populate(TREE)

    def rename_and_fail():
        with inside("sub"):
            rename_directory(temp_workspace / "full", temp_workspace / "renamed")
            _ = 1 / 0

    with temp_workspace.chdir("full"), leak_check():
        with pytest.raises(ZeroDivisionError):
            rename_and_fail()
        assert os.getcwd() == str(temp_workspace / "renamed")


def test_entering_what_is_missing_changes_and_leaks_nothing(temp_workspace, leak_check):
    before = os.getcwd()
    with (
        leak_check(),
        pytest.raises(FileNotFoundError, match="missing"),
        inside(temp_workspace / "missing"),
    ):
        pytest.fail("entered")
    assert os.getcwd() == before


def test_entries_are_sorted_and_without_the_dots(temp_workspace):
    temp_workspace.populate({"b": "", "a": {}, ".hidden": ""})
    assert entries(temp_workspace) == [".hidden", "a", "b"]


def test_making_what_exists_is_an_error(temp_workspace):
    temp_workspace.populate(TREE)
    with pytest.raises(FileExistsError, match="empty"):
        os.mkdir(temp_workspace / "empty")


def test_a_rename_moves_the_tree(temp_workspace):
    temp_workspace.populate(TREE)
    rename_directory(temp_workspace / "full", temp_workspace / "new")
    assert entries(temp_workspace / "new") == ["file", "sub"]


@pytest.mark.parametrize("taken", ["empty", "file", "link"])
def test_a_rename_replaces_nothing(temp_workspace, taken):
    temp_workspace.populate(TREE)
    before = temp_workspace.snapshot()
    with pytest.raises(FileExistsError, match=f"is there already: .*{taken}"):
        rename_directory(temp_workspace / "full", temp_workspace / taken)
    assert not temp_workspace.diff(before)


def test_an_empty_directory_is_removed(temp_workspace):
    temp_workspace.populate(TREE)
    before = temp_workspace.snapshot()
    remove_empty(temp_workspace / "empty")
    assert temp_workspace.diff(before).removed == ("empty",)


@pytest.mark.parametrize(
    ("name", "number"),
    [("full", errno.ENOTEMPTY), ("missing", errno.ENOENT), ("file", errno.ENOTDIR),
     ("link", errno.ENOTDIR)],
)  # fmt: skip
def test_remove_empty_refuses_anything_else(temp_workspace, name, number):
    temp_workspace.populate(TREE)
    before = temp_workspace.snapshot()
    with pytest.raises(OSError, match=name) as caught:
        remove_empty(temp_workspace / name)
    assert caught.value.errno == number
    assert not temp_workspace.diff(before)


def test_a_tree_goes_and_what_its_links_lead_to_stays(temp_workspace):
    temp_workspace.populate({**TREE, "tree": {"a": {"b": "x"}, "out": Symlink("../full")}})
    before = temp_workspace.snapshot()
    remove_all(temp_workspace / "tree")
    gone = temp_workspace.diff(before)
    assert gone.removed == ("tree", "tree/a", "tree/a/b", "tree/out")
    assert not gone.changed


@pytest.mark.parametrize("name", ["link", "link/", "link//"])
def test_nothing_is_removed_through_a_link(temp_workspace, name):
    temp_workspace.populate(TREE)
    before = temp_workspace.snapshot()
    with pytest.raises(NotADirectoryError, match="is a link to a directory"):
        remove_all(f"{temp_workspace}/{name}")
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize(("name", "error"), [("missing", FileNotFoundError),
                                             ("file", NotADirectoryError)])  # fmt: skip
def test_remove_all_says_what_is_no_directory(temp_workspace, name, error):
    temp_workspace.populate(TREE)
    with pytest.raises(error, match=name):
        remove_all(temp_workspace / name)

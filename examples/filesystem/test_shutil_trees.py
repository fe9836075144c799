"""Trees are copied, moved and removed whole, and what is not is told (exercise D13)."""
# ruff: noqa: ANN202  # what is run in children returns what the test compares

from __future__ import annotations

import errno
import os
import shutil
import stat

import pytest
from shutil_trees import copy_tree, move_tree, remove_tree

from pytest_syskit import Fifo, File, Returned, Symlink

pytestmark = pytest.mark.posix_only
MOMENT = 1_000_000_000
NOBODY = 65534
TREE = {
    "a.txt": File("a", mode=0o640, mtime=MOMENT),
    "sub": {"b.pyc": "b", "odd\n \udce9": "c", ".git": {"HEAD": ""}},
    "link": Symlink("a.txt"),
    "up": Symlink(".."),
    "dangling": Symlink("nowhere"),
}


def paths(root) -> list[str]:
    found = [
        os.path.relpath(os.path.join(folder, name), root)
        for folder, directories, files in os.walk(root)
        for name in [*directories, *files]
    ]
    return sorted(found)


# copy


def test_a_copy_has_all_and_links_stay_links(temp_workspace, signal_timeout):
    temp_workspace.populate({"tree": TREE})
    with signal_timeout(20):
        assert copy_tree(temp_workspace / "tree", temp_workspace / "new" / "copy") == []
    copy = temp_workspace / "new" / "copy"
    assert paths(copy) == paths(temp_workspace / "tree")
    found = (copy / "a.txt").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_mtime) == (0o640, MOMENT)
    assert [os.readlink(copy / name) for name in ("up", "dangling")] == ["..", "nowhere"]
    assert (copy / "sub" / "odd\n \udce9").read_text() == "c"


def test_ignored_names_are_left_out_wherever_they_are(temp_workspace):
    temp_workspace.populate({"tree.pyc": TREE})
    copy_tree(temp_workspace / "tree.pyc", temp_workspace / "copy", ignore=["*.pyc", ".git"])
    expected = {"a.txt", "dangling", "link", "sub", "sub/odd\n \udce9", "up"}
    assert set(paths(temp_workspace / "copy")) == expected


def test_what_cannot_be_copied_is_told_and_the_rest_is_there(temp_workspace, signal_timeout):
    temp_workspace.populate({"tree": {"pipe": Fifo(), "sub": {"pipe": Fifo(), "x": ""}, "z": ""}})
    with signal_timeout(10):
        problems = copy_tree(temp_workspace / "tree", temp_workspace / "copy")
    assert sorted(problem.filename for problem in problems) == [
        str(temp_workspace / "tree" / "pipe"),
        str(temp_workspace / "tree" / "sub" / "pipe"),
    ]
    assert {problem.errno for problem in problems} == {errno.EINVAL}
    assert paths(temp_workspace / "copy") == ["sub", "sub/x", "z"]


def test_a_file_and_a_directory_that_may_not_be_read_are_told(temp_workspace, fork_runner):
    temp_workspace.populate({"tree": {"closed": File("", mode=0), "dir": {}, "open": "x"}})
    os.chmod(temp_workspace, 0o777)

    def copy():
        os.chdir(temp_workspace)
        os.chmod("tree/dir", 0)
        if os.geteuid() == 0:
            os.seteuid(NOBODY)
        problems = copy_tree("tree", "copy")
        assert all("Permission denied" in problem.strerror for problem in problems)
        return [problem.filename for problem in problems], os.path.exists("copy/open")

    expected = ["tree/closed", "tree/dir"], True
    assert fork_runner.run(copy) == Returned(expected)


@pytest.mark.parametrize("taken", ["directory", "dangling"])
@pytest.mark.parametrize("act", [copy_tree, move_tree])
def test_a_target_that_is_there_is_left_alone(temp_workspace, act, taken):
    temp_workspace.populate({"tree": TREE, "directory": {}, "dangling": Symlink("x")})
    before = temp_workspace.snapshot()
    with pytest.raises(FileExistsError, match=f"is there already: .*{taken}"):
        act(temp_workspace / "tree", temp_workspace / taken)
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize("act", [copy_tree, move_tree])
@pytest.mark.parametrize("target", ["tree/new", "tree/sub/deep/new", "link/new"])
def test_a_tree_does_not_go_into_itself(temp_workspace, act, target):
    temp_workspace.populate({"tree": {"sub": {}}, "link": Symlink("tree/sub")})
    before = temp_workspace.snapshot()
    with pytest.raises(OSError, match="cannot go into itself"):
        act(temp_workspace / "tree", temp_workspace / target)
    assert not temp_workspace.diff(before)


def test_a_name_that_begins_alike_is_not_inside(temp_workspace):
    temp_workspace.populate({"tree": {"x": ""}})
    assert copy_tree(temp_workspace / "tree", temp_workspace / "tree-copy") == []


def test_a_tree_that_is_missing_is_an_error(temp_workspace):
    for act in (copy_tree, move_tree):
        with pytest.raises(FileNotFoundError, match="missing"):
            act(temp_workspace / "missing", temp_workspace / "new")
    assert list(temp_workspace.snapshot()) == []


# move


def test_a_tree_moves_to_its_new_name(temp_workspace):
    temp_workspace.populate({"tree": TREE, "other": {}})
    expected = paths(temp_workspace / "tree")
    move_tree(temp_workspace / "tree", temp_workspace / "other" / "new")
    assert paths(temp_workspace / "other" / "new") == expected
    assert os.listdir(temp_workspace) == ["other"]


def test_what_shutil_does_with_a_target_that_is_a_directory(temp_workspace):
    temp_workspace.populate({"tree": {"x": ""}, "there": {}})
    shutil.move(temp_workspace / "tree", temp_workspace / "there")
    assert paths(temp_workspace) == ["there", "there/tree", "there/tree/x"]


def test_a_link_to_a_tree_moves_alone_even_into_that_tree(temp_workspace):
    temp_workspace.populate({"tree": {"x": ""}, "link": Symlink("tree")})
    move_tree(temp_workspace / "link", temp_workspace / "tree" / "new")
    assert os.readlink(temp_workspace / "tree" / "new") == "tree"
    assert sorted(os.listdir(temp_workspace)) == ["tree"]


def test_a_tree_moves_to_another_file_system(temp_workspace, monkeypatch):
    def refuse(source, target) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source, None, target)

    temp_workspace.populate({"tree": TREE})
    expected = paths(temp_workspace / "tree")
    monkeypatch.setattr(os, "rename", refuse)
    move_tree(temp_workspace / "tree", temp_workspace / "new")
    assert paths(temp_workspace / "new") == expected
    assert (temp_workspace / "new" / "a.txt").stat().st_mtime == MOMENT
    assert os.listdir(temp_workspace) == ["new"]


# remove


def test_a_tree_goes_and_what_its_links_lead_to_stays(temp_workspace):
    temp_workspace.populate({"tree": {**TREE, "out": Symlink("../keep")}, "keep": {"x": ""}})
    assert remove_tree(temp_workspace / "tree") == []
    assert list(temp_workspace.snapshot()) == ["keep", "keep/x"]


@pytest.mark.parametrize(
    ("name", "error"),
    [("link", NotADirectoryError), ("file", NotADirectoryError), ("missing", FileNotFoundError)],
)
def test_what_is_no_directory_is_not_removed(temp_workspace, name, error):
    temp_workspace.populate({"tree": {"x": ""}, "link": Symlink("tree"), "file": ""})
    before = temp_workspace.snapshot()
    with pytest.raises(error, match=name):
        remove_tree(temp_workspace / name)
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize("force", [False, True])
def test_what_is_left_is_told_and_force_takes_it_too(temp_workspace, fork_runner, force):
    temp_workspace.populate({"tree": {}})

    def remove():
        os.chdir(temp_workspace)
        if os.geteuid() == 0:
            os.chown("tree", NOBODY, NOBODY)
            os.chmod(".", 0o777)
            os.seteuid(NOBODY)
        os.makedirs("tree/closed/deep")
        for name in ("tree/closed/x", "tree/closed/deep/y", "tree/gone"):
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
        os.chmod("tree/closed/deep", 0)
        os.chmod("tree/closed", 0o555)
        problems = remove_tree("tree", force=force)
        return bool(problems), os.path.exists("tree/closed/x"), os.path.exists("tree/gone")

    expected = (False, False, False) if force else (True, True, False)
    assert fork_runner.run(remove) == Returned(expected)


@pytest.mark.parametrize("force", [False, True])
def test_force_changes_no_mode_behind_a_link(temp_workspace, monkeypatch, force):
    temp_workspace.populate({"tree": {"link": Symlink("../keep"), "x": ""}, "keep": {}})
    os.chmod(temp_workspace / "keep", 0o555)

    def refuse(path, *_arguments: object, **_options: object) -> None:
        raise PermissionError(errno.EACCES, "refused", str(path))

    monkeypatch.setattr(os, "unlink", refuse)
    assert remove_tree(temp_workspace / "tree", force=force)
    monkeypatch.undo()
    assert stat.S_IMODE((temp_workspace / "keep").stat().st_mode) == 0o555


def test_what_vanishes_by_itself_is_no_problem(temp_workspace, monkeypatch):
    temp_workspace.populate({"tree": {"x": "", "y": ""}})
    unlink = os.unlink

    def come_second(path, **options) -> None:  # noqa: ANN003  # passed on
        unlink(path, **options)
        unlink(path, **options)

    monkeypatch.setattr(os, "unlink", come_second)
    assert remove_tree(temp_workspace / "tree") == []
    monkeypatch.undo()
    assert os.listdir(temp_workspace) == []

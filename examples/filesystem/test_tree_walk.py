"""Walks have an order, an end, and no silent errors (exercise A9)."""
# ruff: noqa: ANN202  # what is run in children returns what the test compares

from __future__ import annotations

import os

import pytest
from tree_walk import Folder, first_visit, walk_down, walk_up

from pytest_syskit import Returned, Symlink

pytestmark = pytest.mark.posix_only
TREE = {
    "b": {"2": "", "1": "", "deep": {"x": ""}},
    "a": {"skip": {"y": ""}, "z": ""},
    "link": Symlink("b"),
    "dangling": Symlink("nowhere"),
}


def fail(error):
    raise error


def test_down_comes_first_what_holds_the_rest(temp_workspace):
    temp_workspace.populate(TREE)
    with temp_workspace.chdir():
        assert list(walk_down(".", on_error=fail)) == [
            Folder(".", ("a", "b", "link"), ("dangling",)),
            Folder("./a", ("skip",), ("z",)),
            Folder("./a/skip", (), ("y",)),
            Folder("./b", ("deep",), ("1", "2")),
            Folder("./b/deep", (), ("x",)),
        ]


def test_names_are_sorted_whatever_the_order_of_the_file_system(temp_workspace):
    names = tuple(f"{number:02}" for number in range(30))
    for some in (names[::2], names[1::2]):  # neither in their order nor in the reverse
        temp_workspace.populate({f"f{name}": "" for name in some})
        temp_workspace.populate({name: {} for name in some})
    down = next(walk_down(str(temp_workspace), on_error=fail))
    *_, up = walk_up(str(temp_workspace), on_error=fail)
    files = tuple(f"f{name}" for name in names)
    assert down == up == Folder(str(temp_workspace), names, files)


def test_up_every_directory_can_be_removed_when_it_is_seen(temp_workspace):
    temp_workspace.populate({"t": TREE})
    for folder in walk_up(str(temp_workspace / "t"), on_error=fail):
        for name in folder.files:
            os.unlink(os.path.join(folder.path, name))
        for name in folder.directories:
            path = os.path.join(folder.path, name)
            (os.unlink if os.path.islink(path) else os.rmdir)(path)
    assert os.listdir(temp_workspace / "t") == []


def test_what_is_pruned_is_neither_entered_nor_listed(temp_workspace):
    temp_workspace.populate(TREE)
    with temp_workspace.chdir():
        walked = list(walk_down(".", on_error=fail, prune={"skip", "b"}))
    assert [folder.path for folder in walked] == [".", "./a"]
    assert walked[1].directories == ()


def test_links_are_not_followed_unless_asked_for(temp_workspace):
    temp_workspace.populate({"out": {"x": ""}, "in": {"link": Symlink("../out")}})
    with temp_workspace.chdir():
        paths = [folder.path for folder in walk_down("in", on_error=fail)]
        followed = [folder.path for folder in walk_down("in", on_error=fail, follow_links=True)]
    assert paths == ["in"]
    assert followed == ["in", "in/link"]


@pytest.mark.signal_timeout(20)
def test_loops_of_links_end_and_no_directory_comes_twice(temp_workspace):
    temp_workspace.populate(
        {"a": {"up": Symlink(".."), "self": Symlink("."), "b": {"twice": Symlink("../../c")}}}
    )
    temp_workspace.populate({"c": {"back": Symlink("../a"), "x": ""}})
    with temp_workspace.chdir():
        paths = [folder.path for folder in walk_down(".", on_error=fail, follow_links=True)]
    assert len(paths) == 4
    assert len({os.path.realpath(temp_workspace / path) for path in paths}) == 4


def test_a_directory_that_vanished_meanwhile_is_not_visited(temp_workspace):
    entered = set()
    assert not first_visit(str(temp_workspace / "gone"), entered)
    assert first_visit(str(temp_workspace), entered)
    assert not first_visit(str(temp_workspace), entered)
    assert len(entered) == 1


def test_a_root_that_is_missing_is_an_error_not_an_empty_walk(temp_workspace):
    errors = []
    assert list(walk_down(str(temp_workspace / "missing"), on_error=errors.append)) == []
    assert list(walk_up(str(temp_workspace / "missing"), on_error=errors.append)) == []
    assert [type(error) for error in errors] == [FileNotFoundError] * 2


def test_an_error_may_end_the_walk(temp_workspace):
    with pytest.raises(FileNotFoundError, match="missing"):
        list(walk_down(str(temp_workspace / "missing"), on_error=fail))


def _walk_unreadable(root):
    errors = []
    paths = [
        folder.path
        for walk in (walk_down, walk_up)
        for folder in walk(root, on_error=errors.append)
    ]
    return [os.path.relpath(path, root) for path in paths], [
        (type(error).__name__, os.path.basename(error.filename)) for error in errors
    ]


WALKED = ([".", "open", "open", "."], [("PermissionError", "closed")] * 2)


@pytest.mark.requires("dac")
def test_an_unreadable_directory_is_told_and_the_walk_goes_on(temp_workspace):
    temp_workspace.populate({"closed": {"x": ""}, "open": {}})
    (temp_workspace / "closed").chmod(0)
    assert _walk_unreadable(str(temp_workspace)) == WALKED


@pytest.mark.requires_root
def test_a_directory_that_an_ordinary_user_cannot_read_is_told(short_socket_dir, fork_runner):
    (short_socket_dir / "t" / "closed").mkdir(parents=True)
    (short_socket_dir / "t" / "open").mkdir()
    (short_socket_dir / "t" / "closed").chmod(0)
    short_socket_dir.chmod(0o755)
    result = fork_runner.run(_walk_unreadable, str(short_socket_dir / "t"), user=65534)
    assert result == Returned(WALKED)

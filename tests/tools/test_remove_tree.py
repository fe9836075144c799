"""Removal succeeds whatever the tree, and touches nothing outside it."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import stat
import subprocess
from pathlib import Path

import pytest
from ordinary_user import ordinary_user

from pytest_syskit.host.files import loosen
from pytest_syskit.tools.workspace.remove_tree import add_note, remove_after, remove_tree
from pytest_syskit.tools.workspace.tree_cursor import TreeCursor
from pytest_syskit.tools.workspace.tree_not_removed import Stayed, TreeNotRemoved

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
PATH_MAX = 4096


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def grow(folder: Path) -> Path:
    """Make a tree with one entry of each kind, and two levels."""
    tree = folder / "tree"
    (tree / "sub" / "deep").mkdir(parents=True)
    (tree / "sub" / "file").write_text("content")
    (tree / "sub" / "deep" / "file").write_text("content")
    (tree / "empty").mkdir()
    os.mkfifo(tree / "sub" / "fifo")
    with socket.socket(socket.AF_UNIX) as endpoint:
        here = os.open(tree, os.O_RDONLY)
        try:
            endpoint.bind(f"/proc/self/fd/{here}/sock" if os.path.exists("/proc/self/fd") else "s")
        finally:
            os.close(here)
    (tree / "dangling").symlink_to("nowhere")
    return tree


def outside(folder: Path) -> Path:
    """Make a directory that must stay as it is."""
    place = folder / "outside"
    place.mkdir()
    (place / "precious").write_text("kept")
    place.chmod(0o555)
    return place


def assert_untouched(place: Path) -> None:
    assert os.listdir(place) == ["precious"]
    assert stat.S_IMODE(place.stat().st_mode) == 0o555


@pytest.fixture(params=[True, False], ids=["by_descriptor", "by_path"])
def by_descriptor(request):
    return request.param


def test_every_kind_of_entry_is_removed(tmp_path, by_descriptor):
    tree = grow(tmp_path)
    remove_tree(tree, by_descriptor=by_descriptor)
    assert os.listdir(tmp_path) == []


def test_nothing_there_is_fine(tmp_path, by_descriptor):
    remove_tree(tmp_path / "a", by_descriptor=by_descriptor)
    remove_tree(tmp_path / "a" / "b", by_descriptor=by_descriptor)
    (tmp_path / "file").write_text("")
    remove_tree(tmp_path / "file" / "b", by_descriptor=by_descriptor)
    remove_tree(tmp_path / ("x" * 300), by_descriptor=by_descriptor)
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_is_removed(tmp_path):
    (tmp_path / "file").write_text("")
    remove_tree(tmp_path / "file")
    assert os.listdir(tmp_path) == []


def test_a_trailing_slash_and_bytes_name_the_same_tree(tmp_path):
    tree = grow(tmp_path)
    remove_tree(os.fsencode(tree) + b"/")
    assert os.listdir(tmp_path) == []


def test_names_that_are_no_text_are_removed(tmp_path, by_descriptor):
    os.mkdir(os.fsencode(tmp_path) + b"/t\xff")
    os.mkdir(os.fsencode(tmp_path) + b"/t\xff/\n \xfe")
    remove_tree(os.fsencode(tmp_path) + b"/t\xff", by_descriptor=by_descriptor)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("path", ["", "/", ".", "a/..", "a/.", "//"])
def test_a_path_must_end_in_a_name(path):
    with pytest.raises(ValueError, match="must end in the name of an entry"):
        remove_tree(path)


def test_links_are_removed_and_not_followed(tmp_path, by_descriptor):
    place = outside(tmp_path)
    tree = grow(tmp_path)
    (tree / "sub" / "way_out").symlink_to(place)
    (tree / "way_up").symlink_to("..")
    remove_tree(tree, by_descriptor=by_descriptor)
    assert os.listdir(tmp_path) == ["outside"]
    assert_untouched(place)


def test_a_tree_that_is_a_link_loses_only_the_link(tmp_path, by_descriptor):
    place = outside(tmp_path)
    (tmp_path / "tree").symlink_to(place)
    remove_tree(tmp_path / "tree", by_descriptor=by_descriptor)
    assert os.listdir(tmp_path) == ["outside"]
    assert_untouched(place)


def test_a_link_on_the_way_to_the_tree_is_followed(tmp_path):
    tree = grow(tmp_path)
    (tmp_path / "way").symlink_to(tmp_path)
    remove_tree(tmp_path / "way" / "tree")
    assert not tree.exists()


def test_closed_directories_are_opened_up():
    with ordinary_user() as folder:
        tree = grow(folder)
        for closed, mode in [("sub/deep", 0), ("empty", 0), ("sub", 0o555), (".", 0o000)]:
            (tree / closed).chmod(mode)
        remove_tree(tree)
        assert os.listdir(folder) == []


@pytest.mark.parametrize("mode", [0o000, 0o100, 0o200, 0o300, 0o400, 0o500, 0o600])
def test_no_mode_keeps_a_directory(mode):
    with ordinary_user() as folder:
        tree = grow(folder)
        (tree / "sub").chmod(mode)
        remove_tree(tree)
        assert os.listdir(folder) == []


def test_a_parent_that_cannot_be_listed_serves(tmp_path):
    with ordinary_user() as folder:
        tree = grow(folder)
        folder.chmod(0o300)
        remove_tree(tree)
        folder.chmod(0o700)
        assert os.listdir(folder) == []


def test_the_parent_of_the_tree_is_not_opened_up():
    with ordinary_user() as folder:
        tree = grow(folder)
        folder.chmod(0o500)
        with pytest.raises(TreeNotRemoved, match=r"'tree': permission denied"):
            remove_tree(tree)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o500
        folder.chmod(0o700)


def test_a_file_linked_from_outside_keeps_its_mode():
    with ordinary_user() as folder:
        tree = grow(folder)
        (folder / "other").write_text("")
        (folder / "other").chmod(0o440)
        os.link(folder / "other", tree / "sub" / "second name")
        (tree / "sub").chmod(0o500)
        remove_tree(tree)
        assert stat.S_IMODE((folder / "other").stat().st_mode) == 0o440


def dig(tree: Path, depth: int) -> None:
    """Make a tree too deep for any path, with a file at the bottom."""
    tree.mkdir()
    here = os.open(tree, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("a" * 20, dir_fd=here)
        below = os.open("a" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)


def test_a_tree_may_be_deeper_than_paths_and_descriptors_reach(tmp_path):
    depth = 300
    dig(tmp_path / "tree", depth)
    assert depth * 21 > PATH_MAX
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (16 + open_descriptors(), hard))
    try:
        remove_tree(tmp_path / "tree")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert os.listdir(tmp_path) == []


def test_a_directory_swapped_for_a_link_leads_nowhere(tmp_path, monkeypatch):
    place = outside(tmp_path)
    tree = grow(tmp_path)
    enter = TreeCursor.enter

    def swap_then_enter(cursor, name):
        if name == "sub":
            (tree / "sub").rename(tree / "moved")
            (tree / "sub").symlink_to(place)
        enter(cursor, name)

    monkeypatch.setattr(TreeCursor, "enter", swap_then_enter)
    remove_tree(tree)
    assert os.listdir(tmp_path) == ["outside"]
    assert_untouched(place)


def test_a_tree_swapped_for_a_link_beside_it_leads_nowhere(tmp_path, monkeypatch):
    place = outside(tmp_path)
    tree = grow(tmp_path)
    enter = TreeCursor.enter

    def swap_then_enter(cursor, name):
        if not tree.is_symlink():
            tree.rename(tmp_path / "moved")
            tree.symlink_to("outside")
        enter(cursor, name)

    monkeypatch.setattr(TreeCursor, "enter", swap_then_enter)
    remove_tree(tree)
    assert sorted(os.listdir(tmp_path)) == ["moved", "outside"]
    assert_untouched(place)


def test_a_directory_swapped_for_a_link_while_it_is_opened_up_leads_nowhere(monkeypatch):
    with ordinary_user() as folder:
        place = outside(folder)
        tree = grow(folder)
        (tree / "sub").chmod(0)
        unlock = loosen.unlock_directory

        def swap_then_unlock(name, dir_fd):
            (tree / "sub").chmod(0o700)
            (tree / "sub").rename(tree / "moved")
            (tree / "sub").symlink_to(place)
            unlock(name, dir_fd)

        monkeypatch.setattr(loosen, "unlock_directory", swap_then_unlock)
        remove_tree(tree)
        assert os.listdir(folder) == ["outside"]
        assert_untouched(place)


def test_a_directory_moved_away_meanwhile_is_not_followed(tmp_path, monkeypatch):
    tree = grow(tmp_path)
    place = tmp_path / "elsewhere"
    place.mkdir()
    for name in os.listdir(tree):
        (place / name).write_text("kept, though its name is that of an entry of the tree")
    (place / "sub").unlink()
    names = TreeCursor.names

    def move_then_list(cursor):
        if cursor.depth == 2 and (tree / "sub").exists():
            (tree / "sub").rename(place / "sub")
        return sorted(names(cursor))  # "sub" comes last, and the last is removed first

    monkeypatch.setattr(TreeCursor, "names", move_then_list)
    before = open_descriptors()
    remove_tree(tree)
    assert open_descriptors() == before
    assert not tree.exists()
    assert {"dangling", "empty", "sock"} <= set(os.listdir(place))


def test_entries_that_vanish_meanwhile_are_fine(tmp_path, monkeypatch):
    tree = grow(tmp_path)
    names = TreeCursor.names
    monkeypatch.setattr(TreeCursor, "names", lambda cursor: ["ghost", *names(cursor)])
    remove_tree(tree)
    assert not tree.exists()


def test_entries_that_keep_appearing_end_in_an_error(tmp_path, monkeypatch):
    tree = grow(tmp_path)
    rmdir = TreeCursor.rmdir

    def refill_then_remove(cursor, name):
        if name == "empty":
            (tree / "empty" / "again").write_text("")
        rmdir(cursor, name)

    monkeypatch.setattr(TreeCursor, "rmdir", refill_then_remove)
    with pytest.raises(TreeNotRemoved, match=r"'tree/empty': new entries keep appearing in it"):
        remove_tree(tree)
    assert os.listdir(tree) == ["empty"]


def test_the_working_directory_may_be_in_the_tree(tmp_path, monkeypatch):
    tree = grow(tmp_path)
    monkeypatch.chdir(tree / "sub")
    remove_tree(tree)
    assert os.listdir(tmp_path) == []


def test_no_descriptor_stays_open(tmp_path):
    before = open_descriptors()
    remove_tree(grow(tmp_path))
    remove_tree(tmp_path / "nothing")
    assert open_descriptors() == before


def test_another_users_directory_is_named_and_the_rest_is_gone():
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    with ordinary_user() as folder:
        tree = grow(folder)
        os.seteuid(0)
        (tree / "foreign").mkdir(mode=0o755)
        (tree / "foreign" / "file").write_text("")
        (tree / "foreign_listed").mkdir()
        (tree / "foreign_listed" / "file").write_text("")
        (tree / "foreign_listed").chmod(0o744)
        (tree / "foreign_empty").mkdir(mode=0o700)
        (tree / "foreign_file").write_text("")
        os.seteuid(65534)
        with pytest.raises(TreeNotRemoved, match="2 entries stayed") as caught:
            remove_tree(tree)
        stayed = sorted(one.path for one in caught.value.stayed)
        assert stayed == ["tree/foreign/file", "tree/foreign_listed"]
        assert sorted(os.listdir(tree)) == ["foreign", "foreign_listed"]


def test_root_removes_what_others_own(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can give files away")
    tree = grow(tmp_path)
    for one in [tree, tree / "sub", tree / "sub" / "file"]:
        os.chown(one, 65534, 65534)
        one.chmod(0)
    remove_tree(tree)
    assert os.listdir(tmp_path) == []


@pytest.fixture
def immutable(tmp_path):
    """Give a tree with an immutable file and an append-only directory."""
    tree = grow(tmp_path)
    flagged = [("+i", tree / "sub" / "file"), ("+a", tree / "sub" / "deep"), ("+i", tree)]
    for flag, path in flagged:
        done = subprocess.run(["chattr", flag, path], capture_output=True, check=False)
        if done.returncode:
            pytest.skip(f"chattr is refused here: {done.stderr!r}")
    yield tree
    for flag, path in reversed(flagged):
        if path.exists():
            subprocess.run(["chattr", flag.replace("+", "-"), path], check=False)


@root_only
@pytest.mark.skipif(shutil.which("chattr") is None, reason="needs chattr")
def test_root_clears_immutable_flags(immutable):
    remove_tree(immutable)
    assert not immutable.exists()


@root_only
@pytest.mark.skipif(shutil.which("chattr") is None, reason="needs chattr")
def test_what_stays_immutable_is_named(immutable, monkeypatch):
    def refuse(fd):
        raise PermissionError(1, "not permitted")

    subprocess.run(["chattr", "-i", immutable], check=True)
    monkeypatch.setattr(loosen, "thaw", refuse)
    with pytest.raises(TreeNotRemoved, match="immutable: chattr -i") as caught:
        remove_tree(immutable)
    assert sorted(one.path for one in caught.value.stayed) == ["tree/sub/deep", "tree/sub/file"]
    assert os.listdir(immutable) == ["sub"]


@root_only
@pytest.mark.skipif(shutil.which("chattr") is None, reason="needs chattr")
def test_a_flag_shared_with_a_file_outside_is_left_alone(tmp_path):
    tree = grow(tmp_path)
    (tmp_path / "other").write_text("")
    os.link(tmp_path / "other", tree / "second name")
    if subprocess.run(["chattr", "+i", tmp_path / "other"], check=False).returncode:
        pytest.skip("this file system keeps no flags")
    try:
        with pytest.raises(TreeNotRemoved, match="'tree/second name': not permitted"):
            remove_tree(tree)
        with pytest.raises(PermissionError):
            (tmp_path / "other").unlink()
    finally:
        subprocess.run(["chattr", "-i", tmp_path / "other"], check=True)


@root_only
@pytest.mark.parametrize("how", [["--bind", "{outside}"], ["-t", "tmpfs", "none"]])
def test_mounts_are_not_crossed(tmp_path, how):
    place = outside(tmp_path)
    tree = grow(tmp_path)
    target = tree / "sub" / "mount"
    target.mkdir()
    command = ["mount", *(word.format(outside=place) for word in how), str(target)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"mount is refused here: {done.stderr!r}")
    (target / "inside").write_text("kept")
    mode = target.stat().st_mode
    try:
        with pytest.raises(TreeNotRemoved, match="'tree/sub/mount': something is mounted here"):
            remove_tree(tree)
        assert (target / "inside").read_text() == "kept"
        assert target.stat().st_mode == mode
    finally:
        subprocess.run(["umount", str(target)], check=True)
    assert os.listdir(tree) == ["sub"]
    assert os.listdir(tree / "sub") == ["mount"]


def test_the_error_counts_lists_and_cuts():
    text = str(TreeNotRemoved("/t", tuple(Stayed(f"t/{n}", "why") for n in range(12))))
    assert text.splitlines()[0] == "'/t' could not be removed: 12 entries stayed"
    assert "  't/9': why" in text
    assert "'t/10'" not in text
    assert "  … and 2 more" in text
    assert "1 entry stayed" in str(TreeNotRemoved("/t", (Stayed("t/a", "why"),)))


def test_after_a_failed_block_what_stays_becomes_a_note(tmp_path, monkeypatch):
    monkeypatch.setattr(TreeCursor, "rmdir", refuse_busy)
    (tmp_path / "tree").mkdir()
    failure = ValueError("the news")
    remove_after(str(tmp_path / "tree"), failure)
    assert "1 entry stayed" in failure.__notes__[0]


def test_after_a_good_block_what_stays_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(TreeCursor, "rmdir", refuse_busy)
    (tmp_path / "tree").mkdir()
    with pytest.raises(TreeNotRemoved, match="something is mounted here"):
        remove_after(str(tmp_path / "tree"), None)


def refuse_busy(cursor, name):
    raise OSError(16, "Device or resource busy")


def test_a_note_never_fails():
    add_note(Slotted(), "a note")


class Slotted(Exception):  # stands for somebody's class
    def __setattr__(self, name, value):
        raise AttributeError(name)

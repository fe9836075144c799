"""A snapshot opens regular files only; a difference says what changed, one line per entry."""

from __future__ import annotations

import os
import shutil
import socket

import pytest
from ordinary_user import ordinary_user

from pytest_syskit.host.real import real
from pytest_syskit.tools.workspace.remove_tree import remove_tree
from pytest_syskit.tools.workspace.tree_cursor import TreeCursor
from pytest_syskit.tools.workspace.tree_diff import EntryState, TreeDiff, shown
from pytest_syskit.tools.workspace.tree_snapshot import TreeSnapshot, take_snapshot


@pytest.fixture(params=[True, False], ids=["by_descriptor", "by_path"])
def look(request):
    return lambda path: take_snapshot(path, by_descriptor=request.param)


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    (tmp_path / "a.txt").write_text("12345")
    (tmp_path / "sub" / "b").write_bytes(b"")
    (tmp_path / "link").symlink_to("a.txt")
    for path, mode in [("sub", 0o755), ("sub/deep", 0o755), ("a.txt", 0o644), ("sub/b", 0o600)]:
        (tmp_path / path).chmod(mode)
    return tmp_path


def test_everything_below_the_top_is_recorded(tree, look):
    seen = look(tree)
    assert list(seen) == ["a.txt", "link", "sub", "sub/b", "sub/deep"]
    assert (seen["a.txt"].kind, seen["a.txt"].mode, seen["a.txt"].size) == ("file", 0o644, 5)
    assert (seen["link"].kind, seen["link"].target) == ("link", "a.txt")
    assert seen["sub"].kind == "directory"
    assert len(seen) == 5


def test_equal_trees_have_equal_snapshots(tree, look):
    assert look(tree) == look(tree)
    assert not look(tree).diff(look(tree))
    assert str(look(tree).diff(look(tree))) == "no difference"


@pytest.mark.parametrize(
    ("act", "line"),
    [
        (lambda t: (t / "a.txt").write_text("1"), "changed  a.txt  (content: 5 bytes, now 1 byte)"),
        (lambda t: (t / "a.txt").write_text("54321"), "changed  a.txt  (content: other 5 bytes)"),
        (lambda t: (t / "a.txt").chmod(0o4600), "changed  a.txt  (mode: 0644, now 4600)"),
        (lambda t: (t / "sub").chmod(0o700), "changed  sub  (mode: 0755, now 0700)"),
        (lambda t: (t / "a.txt").unlink(), "removed  a.txt  (file, 5 bytes, mode 0644)"),
        (lambda t: (t / "sub/deep").rmdir(), "removed  sub/deep  (directory, mode 0755)"),
        (lambda t: os.mkfifo(t / "f", 0o600), "added    f  (fifo, mode 0600)"),
        (lambda t: os.symlink("x y", t / "l"), "added    l  (link, to 'x y')"),
        (
            lambda t: ((t / "link").unlink(), (t / "link").symlink_to("b")),
            "changed  link  (target: 'a.txt', now 'b')",
        ),
        (
            lambda t: ((t / "link").unlink(), (t / "link").mkdir()),
            "changed  link  (kind: link, now directory)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_change_has_its_line(tree, look, act, line):
    before = look(tree)
    act(tree)
    difference = look(tree).diff(before)
    assert difference
    assert str(difference) == line
    assert repr(difference) == f"<TreeDiff: {line}>"


def test_a_difference_lists_paths_by_what_happened(tree):
    before = take_snapshot(tree)
    (tree / "new").write_text("")
    (tree / "also new").write_text("")
    (tree / "sub" / "b").unlink()
    (tree / "a.txt").write_text("other")
    (tree / "a.txt").chmod(0o600)
    difference = take_snapshot(tree).diff(before)
    assert difference.added == ("also new", "new")
    assert difference.removed == ("sub/b",)
    assert difference.changed == {"a.txt": ("content", "mode")}
    assert len(str(difference).splitlines()) == 4


def test_a_touched_file_is_no_difference(tree):
    before = take_snapshot(tree)
    os.utime(tree / "a.txt", (1, 1))
    assert not take_snapshot(tree).diff(before)


def test_only_regular_files_are_opened_and_never_waiting(tree, look, monkeypatch):
    os.mkfifo(tree / "fifo")
    with socket.socket(socket.AF_UNIX) as endpoint:
        here = os.getcwd()
        os.chdir(tree)
        try:
            endpoint.bind("sock")
        finally:
            os.chdir(here)
    opened = []

    def watch(path, flags, *, dir_fd=None):
        opened.append((os.path.basename(path), flags))
        return os.open(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(real, "open", watch)
    seen = look(tree)
    assert (seen["fifo"].kind, seen["sock"].kind) == ("fifo", "socket")
    files = [(name, flags) for name, flags in opened if not flags & os.O_DIRECTORY]
    assert sorted(name for name, _ in files) == ["a.txt", "b"]
    assert all(flags & os.O_NONBLOCK and flags & os.O_NOFOLLOW for _, flags in files)


def test_links_are_not_followed(tree, look):
    (tree / "loop").symlink_to(".")
    (tree / "up").symlink_to("..")
    assert look(tree)["up"] == EntryState("link", 0, target="..")


def test_a_file_swapped_for_a_fifo_is_not_read(tree, monkeypatch):
    real_open = TreeCursor.open

    def swap_then_open(cursor, name, how):
        (tree / name).unlink()
        os.mkfifo(tree / name)
        return real_open(cursor, name, how)

    (tree / "sub" / "b").unlink()
    monkeypatch.setattr(TreeCursor, "open", swap_then_open)
    assert take_snapshot(tree)["a.txt"].problem == "it was replaced while it was being read"


@pytest.mark.parametrize("step", ["lstat", "open", "enter", "readlink"])
def test_what_vanishes_meanwhile_is_left_out(tree, monkeypatch, step):
    act = getattr(TreeCursor, step)

    def vanish_then_act(cursor, name, *rest):
        place = tree / cursor.route(name)
        shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        return act(cursor, name, *rest)

    monkeypatch.setattr(TreeCursor, step, vanish_then_act)
    gone = {"open": {"a.txt", "sub/b"}, "enter": {"sub", "sub/b", "sub/deep"}, "readlink": {"link"}}
    expected = {"a.txt", "link", "sub", "sub/b", "sub/deep"} - gone.get(step, set())
    assert set(take_snapshot(tree)) == (set() if step == "lstat" else expected)


def test_what_may_not_be_read_says_so_and_is_no_change(look):
    with ordinary_user() as folder:
        (folder / "file").write_text("secret")
        (folder / "shut").mkdir()
        (folder / "shut" / "inside").write_text("")
        open_tree = look(folder)
        (folder / "file").chmod(0)
        (folder / "shut").chmod(0)
        closed_tree = look(folder)
        (folder / "file").chmod(0o644)
        (folder / "shut").chmod(0o755)
    assert closed_tree["file"].problem == "Permission denied"
    assert closed_tree["shut"].problem == "Permission denied"
    assert str(closed_tree["file"]) == "file, 6 bytes, mode 0000, not readable: Permission denied"
    assert closed_tree.diff(open_tree).removed == ()
    assert open_tree.diff(closed_tree).added == ()
    assert set(closed_tree.diff(open_tree).changed.values()) == {("mode",)}


def test_a_directory_that_may_be_listed_but_not_searched_is_survived(look):
    with ordinary_user() as folder:
        (folder / "half").mkdir()
        (folder / "half" / "inside").write_text("")
        (folder / "half").chmod(0o600)
        seen = look(folder)
        (folder / "half").chmod(0o700)
    problems = {path: state.problem for path, state in seen.items()}
    assert "Permission denied" in problems.values()


def test_a_top_that_may_not_be_listed_is_an_error():
    with ordinary_user() as folder:
        folder.chmod(0o300)
        with pytest.raises(PermissionError):
            take_snapshot(folder)
        folder.chmod(0o700)


def test_large_files_are_read_piece_by_piece(tree, monkeypatch):
    size = 3 * 1024 * 1024
    with open(tree / "large", "wb") as large:
        large.truncate(size)
    sizes = []
    monkeypatch.setattr(
        real, "read", lambda fd, count: (sizes.append(count), os.read(fd, count))[1]
    )
    before = take_snapshot(tree)
    assert max(sizes) < size / 2
    monkeypatch.undo()
    with open(tree / "large", "r+b") as large:
        large.seek(size - 1)
        large.write(b"x")
    assert take_snapshot(tree).diff(before).changed == {"large": ("content",)}


def test_odd_names_stay_on_one_line(tree):
    before = take_snapshot(tree)
    for name in [b"new\nline", b"no\xfftext", b" space", b"caf\xc3\xa9 au lait"]:
        os.close(os.open(os.fsencode(tree) + b"/" + name, os.O_CREAT | os.O_WRONLY))
    lines = str(take_snapshot(tree).diff(before)).splitlines()
    assert [line.partition("  (")[0] for line in lines] == [
        "added    ' space'",
        "added    café au lait",
        "added    'new\\nline'",
        "added    'no\\udcfftext'",
    ]


def test_paths_are_quoted_only_when_they_must_be():
    assert shown("a b/ä") == "a b/ä"
    assert shown("a\tb") == "'a\\tb'"


def test_a_tree_deeper_than_any_path_is_recorded(tmp_path):
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(250):
        os.mkdir("a" * 20, dir_fd=here)
        below = os.open("a" * 20, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    try:
        seen = take_snapshot(tmp_path)
    finally:
        remove_tree(tmp_path)  # pytest itself cannot
        tmp_path.mkdir()
    assert len(seen) == 250


def test_no_descriptor_stays_open(tree):
    before = os.listdir("/dev/fd")
    take_snapshot(tree)
    with pytest.raises(FileNotFoundError):
        take_snapshot(tree / "nowhere")
    assert len(os.listdir("/dev/fd")) == len(before)


def test_a_difference_needs_a_snapshot(tree):
    with pytest.raises(TypeError, match=r"diff\(\{\}\): a snapshot taken before is expected"):
        take_snapshot(tree).diff({})


def test_values_compare_without_a_disk():
    file = EntryState("file", 0o644, 1, "x")
    difference = TreeDiff({"a": file}, {"b": file})
    assert (difference.added, difference.removed, difference.changed) == (("b",), ("a",), {})
    assert TreeSnapshot("/one", {"a": file}) == TreeSnapshot("/two", {"a": file})

"""A file is at its old place or its new one, whole, whatever lies between (exercise D12)."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from copy_and_move import copy_file, move_file
from crash_points import killed_at_each_step
from directory_size import directory_size
from duplicate_search import find_duplicates

from pytest_syskit import Fifo, File, HardLink, Symlink, TempWorkspace

pytestmark = pytest.mark.posix_only
MOMENT = 1_700_000_000
OTHER_DISK = "/dev/shm"


@pytest.fixture(params=["real", "pretended"])
def elsewhere(request, temp_workspace, monkeypatch):
    """Give a directory on another file system, as far as the code under test can tell."""
    if request.param == "pretended":
        pretend_two_file_systems(monkeypatch)
        with TempWorkspace(temp_workspace) as workspace:
            yield workspace
    elif not os.access(OTHER_DISK, os.W_OK) or same_device(OTHER_DISK, temp_workspace):
        pytest.skip("needs a second file system, such as Linux has at /dev/shm")
    else:
        with TempWorkspace(OTHER_DISK) as workspace:
            yield workspace


def same_device(one, other) -> bool:
    return os.stat(one).st_dev == os.stat(other).st_dev


def pretend_two_file_systems(monkeypatch) -> None:
    rename, link = os.rename, os.link

    def unless_across(call: Callable[..., None]) -> Callable[..., None]:
        def called(source, target, **options) -> None:  # noqa: ANN003  # passed on
            if "src_dir_fd" not in options and Path(source).parent != Path(target).parent:
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(source), None, str(target))
            call(source, target, **options)

        return called

    monkeypatch.setattr(os, "rename", unless_across(rename))
    monkeypatch.setattr(os, "link", unless_across(link))


# copy


def test_a_copy_has_content_mode_and_times(temp_workspace):
    temp_workspace.populate({"a": File(b"\0caf\xe9\r\n", mode=0o640, mtime=MOMENT, atime=MOMENT)})
    assert copy_file(temp_workspace / "a", temp_workspace / "new\nname") == 7
    copy = (temp_workspace / "new\nname").stat()
    assert (temp_workspace / "new\nname").read_bytes() == b"\0caf\xe9\r\n"
    assert (stat.S_IMODE(copy.st_mode), copy.st_mtime, copy.st_nlink) == (0o640, MOMENT, 1)
    assert not os.path.samefile(temp_workspace / "a", temp_workspace / "new\nname")


def test_a_large_file_is_never_in_memory_as_a_whole(temp_workspace):
    size = 64 * 2**20
    with open(temp_workspace / "large", "wb") as file:
        file.truncate(size)
    tracemalloc.start()
    try:
        assert copy_file(temp_workspace / "large", temp_workspace / "copy") == size
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < size / 8


def test_set_id_bits_are_not_copied(temp_workspace):
    temp_workspace.populate({"a": File("", mode=0o4755)})
    copy_file(temp_workspace / "a", temp_workspace / "b")
    assert stat.S_IMODE((temp_workspace / "b").stat().st_mode) == 0o755


@pytest.mark.parametrize("act", [copy_file, move_file])
@pytest.mark.parametrize("taken", ["file", "dangling", "directory"])
def test_nothing_is_replaced_unless_it_is_said(temp_workspace, act, taken):
    temp_workspace.populate({"a": "new", "file": "old", "dangling": Symlink("x"), "directory": {}})
    before = temp_workspace.snapshot()
    with pytest.raises(FileExistsError):
        act(temp_workspace / "a", temp_workspace / taken)
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize("act", [copy_file, move_file])
def test_a_file_is_replaced_when_it_is_said_and_its_other_name_keeps_the_content(
    temp_workspace, act
):
    temp_workspace.populate({"a": "new", "file": "old", "again": HardLink("file")})
    act(temp_workspace / "a", temp_workspace / "file", replace=True)
    assert (temp_workspace / "file").read_text() == "new"
    assert (temp_workspace / "again").read_text() == "old"


def test_a_link_is_replaced_itself_and_not_what_it_leads_to(temp_workspace):
    temp_workspace.populate({"a": "new", "link": Symlink("precious"), "precious": "old"})
    copy_file(temp_workspace / "a", temp_workspace / "link", replace=True)
    assert (temp_workspace / "precious").read_text() == "old"
    assert not (temp_workspace / "link").is_symlink()


@pytest.mark.parametrize("act", [copy_file, move_file])
def test_a_directory_is_not_replaced_by_a_file(temp_workspace, act):
    temp_workspace.populate({"a": "new", "directory": {}})
    before = temp_workspace.snapshot()
    with pytest.raises(IsADirectoryError):
        act(temp_workspace / "a", temp_workspace / "directory", replace=True)
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize("act", [copy_file, move_file])
@pytest.mark.parametrize("same", ["a", "hard"])
def test_a_file_is_not_put_onto_itself(temp_workspace, act, same):
    temp_workspace.populate({"a": "precious", "hard": HardLink("a")})
    before = temp_workspace.snapshot()
    with pytest.raises(shutil.SameFileError, match="is the same file"):
        act(temp_workspace / "a", temp_workspace / same, replace=True)
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize(
    ("source", "error", "why"),
    [("missing", FileNotFoundError, "missing"), ("pipe", OSError, "is no regular file"),
     ("directory", OSError, "directory"), ("dangling", FileNotFoundError, "dangling")],
)  # fmt: skip
def test_what_cannot_be_copied_is_told(temp_workspace, signal_timeout, source, error, why):
    temp_workspace.populate({"pipe": Fifo(), "directory": {}, "dangling": Symlink("x")})
    before = temp_workspace.snapshot()
    with signal_timeout(10), pytest.raises(error, match=why):
        copy_file(temp_workspace / source, temp_workspace / "target")
    assert not temp_workspace.diff(before)


def test_a_link_is_copied_as_what_it_leads_to(temp_workspace):
    temp_workspace.populate({"link": Symlink("a"), "a": "x"})
    copy_file(temp_workspace / "link", temp_workspace / "b")
    assert not (temp_workspace / "b").is_symlink()
    assert (temp_workspace / "b").read_text() == "x"


def test_a_missing_directory_is_an_error_and_nothing_leaks(temp_workspace, leak_check):
    temp_workspace.populate({"a": "x"})
    with leak_check(), pytest.raises(FileNotFoundError):
        copy_file(temp_workspace / "a", temp_workspace / "missing" / "b")


def write_during_the_copy(monkeypatch, path) -> None:
    copyfileobj = shutil.copyfileobj

    def and_write(source, target, length) -> None:
        copyfileobj(source, target, length)
        with open(path, "a", encoding="utf-8") as file:
            file.write("late news")

    monkeypatch.setattr(shutil, "copyfileobj", and_write)


def test_a_source_that_changes_meanwhile_is_an_error_and_there_is_no_copy(
    temp_workspace, monkeypatch
):
    temp_workspace.populate({"a": "x"})
    write_during_the_copy(monkeypatch, temp_workspace / "a")
    with pytest.raises(OSError, match="changed while it was copied"):
        copy_file(temp_workspace / "a", temp_workspace / "b")
    assert os.listdir(temp_workspace) == ["a"]


# move


def test_a_move_on_one_file_system_is_a_rename(temp_workspace):
    temp_workspace.populate({"a": "x", "d": {}})
    inode = (temp_workspace / "a").stat().st_ino
    move_file(temp_workspace / "a", temp_workspace / "d" / "b")
    assert (temp_workspace / "d" / "b").stat().st_ino == inode
    assert os.listdir(temp_workspace) == ["d"]


def test_a_rename_across_file_systems_fails(temp_workspace, elsewhere):
    temp_workspace.populate({"a": "x"})
    with pytest.raises(OSError, match="link") as caught:
        os.rename(temp_workspace / "a", elsewhere / "a")
    assert caught.value.errno == errno.EXDEV


@pytest.mark.parametrize("replace", [False, True])
def test_a_file_moves_to_another_file_system_with_mode_and_times(
    temp_workspace, elsewhere, replace
):
    temp_workspace.populate({"a": File("content", mode=0o640, mtime=MOMENT)})
    if replace:
        elsewhere.populate({"b": "old"})
    move_file(temp_workspace / "a", elsewhere / "b", replace=replace)
    found = (elsewhere / "b").stat()
    assert (elsewhere / "b").read_text() == "content"
    assert (stat.S_IMODE(found.st_mode), found.st_mtime) == (0o640, MOMENT)
    assert not (temp_workspace / "a").exists()
    assert os.listdir(elsewhere) == ["b"]


def test_nothing_is_replaced_across_file_systems_either(temp_workspace, elsewhere):
    temp_workspace.populate({"a": "new"})
    elsewhere.populate({"b": "old"})
    with pytest.raises(FileExistsError):
        move_file(temp_workspace / "a", elsewhere / "b")
    assert (temp_workspace / "a").read_text() == "new"
    assert (elsewhere / "b").read_text() == "old"


@pytest.mark.parametrize("replace", [False, True])
def test_a_link_moves_as_a_link(temp_workspace, elsewhere, replace):
    temp_workspace.populate({"a": Symlink("../nowhere")})
    if replace:
        elsewhere.populate({"b": "old"})
    move_file(temp_workspace / "a", elsewhere / "b", replace=replace)
    assert os.readlink(elsewhere / "b") == "../nowhere"
    assert not os.path.lexists(temp_workspace / "a")


def test_a_link_does_not_replace_a_directory_and_leaves_nothing(temp_workspace, elsewhere):
    temp_workspace.populate({"a": Symlink("x")})
    elsewhere.populate({"b": {}})
    with pytest.raises(IsADirectoryError):
        move_file(temp_workspace / "a", elsewhere / "b", replace=True)
    assert os.listdir(elsewhere) == ["b"]
    assert os.readlink(temp_workspace / "a") == "x"


def test_a_source_that_changes_during_the_move_stays(temp_workspace, elsewhere, monkeypatch):
    temp_workspace.populate({"a": "x"})
    write_during_the_copy(monkeypatch, temp_workspace / "a")
    with pytest.raises(OSError, match="changed while it was copied"):
        move_file(temp_workspace / "a", elsewhere / "b")
    assert (temp_workspace / "a").read_text() == "xlate news"
    assert os.listdir(elsewhere) == []


@pytest.mark.parametrize("old", [None, "old"])
def test_a_crash_at_any_step_leaves_the_file_whole(temp_workspace, elsewhere, fork_runner, old):
    source, target = temp_workspace / "a", elsewhere / "b"

    def prepare() -> None:
        temp_workspace.populate({"a": "content"})
        target.unlink(missing_ok=True)
        if old is not None:
            elsewhere.populate({"b": old})

    steps = []
    for step in killed_at_each_step(
        fork_runner, prepare, lambda: move_file(source, target, replace=old is not None)
    ):
        steps.append(step)
        at_target = target.read_text() if target.exists() else None
        assert at_target in ("content", old), step
        assert source.exists() or at_target == "content", step
        assert not source.exists() or source.read_text() == "content", step
    assert "unlink" in steps
    assert "fsync" in steps


@pytest.mark.parametrize("act", ["missing", "directory"])
def test_what_is_no_file_does_not_move(temp_workspace, act):
    temp_workspace.populate({"directory": {}})
    with pytest.raises((FileNotFoundError, IsADirectoryError), match=act):
        move_file(temp_workspace / act, temp_workspace / "new")


# size and duplicates, of other modules


def test_a_copy_doubles_the_size_and_is_a_duplicate(temp_workspace):
    temp_workspace.populate({"a": "content"})
    copy_file(temp_workspace / "a", temp_workspace / "b")
    problems = []
    assert directory_size(temp_workspace, problems.append).content == 14
    (group,) = find_duplicates([str(temp_workspace)]).groups
    assert [Path(copy.paths[0]).name for copy in group.copies] == ["a", "b"]
    assert problems == []

"""Old or new, never a mixture, nothing stray: after errors, crashes, and with many writers."""

from __future__ import annotations

import errno
import os
import stat
import threading
from contextlib import contextmanager
from typing import NoReturn

import pytest
import unnamed_draft
from atomic_write import atomic_write, write_text
from crash_points import killed_at_each_step, steps_of
from unnamed_draft import draft_in, opened_directory, remove_leftovers

pytestmark = pytest.mark.posix_only

OLD = b"old " * 50_000
NEW = b"new " * 60_000


@pytest.fixture(params=["without a name", "under a hidden name"])
def way(request, monkeypatch):
    """Run the test as on Linux, and as where files need a name."""
    if request.param == "under a hidden name":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("files without a name are a thing of Linux")
    return request.param


@pytest.fixture
def target(temp_workspace):
    temp_workspace.populate({"there": {"settings": OLD}})
    return temp_workspace / "there" / "settings"


@contextmanager
def umask(value):
    previous = os.umask(value)
    try:
        yield
    finally:
        os.umask(previous)


def replace(path):
    with atomic_write(path) as file:
        for start in range(0, len(NEW), 50_000):  # several calls, each a moment to be killed at
            file.write(NEW[start : start + 50_000])


def break_off(path, error):
    with atomic_write(path) as file:
        file.write(NEW)
        raise error


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_new_content_is_there_and_nothing_else(target, way):
    replace(target)
    assert target.read_bytes() == NEW
    assert os.listdir(target.parent) == ["settings"]


def test_a_file_is_made_if_there_was_none(temp_workspace, way):
    with umask(0o027):
        write_text(temp_workspace / "fresh", "ä\r\n")
    assert (temp_workspace / "fresh").read_bytes() == "ä\r\n".encode()
    assert mode_of(temp_workspace / "fresh") == 0o640


def test_a_crash_at_any_step_leaves_the_old_or_the_new_content(target, way, fork_runner):
    seen, strays = [], set()
    for step in killed_at_each_step(
        fork_runner, lambda: target.write_bytes(OLD), lambda: replace(target)
    ):
        seen.append(step)
        assert target.read_bytes() == (OLD if "rename" not in seen[:-1] else NEW), step
        if len(os.listdir(target.parent)) > 1:
            strays.add(step)
        remove_leftovers(target.parent)
        assert os.listdir(target.parent) == ["settings"], step
    assert {"open", "write", "fsync", "rename", "close", "nothing"} <= set(seen)
    if way == "without a name":
        assert strays == {"rename"}  # the one moment at which the file bears a hidden name


def test_the_content_is_synced_before_the_rename_and_the_directory_after(target, way):
    steps = [step for step in steps_of(lambda: replace(target)) if step in ("fsync", "rename")]
    assert steps == ["fsync", "rename", "fsync"]


def test_it_is_the_file_and_then_the_directory_that_are_synced(target, way, monkeypatch):
    kinds = []
    sync = os.fsync

    def note(fd) -> None:
        kinds.append("directory" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
        sync(fd)

    monkeypatch.setattr(os, "fsync", note)
    replace(target)
    assert kinds == ["file", "directory"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_error_in_the_block_leaves_the_old_content(target, way, error):
    with pytest.raises(error):
        break_off(target, error)
    assert target.read_bytes() == OLD
    assert os.listdir(target.parent) == ["settings"]


def test_a_failing_sync_leaves_the_old_content(target, way, monkeypatch):
    def fail(_fd) -> NoReturn:
        raise OSError(errno.EIO, "the disk is broken")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk is broken"):
        replace(target)
    assert target.read_bytes() == OLD
    assert os.listdir(target.parent) == ["settings"]


def test_a_full_disk_leaves_the_old_content(target, way, fork_runner):
    result = fork_runner.run(replace, target, limits={"fsize": 100_000})
    assert result.error.errno == errno.EFBIG
    assert target.read_bytes() == OLD
    assert os.listdir(target.parent) == ["settings"]


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755, 0o4711])
def test_the_mode_is_kept(target, way, mode):
    target.chmod(mode)
    with umask(0o077):
        replace(target)
    assert mode_of(target) == mode


def test_a_mode_may_be_given(target, way):
    write_text(target, "x", mode=0o400)
    assert mode_of(target) == 0o400


def test_a_secret_is_never_readable_by_others_while_it_is_written(target, way):
    target.chmod(0o600)
    with umask(0), atomic_write(target) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600


@pytest.mark.requires_root
def test_the_owner_is_kept(target, way):
    os.chown(target, 12345, 23456)
    target.chmod(0o4755)
    replace(target)
    assert (target.stat().st_uid, target.stat().st_gid, mode_of(target)) == (12345, 23456, 0o4755)


def test_a_link_stays_and_what_it_leads_to_is_replaced(target, way, temp_workspace):
    link = temp_workspace / "link"
    link.symlink_to("there/settings")
    replace(link)
    assert link.is_symlink()
    assert target.read_bytes() == NEW
    dangling = temp_workspace / "dangling"
    dangling.symlink_to("there/new")
    replace(dangling)
    assert (target.parent / "new").read_bytes() == NEW


def test_what_is_no_regular_file_is_refused(temp_workspace, way):
    os.mkfifo(temp_workspace / "fifo")
    (temp_workspace / "loop").symlink_to("loop")
    before = temp_workspace.snapshot()
    with pytest.raises(OSError, match="FIFO"):
        replace(temp_workspace / "fifo")
    with pytest.raises(IsADirectoryError):
        replace(temp_workspace.path)
    with pytest.raises(OSError, match="symbolic links"):
        replace(temp_workspace / "loop")
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize("name", [b"x" * 255, b"new\nline", b"\xff", b"-n", b"a b"])
def test_odd_and_long_names(temp_workspace, way, name):
    path = temp_workspace / os.fsdecode(name)
    replace(path)
    replace(path)
    assert os.listdir(os.fsencode(temp_workspace.path)) == [name]


def test_text_that_cannot_be_encoded_touches_nothing(target):
    with pytest.raises(UnicodeEncodeError):
        write_text(target, "ä", encoding="ascii")
    assert target.read_bytes() == OLD


def test_many_writers_and_a_reader_that_never_sees_a_mixture(target, way):
    contents = [bytes([65 + number]) * 100_000 for number in range(4)]

    def write_often(content) -> None:
        for _ in range(20):
            with atomic_write(target) as file:
                file.write(content)

    writers = [threading.Thread(target=write_often, args=(each,)) for each in contents]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        assert target.read_bytes() in (OLD, *contents)
    for writer in writers:
        writer.join()
    assert os.listdir(target.parent) == ["settings"]


def test_cleaning_spares_living_writers_and_other_files(target, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    (target.parent / ".notes.draft").touch()
    with atomic_write(target) as file:
        file.write(NEW)
        assert remove_leftovers(target.parent) == []
    assert target.read_bytes() == NEW
    assert sorted(os.listdir(target.parent)) == [".notes.draft", "settings"]


def test_a_draft_taken_for_a_leftover_before_it_was_locked_is_made_anew(
    temp_workspace, monkeypatch
):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    lock, removed = unnamed_draft._lock, []  # noqa: SLF001  # the moment between two calls

    def late(fd) -> None:
        if not removed:
            removed.extend(remove_leftovers(temp_workspace.path))
        lock(fd)

    monkeypatch.setattr(unnamed_draft, "_lock", late)
    write_text(temp_workspace / "settings", "new")
    assert len(removed) == 1
    assert (temp_workspace / "settings").read_text() == "new"


def test_a_draft_is_added_under_a_free_name_only(target, way):
    with opened_directory(target.parent) as directory, draft_in(directory, "other") as draft:
        draft.file.write(NEW)
        with pytest.raises(FileExistsError):
            draft.add("settings")
        draft.add("other")
    assert target.read_bytes() == OLD
    assert sorted(os.listdir(target.parent)) == ["other", "settings"]

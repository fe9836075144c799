"""A file appears whole or not at all (exercises A3 and A12)."""
# ruff: noqa: ANN002, ANN202  # stand-ins in tests take whatever comes

from __future__ import annotations

import os
import signal
import stat

import pytest
from replace_when_done import replace_when_done

from pytest_syskit import Fifo, File, Killed, Returned, Symlink

pytestmark = pytest.mark.posix_only


def write(path, content=b"new"):
    with replace_when_done(path) as file:
        file.write(content)


def test_the_content_replaces_the_old_one_and_leaves_nothing_else(temp_workspace, leak_check):
    temp_workspace.populate({"f": "old"})
    with leak_check():
        write(temp_workspace / "f")
    assert (temp_workspace / "f").read_bytes() == b"new"
    assert os.listdir(temp_workspace) == ["f"]


def test_a_name_without_a_directory_is_in_the_current_one(temp_workspace):
    with temp_workspace.chdir():
        write("f")
    assert (temp_workspace / "f").read_bytes() == b"new"


def test_an_existing_mode_is_kept_and_a_new_one_obeys_the_umask(temp_workspace, fork_runner):
    temp_workspace.populate({"old": File("", mode=0o604)})

    def write_both():
        os.umask(0o026)
        write(temp_workspace / "old")
        write(temp_workspace / "new")
        return os.umask(0o026)

    assert fork_runner.run(write_both) == Returned(0o026)
    modes = [(temp_workspace / name).stat().st_mode & 0o777 for name in ("old", "new")]
    assert modes == [0o604, 0o640]


def test_after_an_error_the_old_content_is_there_and_no_draft(temp_workspace, leak_check):
    temp_workspace.populate({"f": "old"})
    before = temp_workspace.snapshot()
    with leak_check(), pytest.raises(ZeroDivisionError), replace_when_done(temp_workspace / "f"):
        _ = 1 / 0
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize(
    "entry", [{}, Fifo(), Symlink("elsewhere")], ids=["directory", "fifo", "link"]
)
def test_what_is_no_regular_file_is_not_replaced(temp_workspace, entry):
    temp_workspace.populate({"f": entry})
    before = temp_workspace.snapshot()
    with pytest.raises(OSError, match="no regular file, so it is not replaced"):
        write(temp_workspace / "f")
    assert not temp_workspace.diff(before)


def test_the_file_and_then_its_directory_are_synced(temp_workspace, monkeypatch):
    calls = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(fd):
        calls.append("directory" if stat.S_ISDIR(os.fstat(fd).st_mode) else "file")
        real_fsync(fd)

    def replace(*args):
        calls.append("replace")
        real_replace(*args)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write(temp_workspace / "f")
    assert calls == ["file", "replace", "directory"]


def _write_killed_before(name, path):
    setattr(os, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    write(path)


@pytest.mark.parametrize("name", ["chmod", "fsync", "replace"])
def test_a_writer_that_is_killed_leaves_the_old_content(temp_workspace, fork_runner, name):
    temp_workspace.populate({"f": "old"})
    result = fork_runner.run(_write_killed_before, name, temp_workspace / "f")
    assert result == Killed(signal.SIGKILL)
    assert (temp_workspace / "f").read_bytes() == b"old"


def test_the_draft_is_hidden_beside_the_target_on_the_same_disk(temp_workspace):
    temp_workspace.populate({"d": {"target": "old"}})
    with replace_when_done(temp_workspace / "d" / "target"):
        (draft,) = set(os.listdir(temp_workspace / "d")) - {"target"}
        assert draft.startswith(".")
        assert draft.endswith(".draft")
    assert os.listdir(temp_workspace / "d") == ["target"]


def _clear_up_and_fail(workspace):
    with replace_when_done(workspace / "target"):
        for name in set(os.listdir(workspace)) - {"target"}:
            (workspace / name).unlink()
        raise KeyError


def test_an_error_is_told_though_somebody_cleared_the_draft_away(temp_workspace):
    temp_workspace.populate({"target": "old"})
    with pytest.raises(KeyError):
        _clear_up_and_fail(temp_workspace)
    assert (temp_workspace / "target").read_text() == "old"

"""The everyday calls do what they say, replace nothing, and leave nothing (exercise D1)."""
# ruff: noqa: ANN002, ANN003, ANN202  # functions of the tests; arguments are passed on

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from datetime import datetime, timezone

import file_basics as module
import pytest
from create_directories import remove_empty
from file_basics import (
    FileFacts,
    create_file,
    file_facts,
    main,
    make_plain,
    make_program,
    rename_file,
    set_mode,
)

from pytest_syskit import Fifo, File, Symlink

pytestmark = pytest.mark.posix_only
MOMENT = 1_700_000_000  # 2023-11-14 22:13:20 UTC


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, module.__file__, *arguments],
        capture_output=True, text=True, timeout=30, check=False, **options,
    )  # fmt: skip


# create


def test_a_new_file_has_its_text(temp_workspace):
    create_file(temp_workspace / "naïve\nname", "caffè\n")
    assert (temp_workspace / "naïve\nname").read_bytes() == "caffè\n".encode()


@pytest.mark.parametrize("taken", ["file", "dangling", "directory"])
def test_creating_touches_nothing_that_is_there(temp_workspace, taken):
    temp_workspace.populate({"file": "precious", "dangling": Symlink("elsewhere"), "directory": {}})
    before = temp_workspace.snapshot()
    with pytest.raises(FileExistsError, match=taken):
        create_file(temp_workspace / taken, "new")
    assert not temp_workspace.diff(before)


# exists, kind, size, time


def test_one_look_tells_kind_size_mode_and_time(temp_workspace):
    temp_workspace.populate({"file": File("12345", mode=0o640, mtime=MOMENT)})
    assert file_facts(temp_workspace / "file") == FileFacts(
        "file", 5, 0o640, datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)
    )


def test_the_time_has_a_zone_whatever_the_zone_of_the_process(temp_workspace, fake_env):
    temp_workspace.populate({"file": File("", mtime=MOMENT)})
    fake_env.set("TZ", "Asia/Tokyo")
    modified = file_facts(temp_workspace / "file").modified
    assert modified.isoformat() == "2023-11-14T22:13:20+00:00"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("directory", "directory"), ("link", "symlink"), ("dangling", "symlink"), ("pipe", "FIFO")],
)
def test_the_kind_is_that_of_the_entry_itself(temp_workspace, signal_timeout, name, kind):
    temp_workspace.populate(
        {"directory": {}, "link": Symlink("directory"), "dangling": Symlink("x"), "pipe": Fifo()}
    )
    with signal_timeout(5):  # a FIFO that is opened would wait for ever
        assert file_facts(temp_workspace / name).kind == kind


@pytest.mark.parametrize("name", ["missing", "file/below"])
def test_what_does_not_exist_is_none(temp_workspace, name):
    temp_workspace.populate({"file": ""})
    assert file_facts(temp_workspace / name) is None


@pytest.mark.requires("dac")
def test_what_cannot_be_told_is_an_error_and_not_a_no(temp_workspace):
    temp_workspace.populate({"closed": {"file": ""}})
    os.chmod(temp_workspace / "closed", 0o000)
    with pytest.raises(PermissionError, match="closed"):
        file_facts(temp_workspace / "closed" / "file")


# rename


def test_a_file_gets_its_new_name(temp_workspace):
    temp_workspace.populate({"old": File("x", mode=0o640, mtime=MOMENT)})
    inode = (temp_workspace / "old").stat().st_ino
    rename_file(temp_workspace / "old", temp_workspace / "new")
    found = (temp_workspace / "new").stat()
    assert os.listdir(temp_workspace) == ["new"]
    assert (found.st_ino, found.st_nlink, int(found.st_mtime)) == (inode, 1, MOMENT)


def test_a_link_itself_is_renamed(temp_workspace):
    temp_workspace.populate({"old": Symlink("target"), "target": "x"})
    rename_file(temp_workspace / "old", temp_workspace / "new")
    assert os.readlink(temp_workspace / "new") == "target"
    assert sorted(os.listdir(temp_workspace)) == ["new", "target"]


def without_hard_links(monkeypatch, number=errno.EPERM):
    def refuse(*_arguments, **_options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("taken", ["other", "dangling", "directory", "old"])
def test_a_rename_replaces_nothing(temp_workspace, monkeypatch, taken, links):
    temp_workspace.populate({"old": "1", "other": "2", "dangling": Symlink("x"), "directory": {}})
    before = temp_workspace.snapshot()
    if not links:
        without_hard_links(monkeypatch)
    with pytest.raises(FileExistsError, match=f"is there already: .*{taken}"):
        rename_file(temp_workspace / "old", temp_workspace / taken)
    assert not temp_workspace.diff(before)


def test_a_rename_works_without_hard_links(temp_workspace, monkeypatch):
    temp_workspace.populate({"old": "x"})
    without_hard_links(monkeypatch)
    rename_file(temp_workspace / "old", temp_workspace / "new")
    assert (temp_workspace / "new").read_text() == "x"
    assert os.listdir(temp_workspace) == ["new"]


def test_another_error_of_the_link_is_told_as_it_is(temp_workspace, monkeypatch):
    temp_workspace.populate({"old": "x"})
    without_hard_links(monkeypatch, errno.ENOSPC)
    with pytest.raises(OSError, match="No space left"):
        rename_file(temp_workspace / "old", temp_workspace / "new")
    assert os.listdir(temp_workspace) == ["old"]


def test_a_name_that_cannot_be_dropped_leaves_all_as_it_was(temp_workspace, monkeypatch):
    temp_workspace.populate({"old": "x"})
    before = temp_workspace.snapshot()
    unlink = os.unlink

    def refuse_old(path) -> None:
        if os.path.basename(path) == "old":
            raise PermissionError(errno.EPERM, "refused", str(path))
        unlink(path)

    monkeypatch.setattr(os, "unlink", refuse_old)
    with pytest.raises(PermissionError, match="refused"):
        rename_file(temp_workspace / "old", temp_workspace / "new")
    assert not temp_workspace.diff(before)


def test_a_directory_and_a_missing_file_are_refused(temp_workspace):
    temp_workspace.populate({"directory": {}})
    with pytest.raises(IsADirectoryError, match="directory"):
        rename_file(temp_workspace / "directory", temp_workspace / "new")
    with pytest.raises(FileNotFoundError, match="missing"):
        rename_file(temp_workspace / "missing", temp_workspace / "new")
    assert os.listdir(temp_workspace) == ["directory"]


# chmod


def test_chmod_644_and_755(temp_workspace):
    temp_workspace.populate({"file": File("", mode=0o600)})
    modes = []
    for change in (make_plain, make_program, make_plain):
        change(temp_workspace / "file")
        modes.append(stat.S_IMODE((temp_workspace / "file").stat().st_mode))
    assert modes == [0o644, 0o755, 0o644]


def test_the_mode_of_a_file_behind_a_link_is_left_alone(temp_workspace):
    temp_workspace.populate({"file": File("", mode=0o600), "link": Symlink("file")})
    with pytest.raises(OSError, match="is a link") as caught:
        make_plain(temp_workspace / "link")
    assert caught.value.errno == errno.ELOOP
    assert file_facts(temp_workspace / "file").mode == 0o600


def test_the_mode_of_what_is_missing_is_an_error(temp_workspace):
    with pytest.raises(FileNotFoundError, match="missing"):
        set_mode(temp_workspace / "missing", 0o644)


# directories, and the trap of removedirs


def test_removedirs_climbs_above_the_directory_that_is_ours_and_remove_empty_does_not(
    temp_workspace,
):
    temp_workspace.populate({"anchor": "", "above": {"ours": {"a": {"b": {}}}}})
    ours = temp_workspace / "above" / "ours"
    remove_empty(ours / "a" / "b", ours)
    assert os.listdir(ours) == []
    os.makedirs(ours / "a" / "b")
    os.removedirs(ours / "a" / "b")
    assert os.listdir(temp_workspace) == ["anchor"]


# the tour


def test_the_tour_shows_every_call_and_leaves_nothing(temp_workspace):
    temp_workspace.populate({"work here": {}, "other": ""})
    before = temp_workspace.snapshot()
    done = run("work here", cwd=temp_workspace, umask=0o022)
    assert (done.returncode, done.stderr) == (0, "")
    note = os.path.join("tour", "one", "two", "note.txt")
    lines = [line.partition(", modified")[0] for line in done.stdout.splitlines()]
    assert lines == [
        f"start: {temp_workspace}",
        f"now in: {temp_workspace / 'work here'}, which has 1 entry",
        f"{note}: file, 7 bytes, mode 644",
        f"{note}: file, 7 bytes, mode 755",
        f"{note}: does not exist",
        f"{note}.bak: file, 7 bytes, mode 644",
        "removed: two, one, tour",
        f"back in: {temp_workspace}",
    ]
    assert not temp_workspace.diff(before)


def test_a_tour_where_one_was_is_refused_and_touches_nothing(temp_workspace):
    temp_workspace.populate({"tour": {"mine": "precious"}})
    before = temp_workspace.snapshot()
    done = run(temp_workspace)
    assert done.returncode == 1
    assert done.stderr == "file_basics: tour: File exists\n"
    assert not temp_workspace.diff(before)


def test_a_tour_that_fails_leaves_nothing(temp_workspace, monkeypatch, capsys):
    before = temp_workspace.snapshot()
    without_hard_links(monkeypatch, errno.ENOSPC)
    assert main([str(temp_workspace)]) == 1
    assert "No space left" in capsys.readouterr().err
    assert not temp_workspace.diff(before)


def test_a_directory_that_is_missing_is_status_1(temp_workspace, capsys):
    assert main([str(temp_workspace / "missing")]) == 1
    assert capsys.readouterr().err == (
        f"file_basics: {temp_workspace / 'missing'}: No such file or directory\n"
    )


def test_help_and_a_wrong_option(capsys):
    for arguments, status in ((["--help"], 0), (["--wrong"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == status
    assert "usage: file_basics" in capsys.readouterr().err

"""The ten fields are there, in order and readable (exercise A8)."""
# ruff: noqa: ANN202  # what is run in children returns what the test compares

from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import datetime, timezone

import pytest
import stat_report as module
from stat_report import iso, main, report, stat_fields

from pytest_syskit import Fifo, File, HardLink, Symlink

pytestmark = pytest.mark.posix_only
WORDS = "mode ino dev nlink uid gid size atime mtime ctime"
NAMES = [f"st_{word}" for word in WORDS.split()]


def fields_of(path):
    return {name: value for name, value, _ in stat_fields(os.lstat(path), timezone.utc)}


def test_the_fields_are_the_ten_of_the_tuple_in_its_order(temp_workspace):
    temp_workspace.populate({"f": File("12345", mode=0o640, mtime=1_000_000_000, atime=0)})
    found = os.lstat(temp_workspace / "f")
    fields = fields_of(temp_workspace / "f")
    assert list(fields) == NAMES
    assert [int(fields[name].split()[0]) for name in NAMES[1:7]] == list(found)[1:7]


def test_values_are_written_for_people(temp_workspace):
    temp_workspace.populate({"f": File("12345", mode=0o4640, mtime=1_000_000_000, atime=0)})
    temp_workspace.populate({"g": HardLink("f")})
    fields = fields_of(temp_workspace / "f")
    assert fields["st_mode"] == "0104640 -rwSr-----"
    assert fields["st_nlink"] == "2"
    assert fields["st_size"] == "5"
    assert fields["st_mtime"] == "2001-09-09T01:46:40.000000000+00:00"
    assert fields["st_atime"] == "1970-01-01T00:00:00.000000000+00:00"


@pytest.mark.parametrize(
    ("entry", "mode"),
    [(Fifo(0o600), "0010600 prw-------"), ({}, "0040755 drwxr-xr-x"), (Symlink("x"), "0120777 l")],
)
def test_the_kind_shows_in_both_forms_of_the_mode(temp_workspace, entry, mode):
    temp_workspace.populate({"entry": entry})
    assert fields_of(temp_workspace / "entry")["st_mode"].startswith(mode)


def test_a_time_keeps_its_nanoseconds_and_says_its_offset(fake_env):
    assert iso(1_000_000_000_123_456_789, timezone.utc) == "2001-09-09T01:46:40.123456789+00:00"
    fake_env.set("TZ", "EST5")
    assert iso(1_000_000_000_000_000_001) == "2001-09-08T20:46:40.000000001-05:00"


def test_a_time_before_the_epoch_is_right_too():
    assert iso(-1, timezone.utc) == "1969-12-31T23:59:59.999999999+00:00"
    assert datetime.fromisoformat(iso(-(10**9), timezone.utc)[:19]).second == 59


def test_an_owner_without_a_name_is_a_number(monkeypatch, temp_workspace):
    def nobody(number):
        raise KeyError(number)

    monkeypatch.setattr(module, "user_name", nobody)
    assert fields_of(temp_workspace)["st_uid"] == str(os.getuid())


def test_links_are_followed_unless_told_otherwise(temp_workspace, capsys):
    temp_workspace.populate({"f": "12345", "link": Symlink("f")})
    with temp_workspace.chdir():
        main(["link"])
        assert " -rw-r--r-- " in capsys.readouterr().out
        main(["--no-follow", "link"])
        assert f" {stat.filemode(os.lstat('link').st_mode)} " in capsys.readouterr().out


def test_as_a_process_a_bad_name_stops_nothing(temp_workspace):
    temp_workspace.populate({"f": "12345"})
    done = subprocess.run(
        [sys.executable, module.__file__, "missing", "f"],
        cwd=temp_workspace, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "stat_report: missing: No such file or directory\n"
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["f:", *NAMES]
    assert "size in bytes" in done.stdout


def test_every_field_has_its_meaning(temp_workspace, capsys):
    temp_workspace.populate({"f": "12345"})
    assert main([str(temp_workspace / "f")]) == 0
    meanings = [line[49:] for line in capsys.readouterr().out.splitlines()[1:]]
    assert meanings == [
        "kind of entry and permissions",
        "number of the inode on its device",
        "device that holds the inode",
        "names (hard links) of the inode",
        "owner",
        "group",
        "size in bytes",
        "last access",
        "last change of the content",
        "last change of the inode",
    ]


def test_a_report_follows_links_by_default(temp_workspace):
    temp_workspace.populate({"f": "", "link": Symlink("f")})
    assert " -rw-r--r-- " in report(str(temp_workspace / "link"))
    with pytest.raises(FileNotFoundError, match="missing"):
        report(str(temp_workspace / "missing"))


def test_where_nobody_has_a_name_owners_are_numbers(temp_workspace, monkeypatch):
    for name in ("pwd", "grp"):  # as on Windows, where there are no such modules
        monkeypatch.setitem(sys.modules, name, None)
    fields = fields_of(temp_workspace)
    assert (fields["st_uid"], fields["st_gid"]) == (str(os.getuid()), str(os.getgid()))

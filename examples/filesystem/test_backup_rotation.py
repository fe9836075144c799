"""Backups never overwrite each other, never touch those of others, and survive crashes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import backup_rotation
import pytest
from backup_rotation import back_up, backups_of, main
from crash_points import killed_at_each_step, steps_of
from unnamed_draft import remove_leftovers

pytestmark = pytest.mark.posix_only

NOON = datetime(2024, 1, 31, 12, tzinfo=timezone.utc)
SCRIPT = Path(__file__).with_name("backup_rotation.py")


@pytest.fixture
def report(temp_workspace):
    temp_workspace.populate({"report": "v0"})
    return temp_workspace / "report"


@pytest.fixture
def folder(temp_workspace):
    return temp_workspace / "backups"


def made_at(report, folder, *moments: datetime, keep=5):
    return [back_up(report, folder, keep, lambda moment=moment: moment) for moment in moments]


def contents(folder):
    return [backup.path.read_text() for backup in backups_of("report", folder)]


def test_a_backup_has_content_mode_and_time_and_a_name_that_says_when(report, folder):
    report.chmod(0o640)
    os.utime(report, (1, 1_600_000_000))
    zone = timezone(timedelta(hours=2))
    (path,) = made_at(report, folder, NOON.astimezone(zone))
    assert path == folder / "report.20240131T120000Z.000.bak"
    assert path.read_text() == "v0"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.stat().st_mtime == 1_600_000_000


def test_two_in_the_same_second_are_two(report, folder):
    first = back_up(report, folder, 5, lambda: NOON)
    report.write_text("v1")
    second = back_up(report, folder, 5, lambda: NOON)
    assert first != second
    assert contents(folder) == ["v0", "v1"]


def test_many_programs_in_the_same_second_lose_nothing(report, folder):
    makers = [
        threading.Thread(target=back_up, args=(report, folder, 100, lambda: NOON))
        for _ in range(20)
    ]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert [backup.number for backup in backups_of("report", folder)] == list(range(20))


def test_the_newest_are_kept(report, folder):
    for number in range(7):
        report.write_text(f"v{number}")
        made_at(report, folder, NOON + timedelta(seconds=number // 2), keep=3)
    assert contents(folder) == ["v4", "v5", "v6"]


def test_a_thousand_in_a_second_sort_by_number(report, folder):
    made_at(report, folder, NOON)
    (folder / "report.20240131T120000Z.999.bak").write_text("v999")
    (made,) = made_at(report, folder, NOON, keep=2)
    assert made.name == "report.20240131T120000Z.1000.bak"
    assert contents(folder) == ["v999", "v0"]


def test_names_that_look_alike_are_left_alone(report, folder, temp_workspace):
    strangers = [
        "report_old.20200101T000000Z.000.bak",
        "report.txt.20200101T000000Z.000.bak",
        "my_report.20200101T000000Z.000.bak",
        "report.20200101T000000Z.000.bak.20200101T000000Z.000.bak",
        "report.20200101T000000Z.000.bak\n",
        "report.20200101T000000Z.000",
        "report.20200101T000000Z.bak",
        "report",
    ]
    temp_workspace.populate({"backups": dict.fromkeys(strangers, "keep me")})
    folder.joinpath("report.20200101T000000Z.000.bak").mkdir()
    made = made_at(report, folder, NOON, NOON, NOON, keep=1)
    assert sorted(os.listdir(folder)) == sorted(
        [*strangers, "report.20200101T000000Z.000.bak", made[-1].name]
    )


@pytest.mark.parametrize("name", ["re[p]ort*", "re.port", "two\nlines", os.fsdecode(b"\xff")])
def test_odd_names_are_their_own(temp_workspace, folder, name):
    for each in (name, "rexport", "report"):
        (temp_workspace / each).write_text(each.encode("utf-8", "replace").decode())
        made_at(temp_workspace / each, folder, NOON, NOON, keep=1)
    assert len(backups_of(name, folder)) == 1
    assert len(os.listdir(folder)) == 3


def test_a_clock_that_was_set_back_does_not_cost_the_new_backup(report, folder):
    made_at(report, folder, NOON)
    report.write_text("v1")
    (made,) = made_at(report, folder, NOON - timedelta(days=1), keep=1)
    assert made.read_text() == "v1"
    assert contents(folder) == ["v1"]


def test_a_source_that_cannot_be_copied_costs_no_backup(report, folder, temp_workspace):
    made_at(report, folder, NOON)
    os.mkfifo(temp_workspace / "fifo")
    before = temp_workspace.snapshot()
    with pytest.raises(FileNotFoundError):
        back_up(temp_workspace / "missing", folder, 1)
    with pytest.raises(OSError, match="only regular files"):
        back_up(temp_workspace / "fifo", folder, 1)
    with pytest.raises(ValueError, match="keep=0"):
        back_up(report, folder, 0)
    assert not temp_workspace.diff(before)


def test_a_crash_at_any_step_costs_no_backup(report, folder, fork_runner):
    def prepare() -> None:
        for path in folder.iterdir() if folder.exists() else ():
            path.unlink()
        report.write_text("old")
        made_at(report, folder, NOON, NOON + timedelta(seconds=1), keep=2)
        report.write_text("new" * 20_000)

    def work() -> None:
        made_at(report, folder, NOON + timedelta(seconds=2), keep=2)

    seen = []
    for step in killed_at_each_step(fork_runner, prepare, work):
        seen.append(step)
        there = contents(folder)
        assert there[-2:] in (["old", "old"], ["old", "new" * 20_000]), step
        assert len(there) in (2, 3), step
        remove_leftovers(folder)
        assert len(os.listdir(folder)) == len(there), step
        assert report.read_text() == "new" * 20_000
    assert {"open", "fsync", "link", "unlink", "nothing"} <= set(seen)


def test_the_copy_is_on_the_disk_before_it_has_a_name_and_the_oldest_goes_after(report, folder):
    made_at(report, folder, NOON)
    steps = steps_of(lambda: made_at(report, folder, NOON, keep=1))
    order = [step for step in steps if step in ("fsync", "link", "unlink")]
    assert order == ["fsync", "link", "fsync", "unlink"]


def test_it_works_where_files_need_a_name(report, folder, monkeypatch):
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    made_at(report, folder, NOON, NOON)
    assert len(os.listdir(folder)) == 2


def test_another_program_that_rotates_too_is_no_trouble(report, folder, monkeypatch):
    made_at(report, folder, NOON, NOON)
    listed = backups_of("report", folder)
    monkeypatch.setattr(backup_rotation, "backups_of", lambda _name, _folder: listed)
    listed[0].path.unlink()
    assert backup_rotation.rotate("report", folder, 1) == [listed[0].path]


def test_the_script(report, folder, capfdbinary):
    run = subprocess.run(
        [sys.executable, SCRIPT, report, folder, "--keep", "1"], capture_output=True, check=True
    )
    assert run.stdout == os.fsencode(backups_of("report", folder)[0].path) + b"\n"
    assert main([str(report) + "x", str(folder)]) == 1
    assert capfdbinary.readouterr().err.startswith(b"backup_rotation: [Errno 2]")
    for wrong in (["--keep", "0"], []):
        with pytest.raises(SystemExit, match="2"):
            main([str(report), str(folder), *wrong] if wrong else [])
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])

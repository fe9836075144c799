"""Sizes and times select files exactly, and nothing ends the walk (exercise D11)."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import path_iteration as module
import pytest
from path_iteration import (
    MEGABYTE,
    entries_of,
    large_files,
    main,
    matching,
    matching_below,
    nanoseconds,
    recent_files,
    sightings,
)

from pytest_syskit import Fifo, File, Returned, Symlink

pytestmark = pytest.mark.posix_only
NOON = datetime(2024, 3, 31, 12, tzinfo=timezone.utc)
TREE = {"b.py": "", "a.py": "", ".hidden.py": "", "sub": {"c.py": "", "d.txt": ""}}


def fail(error) -> None:
    raise error


def names(found, root) -> list[str]:
    return [os.path.relpath(seen.path, root) for seen in found]


def big_file(path, size) -> None:
    with open(path, "wb") as file:
        file.truncate(size)


def at(path, moment, nanosecond=0) -> None:
    time = nanoseconds(moment) + nanosecond
    os.utime(path, ns=(time, time))


# by name


def test_entries_and_matches_are_sorted(temp_workspace):
    temp_workspace.populate(TREE)
    root = temp_workspace.path
    assert entries_of(root) == [root / ".hidden.py", root / "a.py", root / "b.py", root / "sub"]
    # unlike glob.glob, pathlib lets * match hidden names
    assert matching(root, "*.py") == [root / ".hidden.py", root / "a.py", root / "b.py"]
    assert matching(root, "[ab].py") == [root / "a.py", root / "b.py"]
    assert matching_below(root, "[!.]*.py") == [root / "a.py", root / "b.py", root / "sub" / "c.py"]


def test_a_directory_that_is_missing_cannot_be_listed_and_has_no_matches(temp_workspace):
    with pytest.raises(FileNotFoundError, match="missing"):
        entries_of(temp_workspace / "missing")
    assert matching(temp_workspace / "missing", "*") == []


def test_a_match_below_comes_once(temp_workspace):
    temp_workspace.populate({"x": {"x": {"x": {}}}})
    x = temp_workspace / "x"
    assert matching_below(temp_workspace.path, "**/x") == [x, x / "x", x / "x" / "x"]


def test_matching_below_enters_no_links(temp_workspace, signal_timeout):
    temp_workspace.populate({"a": {"loop": Symlink("."), "f.py": ""}})
    with signal_timeout(10):
        assert matching_below(temp_workspace.path, "*.py") == [temp_workspace / "a" / "f.py"]


# the walk


def test_only_regular_files_are_seen(temp_workspace, signal_timeout):
    temp_workspace.populate(
        {"file": "12", "pipe": Fifo(), "link": Symlink("file"), "up": Symlink("."), "d": {"g": "1"}}
    )
    with signal_timeout(10):
        seen = list(sightings(temp_workspace, fail))
    assert names(seen, temp_workspace) == ["file", "d/g"]
    assert [each.size for each in seen] == [2, 1]


def test_a_file_that_vanishes_in_the_middle_of_the_walk_is_passed_over(temp_workspace):
    temp_workspace.populate({"a": "", "b": "", "c": "", "sub": {"d": ""}})
    walk = sightings(temp_workspace, fail)
    first = next(walk)
    os.unlink(temp_workspace / "b")
    assert names([first, *walk], temp_workspace) == ["a", "c", "sub/d"]


def test_what_may_not_be_looked_at_is_told_and_the_walk_goes_on(temp_workspace, fork_runner):
    temp_workspace.populate({"a": "1", "closed": {"x": ""}, "listed": {"y": ""}, "z": {"b": "2"}})
    os.chmod(temp_workspace, 0o755)

    def walk() -> tuple[list[str], list[str]]:
        os.chdir(temp_workspace)
        os.chmod("closed", 0)
        os.chmod("listed", 0o444)  # names may be read, but what they are may not
        if os.geteuid() == 0:
            os.seteuid(65534)
        problems: list[OSError] = []
        seen = [each.path for each in sightings(".", problems.append)]
        return seen, sorted(problem.filename for problem in problems)

    assert fork_runner.run(walk) == Returned((["./a", "./z/b"], ["./closed", "./listed/y"]))


def test_a_root_that_is_missing_is_told(temp_workspace):
    problems = []
    assert large_files(temp_workspace / "missing", 0, problems.append) == []
    assert [type(problem) for problem in problems] == [FileNotFoundError]


# large


def test_large_files_come_largest_first_and_the_limit_itself_is_not_over_it(temp_workspace):
    temp_workspace.populate({"sub": {}})
    sizes = {"small": 1, "limit": 2 * MEGABYTE, "over": 2 * MEGABYTE + 1, "sub/huge": 5 * 10**9}
    for name, size in {**sizes, "again": sizes["over"]}.items():
        big_file(temp_workspace / name, size)
    found = large_files(temp_workspace, 2, fail)
    assert names(found, temp_workspace) == ["sub/huge", "again", "over"]
    assert found[0].size == 5 * 10**9


def test_a_megabyte_is_a_million_and_has_fractions(temp_workspace):
    big_file(temp_workspace / "x", 1_500_001)
    assert len(large_files(temp_workspace, 1.5, fail)) == 1
    big_file(temp_workspace / "x", 1_500_000)
    assert large_files(temp_workspace, 1.5, fail) == []


# recent


def test_recent_files_come_newest_first_and_the_moment_itself_counts(temp_workspace):
    temp_workspace.populate({"old": "", "noon": "", "sub": {"new": ""}, "also": ""})
    at(temp_workspace / "old", NOON, -1)
    at(temp_workspace / "noon", NOON)
    at(temp_workspace / "also", NOON, 1)
    at(temp_workspace / "sub" / "new", NOON + timedelta(days=9))
    found = recent_files(temp_workspace, NOON, fail)
    assert names(found, temp_workspace) == ["sub/new", "also", "noon"]


def test_a_nanosecond_that_a_float_cannot_hold_makes_the_difference(temp_workspace):
    temp_workspace.populate({"before": ""})
    at(temp_workspace / "before", NOON, -1)
    assert os.stat(temp_workspace / "before").st_mtime >= NOON.timestamp()  # the trap
    assert recent_files(temp_workspace, NOON, fail) == []


def test_one_moment_is_the_same_in_every_zone(temp_workspace, fake_env):
    temp_workspace.populate({"f": File("", mtime=NOON.timestamp())})
    for hours in (-8, 0, 9):
        zone = timezone(timedelta(hours=hours))
        fake_env.set("TZ", "Asia/Tokyo" if hours == 9 else "UTC")
        assert len(recent_files(temp_workspace, NOON.astimezone(zone), fail)) == 1
        later = NOON.astimezone(zone) + timedelta(microseconds=1)
        assert recent_files(temp_workspace, later, fail) == []


def test_a_moment_without_a_zone_is_refused(temp_workspace):
    with pytest.raises(ValueError, match="has no time zone"):
        recent_files(temp_workspace, datetime(2024, 1, 1), fail)  # noqa: DTZ001  # the subject


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(1970, 1, 1, tzinfo=timezone.utc), 0),
        (datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc), -1000),
        (datetime(2024, 3, 31, 12, 0, 0, 123457, tzinfo=timezone.utc), 1711886400123457000),
    ],
)
def test_moments_are_counted_in_whole_numbers(moment, expected):
    assert nanoseconds(moment) == expected


# the script


def run(*arguments, cwd) -> subprocess.CompletedProcess[str]:  # noqa: ANN002  # passed on
    return subprocess.run(
        [sys.executable, module.__file__, *arguments],
        cwd=cwd, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_as_a_process_it_lists_large_files(temp_workspace):
    big_file(temp_workspace / "big\nname", 3_500_000)
    at(temp_workspace / "big\nname", NOON)
    temp_workspace.populate({"small": ""})
    done = run("--larger-than", "1", cwd=temp_workspace)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "       3.5 MB  2024-03-31 12:00:00  './big\\nname'\n"


def test_as_a_process_it_lists_recent_files_that_are_large(temp_workspace):
    for name, size in {"new": 2 * MEGABYTE, "newer": 2 * MEGABYTE, "tiny": 5, "old": 10**8}.items():
        big_file(temp_workspace / name, size)
    now = datetime.now(timezone.utc)
    at(temp_workspace / "old", now - timedelta(hours=2))
    at(temp_workspace / "new", now - timedelta(minutes=10))
    done = run("--newer-than", "1.5", "--larger-than", "1", ".", cwd=temp_workspace)
    assert [line.split()[-1] for line in done.stdout.splitlines()] == ["./newer", "./new"]


def test_a_missing_root_is_status_1(temp_workspace):
    done = run("missing", cwd=temp_workspace)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "path_iteration: missing: No such file or directory\n"


@pytest.mark.parametrize("hours", ["-1", "many", "1e300", "nan"])
def test_hours_are_a_number(capsys, hours):
    with pytest.raises(SystemExit) as ended:
        main(["--newer-than", hours, str(Path.cwd())])
    assert ended.value.code == 2
    assert f"'{hours}' is no number of hours" in capsys.readouterr().err

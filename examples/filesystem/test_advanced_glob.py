"""Files are found by size, by date and by repeated names (exercise D24)."""
# ruff: noqa: ANN202  # stand-ins for functions of the os module

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

import advanced_glob as module
import pytest
from advanced_glob import by_date, by_size, files, same_names

from pytest_syskit import Fifo, File, Symlink

pytestmark = pytest.mark.posix_only
NOON = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)


def fail(error):
    raise error


def paths(found):
    return [each.path for each in found]


def aged(hours, content=""):
    return File(content, mtime=(NOON - timedelta(hours=hours)).timestamp())


@pytest.fixture
def sizes(temp_workspace):
    return temp_workspace.populate(
        {
            "ten.log": bytes(10),
            "sub": {"ten.log": bytes(10), "big.log": bytes(30), "big.txt": bytes(40)},
            "empty.log": "",
            "link.log": Symlink("sub/big.log"),
            "dir.log": {},
            "fifo.log": Fifo(),
        }
    )


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({}, ["sub/big.log", "sub/ten.log", "ten.log", "empty.log"]),
        ({"at_least": 10}, ["sub/big.log", "sub/ten.log", "ten.log"]),
        ({"at_least": 11}, ["sub/big.log"]),
        ({"at_most": 10}, ["sub/ten.log", "ten.log", "empty.log"]),
        ({"at_least": 1, "at_most": 9}, []),
        ({"at_most": 0}, ["empty.log"]),
    ],
)
@pytest.mark.signal_timeout(10)
def test_the_largest_come_first_and_bounds_belong_to_the_range(sizes, bounds, found):
    assert paths(by_size(sizes, "**/*.log", on_error=fail, **bounds)) == found


def test_sizes_are_told_and_the_pattern_is_kept(sizes):
    largest = by_size(sizes, "**", on_error=fail)[0]
    assert (largest.path, largest.size) == ("sub/big.txt", 40)


@pytest.mark.parametrize(
    ("range_", "found"),
    [
        ({}, ["now", "d/hour", "day"]),
        ({"since": NOON - timedelta(hours=1)}, ["now", "d/hour"]),
        ({"since": NOON - timedelta(minutes=59)}, ["now"]),
        ({"before": NOON}, ["d/hour", "day"]),
        ({"since": NOON - timedelta(hours=24), "before": NOON - timedelta(hours=1)}, ["day"]),
    ],
)
def test_the_newest_come_first_and_ranges_can_be_put_side_by_side(temp_workspace, range_, found):
    temp_workspace.populate({"day": aged(24), "now": aged(0), "d": {"hour": aged(1)}})
    assert paths(by_date(temp_workspace, "**", on_error=fail, **range_)) == found


def test_a_moment_is_the_same_in_every_zone(temp_workspace, fake_env):
    fake_env.set("TZ", "Asia/Tokyo")
    temp_workspace.populate({"before": aged(1), "after": aged(-1)})
    there = NOON.astimezone(timezone(timedelta(hours=-7)))
    assert paths(by_date(temp_workspace, "*", on_error=fail, since=there)) == ["after"]


@pytest.mark.parametrize("name", ["since", "before"])
def test_a_time_without_zone_is_refused(temp_workspace, name):
    with pytest.raises(ValueError, match=f"{name}=datetime.* has no time zone"):
        by_date(temp_workspace, "*", on_error=fail, **{name: NOON.replace(tzinfo=None)})


def test_names_that_occur_more_than_once_are_told_with_their_places(temp_workspace):
    temp_workspace.populate(
        {
            "x.txt": "1",
            "a": {"x.txt": "other content", "README": "", "once": ""},
            "b": {"c": {"x.txt": ""}, "readme": ""},
            "link": {"x.txt": Symlink("../x.txt"), "once": {}},
        }
    )
    twice = {"x.txt": ["a/x.txt", "b/c/x.txt", "x.txt"]}
    assert same_names(temp_workspace, "**", on_error=fail) == twice
    assert same_names(temp_workspace, "*/*", on_error=fail) == {}
    assert same_names(temp_workspace, "**", on_error=fail, ignore_case=True) == {
        "readme": ["a/README", "b/readme"],
        **twice,
    }


def test_a_file_that_vanishes_meanwhile_is_no_error(temp_workspace):
    temp_workspace.populate({"a": "", "b": "", "c": ""})
    walk = files(temp_workspace, "*", on_error=fail)
    assert next(walk).path == "a"
    (temp_workspace / "b").unlink()
    assert paths(walk) == ["c"]


def test_what_cannot_be_looked_at_is_told_and_the_rest_goes_on(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": "", "b": ""})
    lstat = os.lstat

    def refuse(path):
        if path.endswith("a"):
            raise PermissionError(13, "no", path)
        return lstat(path)

    monkeypatch.setattr(module.os, "lstat", refuse)
    errors = []
    assert paths(files(temp_workspace, "*", on_error=errors.append)) == ["b"]
    assert [os.path.basename(error.filename) for error in errors] == ["a"]


def test_a_missing_root_is_an_error_for_all(temp_workspace):
    for search in (by_size, by_date, same_names):
        with pytest.raises(FileNotFoundError, match="missing"):
            search(temp_workspace / "missing", "*", on_error=fail)

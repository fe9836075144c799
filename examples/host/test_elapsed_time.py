"""Moments come back from their timestamps, and spans are right past a minute (exercise C1)."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

import elapsed_time as module
import pytest
from elapsed_time import (
    main,
    measure,
    measure_sleep,
    moment_of,
    now,
    seconds_and_microseconds,
    timestamp_of,
    today,
)

KATHMANDU = "<+0545>-5:45"
NEW_YORK = "EST5EDT,M3.2.0,M11.1.0"
ZONES = pytest.mark.parametrize("zone", ["UTC0", KATHMANDU, NEW_YORK])


@pytest.fixture
def stand_in(fake_env):
    """Move to another time zone."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system has no time.tzset: the zone of a process cannot be changed")

    def move(zone) -> None:
        fake_env.set("TZ", zone)
        time.tzset()

    yield move
    fake_env.set("TZ", "UTC0")
    time.tzset()


@pytest.fixture(autouse=True)
def _zone_of_before() -> Iterator[None]:
    yield
    if hasattr(time, "tzset"):
        time.tzset()  # after fake_env has put TZ back, whatever it was


@ZONES
@pytest.mark.parametrize("timestamp", [0, 1, 0.000001, 1_700_000_000.123456, 4_102_444_800])
def test_a_timestamp_comes_back_in_any_zone(stand_in, zone, timestamp):
    stand_in(zone)
    moment = moment_of(timestamp)
    assert moment.tzinfo is not None
    assert timestamp_of(moment) == timestamp


def test_the_moment_is_that_of_the_place(stand_in):
    stand_in(KATHMANDU)
    assert moment_of(0).isoformat() == "1970-01-01T05:45:00+05:45"
    stand_in(NEW_YORK)
    assert moment_of(0).isoformat() == "1969-12-31T19:00:00-05:00"


def test_today_is_the_date_of_the_place(stand_in, monkeypatch):
    monkeypatch.setattr(module.time, "time", lambda: 0.0)
    stand_in(KATHMANDU)
    assert today() == date(1970, 1, 1)
    stand_in(NEW_YORK)
    assert today() == date(1969, 12, 31)


def test_the_hour_that_comes_twice_is_two_hours(stand_in):
    stand_in(NEW_YORK)
    first = 1_699_162_200  # 2023-11-05 01:30, before the clocks went back
    moments = [moment_of(first), moment_of(first + 3600)]
    assert [moment.strftime("%H:%M") for moment in moments] == ["01:30", "01:30"]
    assert [timestamp_of(moment) for moment in moments] == [first, first + 3600]


def test_now_is_between_two_looks_at_the_clock():
    before = time.time()
    assert before - 1e-6 <= timestamp_of(now()) <= time.time() + 1e-6


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="has no time zone"):
        timestamp_of(datetime(2024, 2, 29, 12))  # noqa: DTZ001  # the subject


@ZONES
def test_a_span_is_right_past_a_minute_and_in_any_zone(stand_in, zone):
    stand_in(zone)
    span = timedelta(days=2, hours=3, seconds=75, microseconds=7)
    assert seconds_and_microseconds(span) == (2 * 86400 + 3 * 3600 + 75, 7)


def test_the_lectures_way_is_wrong_past_a_minute_and_in_other_zones(stand_in):
    def wrong(seconds) -> tuple[int, int]:
        epoch = datetime.fromtimestamp(seconds)  # noqa: DTZ006  # the subject
        return epoch.hour, epoch.second

    stand_in("UTC0")
    assert wrong(75) == (0, 15)  # seconds: 15 of 75
    stand_in(KATHMANDU)
    assert wrong(1)[0] == 5  # hours: 5 of none


def test_a_sleep_is_never_shorter_than_asked_for():
    span = measure_sleep(0.05)
    assert timedelta(seconds=0.05) <= span < timedelta(seconds=5)
    seconds, microseconds = seconds_and_microseconds(span)
    assert timedelta(seconds=seconds, microseconds=microseconds) == span


def test_setting_the_clock_does_not_change_a_span(monkeypatch):
    clock = iter([1e9, 0.0, 2e9])
    monkeypatch.setattr(module.time, "time", lambda: next(clock))  # an hour with many a change
    assert timedelta() <= measure(time.time) < timedelta(seconds=5)


def test_a_span_is_what_the_monotonic_clock_says(monkeypatch):
    clock = iter([5_000_000_000, 80_000_123_000])
    monkeypatch.setattr(module.time, "monotonic_ns", lambda: next(clock))
    assert seconds_and_microseconds(measure(lambda: None)) == (75, 123)


def test_the_script_shows_a_moment_that_comes_back():
    done = subprocess.run(
        [sys.executable, module.__file__, "--sleep=0.01"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    day, timestamp, back, span = re.fullmatch(
        r"today: (.*)\ntimestamp: (.*)\nback again: (.*)\nslept (.*)\n", done.stdout
    ).groups()
    moment = datetime.fromisoformat(back)
    assert moment.date().isoformat() == day
    assert moment.astimezone(timezone.utc).timestamp() == pytest.approx(float(timestamp), abs=2e-6)
    seconds, microseconds = re.fullmatch(r"(\d+) seconds and (\d+) microseconds", span).groups()
    assert int(seconds) * 1_000_000 + int(microseconds) >= 10_000


@pytest.mark.parametrize("wrong", ["-1", "nan", "inf", "3601", "long"])
def test_a_wrong_sleep_is_status_2(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        main([f"--sleep={wrong}"])
    assert ended.value.code == 2
    assert "elapsed_time: error: " in capsys.readouterr().err

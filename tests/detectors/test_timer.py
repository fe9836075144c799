"""Interval timers that are left running; real ones, set to ring long after the test."""

from __future__ import annotations

import os
import signal

import pytest

from pytest_syskit.detectors.timer import TimerDetector
from pytest_syskit.host.signals.watchdog import StackWatchdog
from pytest_syskit.tools.signals.signal_state import signal_state
from pytest_syskit.tools.timeouts.signal_timeout import signal_timeout

LONG = 1000  # seconds, more than any run of these tests takes


@pytest.fixture(autouse=True)
def _timers():
    with signal_state():
        signal.setitimer(signal.ITIMER_REAL, 0)  # a limit of the run would be a timer of its own
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        yield


@pytest.fixture
def detector():
    return TimerDetector()


def labels(detector):
    return sorted(detector.describe(each).label for each in detector.snapshot())


def test_no_timer_is_nothing(detector):
    assert detector.unchanged(False)
    assert detector.unchanged(True)
    assert labels(detector) == []


def test_an_armed_timer_is_told_with_when_it_rings(detector):
    signal.setitimer(signal.ITIMER_REAL, LONG, 2)
    assert not detector.unchanged(False)
    (found,) = detector.snapshot()
    told = detector.describe(found)
    left = told.detail["left"]
    assert LONG - 100 < left <= LONG
    assert told.label == (
        f"timer ITIMER_REAL  rings in {left:g} s, then every 2 s (was not running)"
    )


def test_time_that_passes_is_no_change(detector):
    signal.setitimer(signal.ITIMER_REAL, LONG)
    before = detector.snapshot()
    signal.setitimer(signal.ITIMER_REAL, LONG - 1)
    assert detector.unchanged(True)
    assert detector.snapshot() == before


@pytest.mark.parametrize("name", ["ITIMER_VIRTUAL", "ITIMER_PROF"])
def test_timers_of_cpu_time_are_found(detector, name):
    signal.setitimer(getattr(signal, name), LONG)
    assert not detector.unchanged(True)
    assert detector.swapped
    (label,) = labels(detector)
    assert label.startswith(f"timer {name}  rings in ")
    signal.setitimer(getattr(signal, name), 0)
    assert not detector.unchanged(True)
    assert labels(detector) == []


def test_alarm_is_the_same_timer(detector):
    signal.alarm(LONG)
    assert len(labels(detector)) == 1
    signal.alarm(0)
    assert labels(detector) == []


def test_reclaiming_stops_it(detector):
    signal.setitimer(signal.ITIMER_REAL, LONG)
    (found,) = detector.snapshot()
    detector.reclaim(detector.describe(found))
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_timer_that_ran_before_and_was_stopped_is_told_and_stays_stopped():
    signal.setitimer(signal.ITIMER_PROF, LONG)
    detector = TimerDetector()
    signal.setitimer(signal.ITIMER_PROF, 0)
    (found,) = detector.snapshot()
    told = detector.describe(found)
    assert told.label == "timer ITIMER_PROF  not running (was running)"
    detector.reclaim(told)
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)


def test_a_time_limit_of_ours_is_not_told_and_does_not_hide_what_is_beneath(detector):
    with signal_timeout(LONG):
        assert labels(detector) == []
    signal.setitimer(signal.ITIMER_REAL, LONG)
    before = detector.snapshot()
    with signal_timeout(LONG / 2):
        assert detector.snapshot() == before


def test_a_timer_of_pytest_timeout_is_the_runners(detector):
    def handler(_number, _frame):
        """Stand for theirs."""

    handler.__module__ = "pytest_timeout"
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, LONG)
    assert labels(detector) == []


def test_a_posix_timer_is_not_seen(detector):
    with open(os.devnull, "w") as null:
        try:
            watchdog = StackWatchdog(null.fileno())
        except (OSError, NotImplementedError) as lack:
            pytest.skip(f"no POSIX timers here: {lack}")
        watchdog.arm(LONG)
        assert labels(detector) == []
        watchdog.close()

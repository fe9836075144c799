"""Limits of fractions, nested limits, and everything as it was afterwards."""

from __future__ import annotations

import signal
import time

import pytest
from timed_block import run_steps, within

from pytest_syskit import SignalTimeout

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("alarm")]


def endless() -> None:
    while True:
        time.sleep(60)


def swallower() -> None:
    """Be code that takes every exception for a reason to try again."""
    while True:
        try:
            time.sleep(60)
        except Exception:  # noqa: BLE001  # the trap
            continue


def quiet(number: int) -> bool:
    """Say whether nothing is armed, and nothing waits for delivery."""
    return signal.getitimer(signal.ITIMER_REAL) == (0, 0) and number not in signal.sigpending()


def test_in_time_the_value_comes_back():
    assert within(60, lambda: 42, -1) == 42
    assert quiet(signal.SIGALRM)


def test_a_fraction_of_a_second_is_a_limit():
    began = time.monotonic()
    assert within(0.15, endless, "too late") == "too late"
    assert 0.15 <= time.monotonic() - began < 5
    assert quiet(signal.SIGALRM)


def test_code_that_swallows_exceptions_is_ended_too():
    assert within(0.1, swallower, "too late") == "too late"


def test_a_limit_that_is_none_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        within(0, endless, None)


@pytest.mark.parametrize("function", [lambda: 1, endless])
def test_the_handler_of_before_comes_back(signal_log, function):
    with signal_log(signal.SIGALRM) as log:
        within(0.05, function, 1)
        assert len(log) == 0
        signal.raise_signal(signal.SIGALRM)
        assert log.wait(count=1)


def test_a_timer_of_before_goes_on_with_what_it_had_left(signal_log):
    with signal_log(signal.SIGALRM) as log:
        began = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.4)
        within(0.1, endless, None)
        left = signal.getitimer(signal.ITIMER_REAL)[0]
        assert 0 < left <= 0.31
        (came,) = log.wait(count=1, timeout=10)
        assert came.time - began >= 0.39


def test_an_inner_limit_ends_the_inner_block_only():
    slow, fast = run_steps([("slow", endless), ("fast", lambda: None)], each=0.1, total=60)
    assert (slow.cut_off, fast.cut_off) == (True, False)
    assert slow.seconds >= 0.1
    assert quiet(signal.SIGALRM)


def test_an_outer_limit_ends_an_inner_block_that_has_time():
    began = time.monotonic()
    with pytest.raises(SignalTimeout, match=r"all steps together took longer than 0\.2 s"):
        run_steps([("slow", endless), ("never", lambda: pytest.fail("it ran"))], each=60, total=0.2)
    assert 0.2 <= time.monotonic() - began < 5
    assert quiet(signal.SIGALRM)


def test_an_outer_limit_is_not_forgotten_over_many_inner_ones():
    with pytest.raises(SignalTimeout, match="all steps together"):
        run_steps([(str(n), endless) for n in range(100)], each=0.05, total=0.3)


def test_a_value_that_comes_just_in_time_is_never_hit_behind_the_block():
    for _ in range(200):
        value = within(0.002, lambda: time.sleep(0.002), "too late")
        assert value in (None, "too late")
        assert quiet(signal.SIGALRM)

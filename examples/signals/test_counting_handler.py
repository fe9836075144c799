"""Signals are counted, heard and sent by a timer; afterwards all is as before (exercise A17)."""
# ruff: noqa: ANN202  # what is run in children returns what the test compares

from __future__ import annotations

import os
import signal
import sys
import time

import counting_handler as module
import pytest
from counting_handler import counting, handled, main, shutdown_flag, ticking

from pytest_syskit import Returned

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("alarm")]


def test_every_delivery_is_counted():
    with counting(signal.SIGUSR1, signal.SIGUSR2) as counter:
        for _ in range(1000):
            signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR2)
    assert counter.count() == 1001
    assert counter.count(signal.SIGUSR2) == 1


def test_a_handler_that_is_interrupted_by_itself_loses_nothing():
    with counting(signal.SIGUSR1) as counter:
        depth = 200

        def nested(number, frame):
            nonlocal depth
            depth -= 1
            if depth:
                signal.raise_signal(number)
            counter(number, frame)

        with handled(signal.SIGUSR1, nested):
            signal.raise_signal(signal.SIGUSR1)
    assert counter.count() == 200


def test_the_previous_handler_comes_back_after_an_error_too(signal_log):
    with signal_log(signal.SIGUSR1) as log:
        with pytest.raises(ZeroDivisionError), counting(signal.SIGUSR1):
            _ = 1 / 0
        signal.raise_signal(signal.SIGUSR1)
        assert log.count() == 1


def test_a_wish_to_stop_is_a_flag():
    with shutdown_flag(signal.SIGUSR1) as stop:
        assert not stop
        assert not stop.wait(0)
        signal.raise_signal(signal.SIGUSR1)
        assert stop
        assert stop.wait(0)
        assert stop.signal == signal.SIGUSR1


def test_the_first_signal_is_the_one_told():
    with shutdown_flag(signal.SIGUSR1, signal.SIGUSR2) as stop:
        signal.raise_signal(signal.SIGUSR2)
        signal.raise_signal(signal.SIGUSR1)
    assert stop.signal == signal.SIGUSR2


@pytest.mark.signal_timeout(30)
def test_more_wishes_than_a_pipe_holds_block_nobody():
    with shutdown_flag(signal.SIGUSR1) as stop:
        for _ in range(70_000):  # a pipe holds 65,536 bytes
            signal.raise_signal(signal.SIGUSR1)
        assert stop.wait(0)


def _wait_for_the_parent(ready):
    with shutdown_flag() as stop:
        os.write(ready, b"r")
        return stop.wait(30), stop.signal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_waiting_at_once(fork_runner, pipe_pair, number):
    with (
        pipe_pair.writer.inheritable() as ready,
        fork_runner.start(_wait_for_the_parent, ready) as child,
    ):
        pipe_pair.reader.read_exactly(1)
        child.send_signal(number)
        result = child.wait()
    assert result == Returned((True, number))
    assert result.duration < 20


def test_the_flag_leaves_nothing_open(leak_check):
    with leak_check(), pytest.raises(ZeroDivisionError), shutdown_flag():
        _ = 1 / 0


def test_the_timer_ticks_until_the_end_of_the_block():
    with ticking(0.001) as ticks:
        deadline = time.monotonic() + 10
        while ticks.count() < 5 and time.monotonic() < deadline:
            signal.sigtimedwait([], 0.001)
    assert ticks.count() >= 5
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_no_interval_is_no_timer(seconds):
    with pytest.raises(ValueError, match="more than 0 is expected"), ticking(seconds):
        pytest.fail("it ticks")


def test_a_timer_that_ran_before_goes_on(signal_log):
    with signal_log(signal.SIGALRM) as log:
        signal.setitimer(signal.ITIMER_REAL, 60, 7)
        with ticking(0.001):
            pass
        left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
        assert 50 < left <= 60
        assert interval == 7
        assert log.count() == 0


def test_a_timer_that_came_due_meanwhile_fires_afterwards(signal_log):
    with signal_log(signal.SIGALRM) as log:
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        with ticking(10):
            time.sleep(0.002)
        log.wait(count=1, timeout=10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_script_ticks_and_stops_cleanly(process_factory, number):
    program = process_factory([sys.executable, module.__file__, "--interval", "0.01"])
    program.expect(r"tick \d+\n")  # not one number: of ticks that come together the last is told
    program.send_signal(number)
    assert program.wait() == 0
    assert f"stopped by {number.name} after " in program.stdout
    assert program.stderr == ""


def test_a_wrong_interval_is_status_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--interval", "0"])
    assert ended.value.code == 2
    assert "more than 0 is expected" in capsys.readouterr().err

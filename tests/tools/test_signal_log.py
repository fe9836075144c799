from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from pytest_syskit.tools.signals.signal_log import Delivery, signal_log

SOON = 0.05  # seconds: long enough to be a wait, short enough not to be felt
LATEST = 30  # seconds: for a child to start on a busy machine
USR1, USR2, HUP = signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP


@pytest.fixture(autouse=True)
def same_handlers_after_as_before():
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    yield
    assert {number: signal.getsignal(number) for number in signal.valid_signals()} == before


def test_deliveries_are_recorded_in_order_with_their_times():
    begun = time.monotonic()
    with signal_log(USR1, USR2) as log:
        for number in (USR1, USR2, USR1):
            signal.raise_signal(number)
    assert [one.signal for one in log] == [USR1, USR2, USR1]
    times = [one.time for one in log.records]
    assert begun <= times[0] <= times[1] <= times[2] <= time.monotonic()
    assert isinstance(log.records[0], Delivery)
    assert log.records[0].signal.name == "SIGUSR1"
    assert (log.count(USR1), log.count("SIGUSR2"), log.count(), len(log)) == (2, 1, 3, 3)


def test_a_signal_from_before_the_wait_counts():
    with signal_log(USR1) as log:
        signal.raise_signal(USR1)
        assert log.wait(timeout=0) == log.records


def test_a_wait_ends_when_the_signal_comes():
    with signal_log(USR1) as log:
        sender = threading.Timer(SOON, os.kill, [os.getpid(), USR1])
        sender.start()
        try:
            (came,) = log.wait(timeout=LATEST)
        finally:
            sender.join()
    assert came.signal is USR1


def test_a_wait_ends_when_another_thread_takes_the_signal():
    release = threading.Event()

    def raise_here():
        signal.pthread_kill(threading.get_ident(), USR1)
        release.wait(LATEST)  # the main thread must notice while this one lives on

    with signal_log(USR1) as log:
        thread = threading.Thread(target=raise_here)
        thread.start()
        try:
            assert log.wait(timeout=LATEST)[0].signal is USR1
        finally:
            release.set()
            thread.join()


def test_a_child_can_be_waited_for():
    text = "import os, signal; os.kill(os.getppid(), signal.SIGUSR2)"
    with signal_log(USR2, timeout=LATEST) as log:
        child = subprocess.Popen([sys.executable, "-I", "-S", "-c", text])
        try:
            log.wait()
        finally:
            assert child.wait() == 0


def test_a_wait_gives_the_first_of_them():
    with signal_log(USR1, USR2) as log:
        for number in (USR1, USR2, USR1):
            signal.raise_signal(number)
        assert [one.signal for one in log.wait(count=2)] == [USR1, USR2]
        assert [one.signal for one in log.wait(count=2, signal=USR1)] == [USR1, USR1]


def test_a_wait_in_vain_says_what_came_and_when():
    with signal_log(USR1, USR2) as log:
        signal.raise_signal(USR1)
        with pytest.raises(
            TimeoutError,
            match=r"^signal_log waited 0\.05 s for 2 deliveries of SIGUSR1 or SIGUSR2; "
            r"1 came: SIGUSR1 after 0\.\d{3} s$",
        ):
            log.wait(count=2, timeout=SOON)


def test_a_wait_in_vain_says_that_none_came():
    expected = r"waited 0\.05 s for 1 delivery of SIGUSR1; none came$"
    with signal_log(USR1, timeout=SOON) as log, pytest.raises(TimeoutError, match=expected):
        log.wait()


def test_a_long_list_of_deliveries_is_cut():
    with signal_log(USR1) as log:
        for _ in range(13):
            signal.raise_signal(USR1)
        with pytest.raises(TimeoutError, match=r"13 came: SIGUSR1 .* s, 3 more$"):
            log.wait(count=14, timeout=0)


def test_a_blocked_signal_is_given_as_the_reason():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [USR1])
    try:
        with signal_log(USR1) as log:
            signal.raise_signal(USR1)
            with pytest.raises(
                TimeoutError, match=r"none came; SIGUSR1 is blocked in this thread$"
            ):
                log.wait(timeout=0)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            log.wait(timeout=0)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_a_foreign_handler_is_given_as_the_reason():
    with signal_log(USR1) as log:
        signal.signal(USR1, signal.SIG_IGN)
        with pytest.raises(TimeoutError, match=r"SIGUSR1 has another handler by now: .*SIG_IGN"):
            log.wait(timeout=0)


def test_handlers_are_restored_even_if_the_block_fails():
    def own(*_):
        pass

    before = signal.signal(USR1, own)
    try:
        with pytest.raises(RuntimeError, match="oops"), signal_log(USR1, USR2):
            raise RuntimeError("oops")
        assert signal.getsignal(USR1) is own
    finally:
        signal.signal(USR1, before)


def test_logs_nest():
    with signal_log(USR1) as outer:
        with signal_log(USR1, USR2) as inner:
            signal.raise_signal(USR1)
        signal.raise_signal(USR1)
    assert (len(outer), len(inner)) == (1, 1)


@pytest.mark.parametrize(("chain", "calls"), [(False, []), (True, [USR1])])
def test_the_handler_of_before_is_called_only_when_asked(chain, calls):
    seen = []
    before = signal.signal(USR1, lambda number, _frame: seen.append(number))
    try:
        with signal_log(USR1, chain=chain) as log:
            signal.raise_signal(USR1)
        assert len(log) == 1
    finally:
        signal.signal(USR1, before)
    assert seen == calls


def test_a_chain_stops_at_the_default_action():
    with signal_log(USR1, chain=True) as log:  # the default action would end this process
        signal.raise_signal(USR1)
    assert len(log) == 1


def test_clear_forgets():
    with signal_log(USR1) as log:
        signal.raise_signal(USR1)
        log.clear()
        assert log.records == ()
        signal.raise_signal(USR1)
        assert len(log.wait()) == 1


def test_a_storm_of_signals_breaks_nothing():
    with signal_log(signal.SIGALRM, USR1) as log:
        signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
        try:
            for _ in range(500):
                signal.raise_signal(USR1)
            log.wait(count=20, signal=signal.SIGALRM, timeout=LATEST)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    assert log.count(USR1) == 500
    times = [one.time for one in log.records]
    assert times == sorted(times)


def test_a_frozen_clock_does_not_stop_the_limit(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with signal_log(USR1) as log, pytest.raises(TimeoutError, match="none came"):
        log.wait(timeout=SOON)


def test_real_time_signals_have_names():
    number = signal.SIGRTMIN + 3
    with signal_log(number) as log:
        signal.raise_signal(number)
        assert [one.signal for one in log] == [number]
        with pytest.raises(TimeoutError, match=r"2 deliveries of SIGRTMIN\+3; 1 came: SIGRTMIN\+3"):
            log.wait(count=2, timeout=0)


def test_a_signal_can_be_given_by_name_and_number_and_twice():
    with signal_log("SIGUSR1", int(USR2), USR1) as log:
        assert log.signals == (USR1, USR2)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP, "SIGKILL"])
def test_what_cannot_be_caught_is_refused_with_the_reason(number):
    expected = r"SIG(KILL|STOP) cannot be caught: the kernel acts on it"
    with pytest.raises(ValueError, match=expected), signal_log(USR1, number):
        raise AssertionError("the block was entered")


@pytest.mark.parametrize("number", [0, -1, 999, "SIGSPAM", "USR1"])
def test_an_unknown_signal_is_named(number):
    expected = f"^{number!r} is no signal of this system"
    with pytest.raises(ValueError, match=expected), signal_log(number):
        raise AssertionError("the block was entered")


@pytest.mark.parametrize("value", [None, 1.5, True, [USR1]])
def test_a_signal_is_a_number_or_a_name(value):
    with pytest.raises(TypeError, match=r"is no signal: give signal\.SIGUSR1"), signal_log(value):
        raise AssertionError("the block was entered")


def test_nothing_to_record_is_an_error():
    with pytest.raises(TypeError, match="needs the signals to record"), signal_log():
        raise AssertionError("the block was entered")


def test_a_count_is_not_a_signal():
    with signal_log(USR1) as log:
        with pytest.raises(TypeError, match=r"is a signal: write wait\(signal=signal\.SIGUSR1\)$"):
            log.wait(USR1)
        with pytest.raises(ValueError, match="count=0: at least 1 delivery"):
            log.wait(0)
        with pytest.raises(TypeError, match="count='2': a whole number"):
            log.wait("2")
        with pytest.raises(ValueError, match="timeout=-1: seconds from 0 up"):
            log.wait(timeout=-1)
        with pytest.raises(ValueError, match="SIGUSR2 is not recorded here; SIGUSR1 is"):
            log.count(USR2)


def test_only_the_main_thread_may_record():
    caught = []

    def enter():
        try:
            with signal_log(USR1):
                pass
        except RuntimeError as error:
            caught.append(str(error))

    thread = threading.Thread(target=enter, name="side")
    thread.start()
    thread.join()
    assert "".join(caught) == (
        "signal_log() works in the main thread only, and this is thread 'side': Python sets and "
        "runs signal handlers in the main thread; enter it there"
    )

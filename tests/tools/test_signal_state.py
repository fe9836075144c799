from __future__ import annotations

import faulthandler
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import pytest

from pytest_syskit.host.signals import interval_timers
from pytest_syskit.host.signals.dispositions import read_disposition
from pytest_syskit.tools.signals.signal_state import SignalState, signal_state

USR1, USR2, ALRM = signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM


def own(*_):
    """Stand for a handler of the test."""


def caught_by_kernel(number):
    """Ask the kernel, not Python, whether a signal has a handler."""
    with open("/proc/self/status") as status:
        mask = next(line.split()[1] for line in status if line.startswith("SigCgt:"))
    return bool(int(mask, 16) >> (number - 1) & 1)


def run(text):
    """Run code in an interpreter of its own: it plays with what the session needs."""
    code = f"import sys; sys.path[:] = {sys.path!r}\n" + text
    child = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, timeout=60, check=False
    )
    assert child.stderr == b""
    assert child.returncode == 0
    return child.stdout.decode()


def test_handlers_come_back():
    before = signal.signal(USR1, own)
    try:
        with signal_state() as state:
            signal.signal(USR1, signal.SIG_IGN)
            signal.signal(USR2, own)
            assert state.handler(USR1) is own
        assert signal.getsignal(USR1) is own
        assert signal.getsignal(USR2) is signal.SIG_DFL
        assert not caught_by_kernel(USR2)
    finally:
        signal.signal(USR1, before)


def test_they_come_back_when_the_block_fails():
    with pytest.raises(RuntimeError, match="oops"), signal_state():
        signal.signal(USR1, own)
        raise RuntimeError("oops")
    assert signal.getsignal(USR1) is signal.SIG_DFL


def test_a_handler_from_c_survives_untouched():
    with tempfile.TemporaryFile() as log:
        faulthandler.register(USR1, file=log, all_threads=False)
        try:
            with signal_state():
                pass
            assert caught_by_kernel(USR1)
            os.kill(os.getpid(), USR1)
            assert log.seek(0, 2) > 0  # it wrote the stack
        finally:
            faulthandler.unregister(USR1)


def test_a_handler_from_c_comes_back_when_the_block_replaced_it():
    with tempfile.TemporaryFile() as log:
        faulthandler.register(USR1, file=log, all_threads=False)
        try:
            with signal_state():
                signal.signal(USR1, own)
            assert caught_by_kernel(USR1)  # else the next line would end the session
            os.kill(os.getpid(), USR1)
            assert log.seek(0, 2) > 0
        finally:
            faulthandler.unregister(USR1)


def test_a_handler_from_c_comes_back_after_python_put_the_default_there():
    with tempfile.TemporaryFile() as log:
        faulthandler.register(USR1, file=log, all_threads=False)
        try:
            with signal_state():
                signal.signal(USR1, signal.signal(USR1, own))  # Python's view is as before
                assert not caught_by_kernel(USR1)
            assert caught_by_kernel(USR1)
        finally:
            faulthandler.unregister(USR1)


def test_a_handler_that_c_code_installs_in_the_block_stays():
    with tempfile.TemporaryFile() as log:
        try:
            with signal_state():
                faulthandler.register(USR1, file=log)
            assert caught_by_kernel(USR1)
        finally:
            faulthandler.unregister(USR1)


def test_a_handler_that_python_never_knew_is_left_alone():
    # A handler that is there before the signal module starts makes getsignal() return None.
    text = (
        "import ctypes, _signal\n"
        "libc = ctypes.CDLL(None)\n"
        "import signal\n"
        "from unittest import mock\n"
        "real_getsignal = signal.getsignal\n"
        "unknown = lambda number: None if number == signal.SIGUSR1 else real_getsignal(number)\n"
        "from pytest_syskit.tools.signals.signal_state import signal_state\n"
        "with mock.patch.object(signal, 'getsignal', unknown):\n"
        "    with signal_state() as state: pass\n"
        "    print(state.handler(signal.SIGUSR1))"
    )
    assert run(text) == "None\n"


def flags(number):
    """Read sa_flags where 64-bit Linux has it: behind the function and 128 bytes of mask."""
    return read_disposition(number).native[136:140]


def test_interrupted_calls_behave_as_before():
    before = signal.signal(USR1, own)  # siginterrupt(3) is a flag that Python does not show
    try:
        interrupting = flags(USR1)
        with signal_state():
            signal.siginterrupt(USR1, False)
            assert flags(USR1) != interrupting
        assert flags(USR1) == interrupting
    finally:
        signal.signal(USR1, before)


def test_the_mask_comes_back():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [USR2])
    try:
        with signal_state():
            signal.pthread_sigmask(signal.SIG_SETMASK, [USR1])
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before | {USR2}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_a_signal_that_still_waits_is_thrown_away():
    text = (
        "import os, signal\n"
        "from pytest_syskit.tools.signals.signal_state import signal_state\n"
        "with signal_state():\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGRTMIN])\n"
        "    os.kill(os.getpid(), signal.SIGUSR1)\n"
        "    for _ in range(3): os.kill(os.getpid(), signal.SIGRTMIN)  # these queue\n"
        "print(signal.sigpending(), signal.getsignal(signal.SIGUSR1).name)"
    )
    assert run(text) == "set() SIG_DFL\n"


def test_a_signal_that_waited_before_waits_on():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [USR1])
    try:
        signal.raise_signal(USR1)  # to this thread: another one would not hold it back
        with signal_state():
            pass
        assert USR1 in signal.sigpending()
    finally:
        signal.sigwait([USR1])
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def test_the_wakeup_fd_comes_back():
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        right.setblocking(False)
        before = signal.set_wakeup_fd(left.fileno())
        try:
            with signal_state() as state:
                assert state.wakeup_fd == left.fileno()
                signal.set_wakeup_fd(right.fileno())
            assert signal.set_wakeup_fd(left.fileno()) == left.fileno()
        finally:
            signal.set_wakeup_fd(before)


def test_a_wakeup_fd_that_was_closed_meanwhile_becomes_none():
    left, right = socket.socketpair()
    left.setblocking(False)
    before = signal.set_wakeup_fd(left.fileno())
    try:
        with right, signal_state():
            left.close()
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.set_wakeup_fd(before)


def test_a_wakeup_fd_of_the_block_goes():
    left, right = socket.socketpair()
    with left, right:
        left.setblocking(False)
        with signal_state():
            signal.set_wakeup_fd(left.fileno())
        assert signal.set_wakeup_fd(-1) == -1


@pytest.fixture
def alarm_handler():
    seen = []
    before = signal.signal(ALRM, lambda *_: seen.append(time.monotonic()))
    timer = signal.getitimer(signal.ITIMER_REAL)
    yield seen
    signal.setitimer(signal.ITIMER_REAL, *timer)
    signal.signal(ALRM, before)


def test_a_timer_of_the_block_never_rings_afterwards(alarm_handler):
    signal.setitimer(signal.ITIMER_REAL, 0)
    with signal_state():
        signal.signal(ALRM, own)
        signal.setitimer(signal.ITIMER_REAL, 60, 1)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_timer_from_before_goes_on_with_the_time_it_has_left(alarm_handler):
    signal.setitimer(signal.ITIMER_REAL, 60, 7)
    with signal_state():
        signal.setitimer(signal.ITIMER_REAL, 1000)
        until = time.monotonic() + 0.2
        while time.monotonic() < until:
            pass
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert interval == 7
    assert 30 < left <= 59.8


def test_a_timer_that_nobody_touched_is_not_set_anew(alarm_handler, monkeypatch):
    signal.setitimer(signal.ITIMER_REAL, 60)
    calls = []
    monkeypatch.setattr(interval_timers.real, "setitimer", lambda *a: calls.append(a))
    with signal_state():
        pass
    assert calls == []


def test_a_timer_that_should_have_rung_rings_at_once(alarm_handler):
    ten_seconds_ago = interval_timers.real.monotonic() - 10
    saved = interval_timers.IntervalTimer(signal.ITIMER_REAL, 0.5, 0.0, ten_seconds_ago)
    signal.setitimer(signal.ITIMER_REAL, 1000)  # the kernel has forgotten the one of before
    due = interval_timers.stop_if_changed(saved)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    interval_timers.start_again(saved, due)
    until = time.monotonic() + 30
    while not alarm_handler and time.monotonic() < until:
        pass
    assert len(alarm_handler) == 1


@pytest.mark.parametrize(
    ("left", "interval", "elapsed", "expected"),
    [
        (3, 0, 1, 2),
        (3, 0, 4, 0),
        (0, 0, 4, 0),
        (3, 7, 1, 2),
        (3, 7, 5, 5),
        (3, 7, 12, 5),
        (0, 7, 1, 0),
    ],
)
def test_a_timer_is_expected_where_its_clock_has_brought_it(left, interval, elapsed, expected):
    saved = interval_timers.IntervalTimer(signal.ITIMER_REAL, left, interval, 100)
    assert saved.expected(100 + elapsed) == expected


def test_cpu_timers_come_back(alarm_handler):
    before = signal.setitimer(signal.ITIMER_PROF, 500)
    try:
        with signal_state():
            signal.setitimer(signal.ITIMER_PROF, 0)
        assert 300 < signal.getitimer(signal.ITIMER_PROF)[0] < 501  # rounded up to a tick
    finally:
        signal.setitimer(signal.ITIMER_PROF, *before)


def test_a_state_can_be_read_and_restored_by_hand():
    state = SignalState.read()
    signal.signal(USR1, own)
    state.restore()
    assert signal.getsignal(USR1) is signal.SIG_DFL


def test_a_signal_without_handler_is_named():
    with pytest.raises(KeyError, match="SIGKILL cannot be caught"):
        SignalState.read().handler(signal.SIGKILL)


def test_only_the_main_thread_may_restore():
    caught = []

    def enter():
        try:
            with signal_state():
                pass
        except RuntimeError as error:
            caught.append(str(error))

    thread = threading.Thread(target=enter, name="side")
    thread.start()
    thread.join()
    assert len(caught) == 1
    assert caught[0].startswith("signal_state() works in the main thread only, and this is thread")

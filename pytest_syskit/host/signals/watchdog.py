"""Stacks from outside of Python: for the moment when no Python code can run.

A C function that keeps the interpreter lock also keeps every Python signal handler and every Python
thread waiting.  The kernel still delivers signals, and faulthandler's handler is C:

    timer_create ──(limit + grace)──▶ real-time signal ──▶ faulthandler writes all stacks to a file

A POSIX timer of our own costs about 1 µs to set and leaves ``faulthandler.dump_traceback_later``,
of which a process has just one, to whoever uses it (pytest's ``faulthandler_timeout``).
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal

from .. import libc
from ..real import real

_CLOCK_MONOTONIC = 1  # time.h on Linux
_SIGEV_SIGNAL = 0  # signal.h on Linux
_FROM_THE_TOP = 3  # SIGRTMAX-3: real-time signals that programs use begin at SIGRTMIN


class _SignalEvent(ctypes.Structure):
    """``struct sigevent`` of Linux: 64 bytes, of which three fields matter here."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("padding", ctypes.c_char * 48),
    )


class _TimerSpec(ctypes.Structure):
    """``struct itimerspec``: interval and first expiry as seconds and nanoseconds."""

    _fields_ = (
        ("interval", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


class StackWatchdog:
    """Writes the stacks of all threads to a descriptor when it is not disarmed in time.

    A forked child starts without it: the kernel does not copy POSIX timers.

    Args:
        fd: an open descriptor, which must stay open; usually the true standard error.

    Raises:
        OSError, NotImplementedError: this platform has no POSIX timers (macOS, Windows).
    """

    def __init__(self, fd: int) -> None:
        self._owner = real.getpid()
        self._due = 0.0
        self._spec = _TimerSpec()
        self._settime, self._timer = _create_timer(self.signal_number())
        faulthandler.register(self.signal_number(), file=fd, all_threads=True, chain=False)

    @staticmethod
    def signal_number() -> int:
        """Return the real-time signal that carries the request."""
        if not hasattr(signal, "SIGRTMAX") or not hasattr(faulthandler, "register"):
            raise NotImplementedError("no real-time signals here")
        return int(signal.SIGRTMAX) - _FROM_THE_TOP

    def arm(self, seconds: float) -> None:
        """Write the stacks once, ``seconds`` from now, unless armed anew or disarmed before."""
        self._due = real.monotonic() + seconds
        whole = int(seconds)
        self._spec.seconds = whole
        # at least one nanosecond: all zero would disarm
        self._spec.nanoseconds = max(1, int((seconds - whole) * 1e9))
        self._set()

    def cover(self, seconds: float) -> None:
        """Write the stacks ``seconds`` from now or somewhat later, at most half as late again.

        Moments that follow each other closely, such as the phases of a test, share one arming.
        """
        now = real.monotonic()
        if not now + seconds <= self._due <= now + seconds * 1.5:
            self.arm(seconds * 1.5)

    def disarm(self) -> None:
        """Write nothing."""
        self._due = 0.0
        self._spec.seconds = self._spec.nanoseconds = 0
        self._set()

    def _set(self) -> None:
        if self._owner == real.getpid():  # the timer's number means nothing in a forked child
            self._settime(self._timer, 0, self._spec, None)

    def close(self) -> None:
        """Give timer and signal back."""
        self.disarm()
        if self._owner == real.getpid():
            libc.library().timer_delete(self._timer)
        faulthandler.unregister(self.signal_number())


def _create_timer(number: int) -> tuple[ctypes._NamedFuncPointer, ctypes.c_void_p]:
    library = libc.library()
    try:
        create, settime = library.timer_create, library.timer_settime
    except AttributeError as error:  # macOS; Linux before glibc 2.34 keeps them in librt
        raise NotImplementedError(f"no POSIX timers in the C library: {error}") from None
    event = _SignalEvent(signo=number, notify=_SIGEV_SIGNAL)
    timer = ctypes.c_void_p()
    if create(_CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)) != 0:
        error_number = ctypes.get_errno()
        raise OSError(error_number, f"timer_create: {os.strerror(error_number)}")
    settime.argtypes = (
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.POINTER(_TimerSpec),
        ctypes.c_void_p,
    )
    return settime, timer

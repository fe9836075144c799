"""Interval timers, their signals, and the clocks they run on.

``signal.signal`` wraps the C function in an enum conversion that costs twenty times the call itself
(10 µs on Python 3.11), so the C functions are bound where they can be had.  They take and give
plain integers for SIG_DFL and SIG_IGN, which compare equal to the enum's members.
"""

from __future__ import annotations

import functools
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any

from ..real import real

# What a handler may be: a function, SIG_DFL or SIG_IGN as a number, None for one set from C.
Handler = Callable[[int, FrameType | None], Any] | int | None

_C = sys.modules.get("_signal", signal)


class raw:  # noqa: N801  # reads as an adjective: raw.set_handler()
    """The C functions; a class, so that no fake reaches them (see ``real``)."""

    set_handler = staticmethod(_C.signal)
    get_handler = staticmethod(_C.getsignal)
    mask = staticmethod(getattr(_C, "pthread_sigmask", lambda _how, _signals: ()))


@dataclass(frozen=True, slots=True)
class TimerClock:
    """A kernel timer, the signal it sends, and the clock that tells how far it is.

    ``real`` is ITIMER_REAL: it follows CLOCK_MONOTONIC and sends SIGALRM (setitimer(2)).
    ``cpu`` is ITIMER_PROF: it counts user and system time of all threads and sends SIGPROF.
    ITIMER_VIRTUAL would leave out the time in system calls, where test code spends much of it.
    """

    name: str
    timer: int
    number: int
    now: Callable[[], float]

    @property
    def signal_name(self) -> str:
        """The signal as people write it."""
        return signal.Signals(self.number).name


CLOCK_NAMES = ("real", "cpu")


@functools.cache
def timer_clock(name: str) -> TimerClock:
    """Return the clock of that name.

    Raises:
        NotImplementedError: this platform has no interval timers.
    """
    if not hasattr(signal, "setitimer"):
        raise NotImplementedError(f"{sys.platform} has no interval timers (signal.setitimer)")
    if name == "cpu":
        return TimerClock(name, signal.ITIMER_PROF, signal.SIGPROF, time.process_time)
    return TimerClock(name, signal.ITIMER_REAL, signal.SIGALRM, real.monotonic)


# Numbers rather than enums, which the C function would have to convert each time.
BLOCK = int(getattr(signal, "SIG_BLOCK", 0))


def blocked(number: int) -> bool:
    """Say whether this thread blocks a signal."""
    return number in raw.mask(BLOCK, ())


def unblock(number: int) -> None:
    """Let a signal through to this thread."""
    raw.mask(signal.SIG_UNBLOCK, (number,))


def block(number: int) -> None:
    """Hold a signal back from this thread."""
    raw.mask(BLOCK, (number,))


def discard_pending(number: int) -> None:
    """Throw away a signal that waits behind the mask; the handler becomes SIG_IGN.

    POSIX: setting SIG_IGN discards what is pending (sigaction(2)), on every system alike.
    """
    raw.set_handler(number, int(signal.SIG_IGN))  # the C function knows no enum

"""All three interval timers of the process, read and set going again where they would be by now."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from ..real import real

# A timer that nobody touched is read back this close to where it was expected (seconds): the two
# clocks are read one after the other, and CPU clocks may tick a hundred times a second only.
_SAME = 0.05
_TRIES = 10  # of readings that belong together; a machine too busy for ten costs some precision
_AT_ONCE = 0.001  # seconds; setitimer(2) takes 0 for "never"


@dataclass(frozen=True, slots=True)
class IntervalTimer:
    """One timer as it was at a moment: seconds left, period, and the time on its own clock."""

    which: int
    left: float
    interval: float
    read_at: float

    def expected(self, now: float) -> float:
        """Return the seconds left at ``now`` had nobody touched it; 0 when it has run out."""
        left = self.left - (now - self.read_at)
        if not self.left or (left <= 0 and not self.interval):
            return 0.0
        return left if left > 0 else self.interval - (-left % self.interval)


def read_timers() -> list[IntervalTimer]:
    """Read every interval timer; none on systems without them."""
    return [_read(which) for which in _kinds()]


def stop_if_changed(saved: IntervalTimer) -> float:
    """Stop a timer that was set anew since ``saved`` was read.

    Returns:
        The seconds after which ``saved`` should ring from now on; 0 when there is nothing to do:
        nobody touched it, or it was not running.  One that should have rung meanwhile, and was
        replaced, is due at once.  One that was merely stopped cannot be told from one that has
        rung, and stays silent.
    """
    now = _read(saved.which)
    expected = saved.expected(now.read_at)
    if now.interval == saved.interval and abs(now.left - expected) < _SAME:
        return 0.0
    real.setitimer(saved.which, 0, 0)
    return expected or (_AT_ONCE if saved.left and now.left else 0.0)


def start_again(saved: IntervalTimer, seconds: float) -> None:
    """Let a timer ring after ``seconds``, and go on with its period."""
    real.setitimer(saved.which, seconds, saved.interval)


def _kinds() -> list[int]:
    names = ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF")
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _read(which: int) -> IntervalTimer:
    for _ in range(_TRIES):
        before = _clock(which)
        left, interval = real.getitimer(which)
        now = _clock(which)
        if now - before < _SAME / 10:
            break  # else the machine was busy elsewhere between the readings
    return IntervalTimer(which, left, interval, now)


def _clock(which: int) -> float:
    """Return the time on the clock a timer runs on (setitimer(2))."""
    if which == signal.ITIMER_REAL:
        return real.monotonic()
    times = os.times()
    return times.user + (times.system if which == signal.ITIMER_PROF else 0.0)

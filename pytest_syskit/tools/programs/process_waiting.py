"""Waiting for a program in short turns, within a limit."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_syskit.host.real import real

_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.02  # seconds: quick answers at first, little load later


def turns(seconds: float) -> Iterator[None]:
    """Yield at once, then again after growing pauses, and a last time when the limit is reached."""
    deadline = real.monotonic() + seconds
    pause = _FIRST_PAUSE
    while True:
        yield
        left = deadline - real.monotonic()
        if left <= 0:
            return
        real.sleep(min(pause, left))
        pause = min(2 * pause, _LONGEST_PAUSE)


def checked_seconds(name: str, value: float) -> float:
    """Return a limit that is a number of seconds, zero or more.

    Raises:
        TypeError: not a number; ``None`` is none either, for every wait has a limit.
        ValueError: negative, infinite or not-a-number.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, got {value!r}")
    if not 0 <= value < math.inf:
        raise ValueError(f"{name} must be a finite number of seconds, 0 or more, got {value!r}")
    return float(value)

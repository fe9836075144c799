"""A moment until which something may take, on a clock that no test can freeze."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...host.real import real


@dataclass(frozen=True, slots=True)
class Deadline:
    """So many seconds from the moment it was made."""

    seconds: float
    ends: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Begin now."""
        return cls(seconds, real.monotonic() + seconds)

    def left(self) -> float:
        """Return the seconds left, never below 0."""
        return max(0.0, self.ends - real.monotonic())

    def over(self) -> bool:
        """Say whether the time is up."""
        return real.monotonic() >= self.ends


def checked_seconds(value: object, name: str = "timeout") -> float:
    """Return a time limit as a float.

    Raises:
        TypeError: it is no number.
        ValueError: it is negative, infinite or not a number: nothing here waits for ever.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}={value!r}: a number of seconds is expected")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name}={value!r}: seconds from 0 up are expected, and they must end")
    return float(value)

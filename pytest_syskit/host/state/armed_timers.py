"""The interval timers of setitimer(2) that are running."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

from ..real import real

_C_SIGNALS = {"ITIMER_REAL": "SIGALRM", "ITIMER_VIRTUAL": "SIGVTALRM", "ITIMER_PROF": "SIGPROF"}

_OFF = (0.0, 0.0)  # seconds left and period of a timer that does not run

Beneath = Callable[[Any, float, float], "float | None"]


def _as_read(_handler: Any, left: float, period: float) -> float | None:
    return period if left > 0 else None


class ArmedTimers:
    """The running timers by name; a timer's value is its period in seconds, 0.0 for none.

    How much time is left is no value: it changes by itself.

    Args:
        beneath: returns, for the handler of a timer's signal, the seconds left and the period, the
            period of the timer without those that the test runner has set; ``None`` if none ran.
    """

    def __init__(self, beneath: Beneath = _as_read) -> None:
        self._beneath = beneath
        names = [name for name in _C_SIGNALS if hasattr(signal, name)]
        self._timers = {name: int(getattr(signal, name)) for name in names}
        self._others = list(self._timers.values())
        self._first = self._others.pop(0) if self._others else None
        self._known: list[tuple[bool, float]] = []
        self._idle = False

    def names(self) -> list[str]:
        """Return the names of the timers that this system has."""
        return list(self._timers)

    def stands(self, closely: bool) -> bool:
        """Say whether the same timers run; those of CPU time are asked in close looks only."""
        if not self._idle:
            return self._raw() == self._known
        read = real.getitimer
        if self._first is not None and read(self._first) != _OFF:
            return False
        return not closely or all([read(each) == _OFF for each in self._others])

    def _raw(self) -> list[tuple[bool, float]]:
        return [(left > 0, period) for left, period in map(real.getitimer, self._timers.values())]

    def read(self) -> dict[str, float | None]:
        """Return the period of each timer, ``None`` for one that does not run."""
        self._known = self._raw()
        self._idle = not any(armed for armed, _ in self._known)
        return {name: self._period(name) for name in self._timers}

    def _period(self, name: str) -> float | None:
        left, period = real.getitimer(self._timers[name])
        return self._beneath(_handler(name), left, period)

    def left(self, name: str) -> float:
        """Return the seconds until a timer rings; 0 when it does not run."""
        seconds: float = real.getitimer(self._timers[name])[0]
        return seconds

    def write(self, name: str, period: float | None) -> None:
        """Stop a timer; one that was running before cannot be set going where it was."""
        if period is None:
            real.setitimer(self._timers[name], 0)


def _handler(name: str) -> Any:
    return signal.getsignal(getattr(signal, _C_SIGNALS[name]))

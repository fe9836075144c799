"""Interval timers that are still running."""

from __future__ import annotations

from typing import Any

from ..host.state.armed_timers import ArmedTimers
from .runner_limits import period_beneath
from .state import StateDetector


class TimerDetector(StateDetector):
    """Finds interval timers that run and did not at first.

    POSIX timers (timer_create) are not seen.
    """

    kind = "timer"

    def __init__(self) -> None:
        self._timers = ArmedTimers(period_beneath)
        super().__init__(self._timers)

    def tell(self, name: str, before: Any, now: Any) -> tuple[str, dict[str, Any]]:
        """Return when it rings."""
        left = round(self._timers.left(name), 3)
        after = _words(now) if now is None else f"rings in {left:g} s{_period(now)}"
        detail = {"name": name, "left": left, "period": now, "before": _words(before)}
        return f"timer {name}  {after} (was {_words(before)})", detail


def _words(period: float | None) -> str:
    return "not running" if period is None else f"running{_period(period)}"


def _period(seconds: float) -> str:
    return f", then every {seconds:g} s" if seconds else ""

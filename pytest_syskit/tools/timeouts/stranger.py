"""Somebody else's timer: the user's alarm, pytest-timeout's, another tool's."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import Any

from pytest_syskit.host.real import real
from pytest_syskit.host.signals.timers import Handler, raw

NEVER = float("inf")


class Stranger:
    """A handler and a timer as a limit found them, for which it answers while it is armed.

    Args:
        handler: the handler found.
        remaining: seconds until its signal was due; 0 when no timer ran (getitimer(2)).
        interval: seconds between further signals; 0 for none.
        now: the time on the limit's clock.
    """

    __slots__ = ("_due", "handler", "interval")

    def __init__(self, handler: Handler, remaining: float, interval: float, now: float) -> None:
        self.handler = handler
        self.interval = interval
        self._due = now + remaining if remaining else NEVER

    def next_due(self) -> float:
        """Return the time of the next signal that is meant for the stranger."""
        return self._due

    def prepare(self, now: float, _frame: FrameType | None) -> Callable[..., Any] | None:
        """Take note of a signal; return what is to be done about it.

        A signal that no timer accounts for was sent by somebody: a handler gets it, while the
        default action, the end of the process, is left out.
        """
        late = self._due <= now
        while self._due <= now:
            self._due = self._due + self.interval if self.interval else NEVER
        if callable(self.handler):
            return self.handler
        return _default_action if late and self.handler == signal.SIG_DFL else None


def _default_action(number: int, _frame: FrameType | None) -> None:
    """Do what the stranger's timer would have done to the process: end it."""
    raw.set_handler(number, int(signal.SIG_DFL))
    real.kill(real.getpid(), number)

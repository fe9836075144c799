"""What the runner's own time limits have put over a test's settings.

pytest-timeout arms a timer, or starts a thread, for each test; the limits of this plugin rest
between two phases with their handler in place.  Each is known by its object.
"""

from __future__ import annotations

import signal
import threading
from typing import Any

_FOREIGN = "pytest_timeout"
_OWN = "pytest_syskit.tools.timeouts."


def handler_beneath(handler: Any) -> Any:
    """Return the handler that stands when no limit runs."""
    if _is_foreign(handler):
        return int(signal.SIG_DFL)  # what pytest-timeout puts back
    bottom = _bottom(handler)
    return handler if bottom is None else bottom.handler


def period_beneath(handler: Any, left: float, period: float) -> float | None:
    """Return the period of the timer that runs when no limit does, or ``None`` if none would.

    Args:
        handler: that of the timer's signal.
        left: seconds until the timer rings, 0 when it does not run.
        period: seconds between further signals, 0 for none.
    """
    bottom = _bottom(handler)
    if bottom is not None:
        return None if bottom.next_due() == float("inf") else float(bottom.interval)
    return None if left <= 0 or _is_foreign(handler) else period


def is_watchdog(thread: threading.Thread) -> bool:
    """Say whether a thread is pytest-timeout's."""
    return _is_foreign(getattr(thread, "function", None))


def _is_foreign(function: Any) -> bool:
    return getattr(function, "__module__", None) == _FOREIGN


def _bottom(handler: Any) -> Any:
    """Return the stranger at the end of a chain of our limits, or ``None`` for other handlers."""
    link: Any = getattr(handler, "__self__", None)
    if not type(link).__module__.startswith(_OWN):
        return None
    while hasattr(link, "outer"):
        link = link.outer
    return link

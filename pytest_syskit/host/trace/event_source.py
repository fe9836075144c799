"""Where Python's events come from: ``sys.monitoring``, or before 3.12 profile and trace functions.

Both tell a :class:`BirthWatch`.  Neither lets an exception of its own reach the user's code; what a
signal handler raises while it happens to run in here is the user's, and goes on.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Protocol

from ..code_places import Places
from .birth_watch import BirthWatch

_HOST = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What the trace consists of.  Handlers of signals may run amid it, ours of host/signals included.
_FILES = tuple(
    os.path.join(_HOST, name)
    for name in ("trace", "descriptors", "processes", "real.py", "libc.py", "probing.py")
)


class EventSource(Protocol):
    """Tells a watch of events between :meth:`start` and :meth:`stop`."""

    def start(self) -> str | None:
        """Begin; return what is in the way of it, or of a part of it."""
        ...

    def resume(self) -> str | None:
        """Go on if somebody has ended it meanwhile, and say so."""
        ...

    def stop(self) -> None:
        """Tell nothing more, and leave what others have put in its place."""
        ...


def is_own(error: BaseException) -> bool:
    """Say whether an exception was born in the trace itself: a full table, a deep recursion."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(_FILES):
            return False
        trace = trace.tb_next
    # An exception that another thread sends here has no frames of its own, but a name of its own.
    return isinstance(error, Exception) and type(error).__module__ == "builtins"


def event_source(watch: BirthWatch, places: Places) -> EventSource:
    """Return the way that this Python offers."""
    if sys.version_info >= (3, 12):
        from .monitoring import Monitoring  # noqa: PLC0415  # cannot work before

        return Monitoring(watch, places)
    from .profiling import Profiling  # noqa: PLC0415  # not needed after

    return Profiling(watch, places)

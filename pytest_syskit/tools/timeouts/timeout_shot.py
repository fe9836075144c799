"""What a time limit raises inside the code it limits, and how it makes itself heard.

A shot is no ``Exception``: neither ``except Exception``, nor Hypothesis (which would shrink it),
nor a retry loop may take it for a failure of the code.  It becomes a SignalTimeout where the block
ends.

=====================================  =============================================================
the main thread runs                   the shot
=====================================  =============================================================
ordinary code                          a BaseException
an asyncio loop                        a KeyboardInterrupt: the only kind (with SystemExit) that
                                       leaves a task or a callback instead of being stored in it
an asyncio loop, and the block sits    the task is cancelled, as ``asyncio.timeout`` would: an
in a task that is not running now      exception raised elsewhere would never reach the block
a trio loop, no task running now       the block's scope, or the run's main nursery, is cancelled:
                                       trio does not survive an exception raised in its loop
pytest's finalisers (``mild``)         an Exception: pytest goes on to the next finaliser, while
                                       any other kind would make it forget the rest
code that caught two shots             raised anew at each line of it, also in ``except`` clauses
=====================================  =============================================================
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from .running_loop import loop_runs

if TYPE_CHECKING:
    from typing import TypeAlias

    Raise: TypeAlias = Callable[[], BaseException]


class Shot(BaseException):
    """Ends the code under a limit; ``limit`` is the one that fired."""

    def __init__(self, limit: object) -> None:
        super().__init__(f"{limit} is over; the end of its block turns this into SignalTimeout")
        self.limit = limit


class LoopShot(KeyboardInterrupt):
    """The same for code under an asyncio loop, which stores every other kind in a task."""

    def __init__(self, limit: object) -> None:
        super().__init__(f"{limit} is over; the end of its block turns this into SignalTimeout")
        self.limit = limit


class MildShot(Exception):
    """The same for code whose caller does its duty for an ``Exception`` only."""

    def __init__(self, limit: object) -> None:
        super().__init__(f"{limit} is over; the end of its block turns this into SignalTimeout")
        self.limit = limit


def shots_in(error: BaseException | None) -> Iterator[Shot | LoopShot | MildShot]:
    """Yield the shots that an exception is or, as a group, holds."""
    if isinstance(error, Shot | LoopShot | MildShot):
        yield error
    for part in getattr(error, "exceptions", ()):  # an ExceptionGroup, or its backport
        yield from shots_in(part)


def make_shot(limit: object, *, mild: bool) -> Shot | LoopShot | MildShot:
    """Return the kind of shot that what runs now cannot swallow at once."""
    if mild:
        return MildShot(limit)
    return LoopShot(limit) if loop_runs() else Shot(limit)


class EveryLine:
    """Raises at the next line that a stack of frames executes, whatever clause that line is in.

    ``while True: try: … except BaseException: pass`` catches every exception raised in the ``try``;
    one raised at the line of the ``except`` clause leaves the loop.  Python switches tracing off
    when a trace function raises, so each shot needs a new one.  A coverage tool that uses
    ``sys.settrace`` misses the rest of the block.

    This way out can, rarely, leave the interpreter's exception state set: ``sys.exc_info()`` is not
    empty afterwards, and later exceptions show a shot as their ``__context__``.  Nothing here
    clears it; code that must not be touched by that belongs in a process of its own.

    Args:
        frame: where the code is now.
        stop: the frame of the block and the line of its ``with`` statement, which Python visits
            once more on the way out: raising there would skip the block's own exit.
        boundary: top-level module name of frames that are not the limited code any more.
    """

    def __init__(
        self, frame: FrameType, stop: tuple[FrameType | None, int], boundary: str | None
    ) -> None:
        self._found = sys.gettrace()
        self._stop = stop
        self._frames = list(_until(frame, stop[0], boundary))

    def start(self, make: Raise) -> None:
        """Raise ``make()`` at the next line."""

        def trace(frame: FrameType, event: str, _: object) -> Any:
            if event == "line" and (frame, frame.f_lineno) != self._stop:
                raise make()
            return trace

        for frame in self._frames:
            frame.f_trace = trace
        sys.settrace(lambda *_: None)

    def stop(self) -> None:
        """Trace no more, and give the previous trace function back."""
        for frame in self._frames:
            frame.f_trace = None
        sys.settrace(self._found)


def _until(
    frame: FrameType | None, last: FrameType | None, boundary: str | None
) -> Iterator[FrameType]:
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] == boundary:
            return
        yield frame
        if frame is last:
            return
        frame = frame.f_back


def trim(trace: TracebackType | None, modules: frozenset[str]) -> TracebackType | None:
    """Cut a traceback off before its last entries that belong to ``modules``: ours, not news."""
    entries = []
    while trace is not None:
        entries.append(trace)
        trace = trace.tb_next
    while entries and entries[-1].tb_frame.f_globals.get("__name__") in modules:
        entries.pop()
    if entries:
        entries[-1].tb_next = None
    return entries[0] if entries else None

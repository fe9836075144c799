"""How a limit that is over makes itself heard: politely at first, then at every line."""

from __future__ import annotations

from types import FrameType
from typing import TYPE_CHECKING, Any

from .running_loop import (
    Cancellable,
    any_loop_runs,
    close_abandoned_run,
    running_task,
    whole_run,
)
from .timeout_shot import EveryLine, make_shot

if TYPE_CHECKING:
    from .timeout_shot import LoopShot, MildShot, Shot

_PERSUASION = 3  # the shot from which on the code is not asked politely any more


class Interruption:
    """Interrupts the code under one limit.  Made at the first shot, ended with the limit.

    Args:
        limit: whose shots these are.
        task: the task that holds the block, if any.
        stop: see ``EveryLine``.
        boundary: see ``EveryLine``.
    """

    def __init__(
        self,
        limit: Any,
        task: Cancellable | None,
        stop: tuple[FrameType | None, int],
        boundary: str | None,
    ) -> None:
        self._limit = limit
        self._target = task or whole_run()
        self._stop = stop
        self._boundary = boundary
        self._every_line: EveryLine | None = None
        self._hit: Any = None
        self._asked = 0
        self.last_shot: Shot | LoopShot | MildShot | None = None

    def shoot(self, count: int, frame: FrameType | None, *, mild: bool) -> None:
        """Raise a shot in the code, or ask the task to end when the code is not its own.

        Args:
            count: of the shots, this one included.
            frame: where the code is.
            mild: see ``make_shot``.
        """
        insistent = count >= _PERSUASION
        target = self._target
        if target is not None and not insistent and not target.is_current():
            target.soon(self._ask)
            return
        if insistent and frame is not None and not any_loop_runs():
            self._stop_tracing()
            self._every_line = EveryLine(frame, self._stop, self._boundary)
            self._every_line.start(lambda: make_shot(self._limit, mild=mild))
        self._hit = running_task()
        # A loop stores what is mild in a task; the code had its chance to end in peace.
        self.last_shot = make_shot(self._limit, mild=mild and not insistent)
        raise self.last_shot

    def _ask(self) -> None:
        if self._limit.open and self._target is not None:
            self._target.cancel()
            self._asked += 1

    def _stop_tracing(self) -> None:
        if self._every_line is not None:
            self._every_line.stop()
            self._every_line = None

    def end(self) -> None:
        """Undo what was done to the code, its tasks and its loop."""
        self._stop_tracing()
        if self._target is not None:
            self._target.clean(self._asked)
        if self.last_shot is not None:
            close_abandoned_run(self.last_shot.__traceback__)
        hit = self._hit
        if hit is not None and hit.done() and not hit.cancelled():
            hit.exception()  # else asyncio logs an exception "never retrieved"

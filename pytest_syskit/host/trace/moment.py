"""One event, and whether the thread that hears it can have made what is new."""

from __future__ import annotations

from dataclasses import dataclass
from types import FrameType

from .calls import Call
from .turns import Turn

NOBODY = -1  # among the identities of threads


@dataclass(slots=True)
class Moment:
    """What has run in one thread since its event before.

    Attributes:
        turn: the thread.
        frame: its innermost frame.
        line: the line where that frame was, if it is about to move on.
        call: the call of C code that is back now, or ``None``.
        closely: whether numbers in use may lead elsewhere now.
        doubt: whether threads that tell no events may have been at work.
        moved: whether descriptors are to be looked at.
        forked: whether children are to be looked at.
        bounded: whether all was looked at when the call began.
        raised: whether the call has raised an exception.
    """

    turn: Turn
    frame: FrameType | None
    line: int | None = None
    call: Call | None = None
    closely: bool = False
    doubt: bool = False
    moved: bool = False
    forked: bool = False
    bounded: bool = False
    raised: bool = False

    def is_accounted_for(self, number: int) -> bool:
        """Say whether the call has made all that is new, for it always makes just as many."""
        back = self.call is not None and self.bounded and not self.raised
        return back and self.call is not None and self.call.number == number

    def is_explained(self) -> bool:
        """Say whether a call that is there to make descriptors explains what is new."""
        return self.call is not None and self.call.trusted and self.call.opens

    def can_have_made(self) -> bool:
        """Say whether this thread has run anything that can make something."""
        if self.call is not None:
            return not self.call.idle
        return self.turn.call() is not None or not self.turn.is_quiet(self.frame, within=False)

    def choose(self, able: dict[int, Call | None]) -> int:
        """Return the thread that has made something new, or ``NOBODY`` if that is not certain.

        Args:
            able: the other threads that may have, with the call each is in; ``None`` stands for
                code of which nothing is known.
        """
        if self.doubt and not self.is_explained():
            return NOBODY
        if not able:
            return self.turn.thread if self.can_have_made() else NOBODY
        (only, call), *more = able.items()
        if more or (self.call is not None and not self.call.idle):
            return NOBODY
        return NOBODY if call is None else only  # else it may be past the line by now

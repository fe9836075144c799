"""What every thread is at: in Python code, or in a call of C code, and which.

C code gives up Python's lock while it waits for the kernel, and another thread goes on.  So that
what a call has made can be told from what others make meanwhile, calls take turns::

    thread A   ── os.pipe() ───────── back: 7 and 8 are mine
    thread B        ── os.open() waits for A ──────────── back: 9 is mine

A call that takes longer than a moment, such as ``accept``, loses its turn, and is a *suspect* from
then on until it is back.
"""

from __future__ import annotations

import opcode
import sys
from _thread import _count as other_threads
from _thread import allocate_lock, get_ident
from collections.abc import Callable
from types import FrameType

from .calls import Call, call_of

_MOMENT = 0.05  # seconds: a call that need not wait is back within microseconds
# Instructions that run C code of which no event tells.
_SILENT: tuple[str, ...] = ("FOR_ITER", "SEND", "YIELD_FROM")
if sys.version_info < (3, 12):  # calls of types and of foreign functions are not told
    _SILENT += ("CALL", "PRECALL")

Ours = Callable[[FrameType], bool]


def other_frames() -> dict[int, FrameType]:
    """Return where the other threads are; to be cleared soon, for frames hold what is in them."""
    frames = sys._current_frames()  # noqa: SLF001  # the only way to see other threads
    del frames[get_ident()]
    return frames


class Turn:
    """One thread.

    Attributes:
        thread: its identity.
        calls: the calls of C code it is in, outermost first; ``None`` stands for Python code that
            such a call runs.
        bounded: whether all was looked at when the call that runs now began.
        forked: whether the call that runs now has made the one child that it makes.
        since: the frame and the instruction from which on nothing has been looked at; ``None`` if
            it may have been anywhere.
    """

    __slots__ = ("bounded", "calls", "forked", "since", "thread")

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.calls: list[tuple[object, Call] | None] = []
        self.bounded = False
        self.forked = False
        self.since: tuple[int, int] | None = None

    def call(self) -> Call | None:
        """Return the call of C code that runs now, or ``None``."""
        last = self.calls[-1] if self.calls else None
        return None if last is None else last[1]

    def goes_on(self, frame: FrameType | None, *, after: bool) -> None:
        """Note that all is looked at up to where a frame is now, or just after that."""
        self.since = None if frame is None else (id(frame), max(frame.f_lasti, 0) + 2 * after)

    def is_quiet(self, frame: FrameType | None, *, within: bool) -> bool:
        """Say whether nothing but Python's own instructions has run since all was looked at.

        Args:
            frame: where the thread is.
            within: whether the instruction there may be running already.
        """
        if frame is None or self.since is None or self.since[0] != id(frame):
            return False
        start, end = self.since[1], frame.f_lasti + 2 * within
        run = frame.f_code.co_code[start:end:2]
        return start <= end and not any(opcode.opname[op].startswith(_SILENT) for op in run)

    def back_in_call(self) -> None:
        """Leave the Python code that a call of C code has run."""
        while self.calls and self.calls.pop() is not None:
            pass  # a call whose end was not told

    def back_from(self, function: object) -> Call:
        """Leave a call of C code, and whatever in it did not tell its end."""
        for depth in range(len(self.calls) - 1, -1, -1):
            entry = self.calls[depth]
            if entry is not None and entry[0] is function:
                del self.calls[depth:]
                return entry[1]
        return call_of(function)  # begun before the trace


class Turns:
    """The turns of all threads."""

    def __init__(self) -> None:
        self._all: dict[int, Turn] = {}
        self._lock = allocate_lock()
        self._holder = 0

    def mine(self) -> Turn:
        """Return the calling thread's turn."""
        thread = get_ident()
        try:
            return self._all[thread]
        except KeyError:
            self._all[thread] = turn = Turn(thread)
            return turn

    def forget_mine(self) -> None:
        """Begin anew with the calling thread, which is in no call that we know of."""
        self._all.pop(get_ident(), None)

    def take(self, turn: Turn) -> None:
        """Wait, for a moment at most, until no other thread is in a short call."""
        if not other_threads():
            return
        holder = self._holder
        if self._lock.acquire(timeout=_MOMENT) or self._holder == holder:
            self._holder = turn.thread  # from nobody, or from who has had it for too long

    def untold(self, frames: dict[int, FrameType], is_users: Ours) -> int:
        """Count the threads that run the user's code and have never told an event."""
        return sum(is_users(frame) for thread, frame in frames.items() if thread not in self._all)

    def give(self, turn: Turn) -> None:
        """Let the next thread make its call."""
        if self._holder == turn.thread:
            self._holder = 0
            self._lock.release()

    def suspects(
        self, frames: dict[int, FrameType], is_users: Ours, is_trace: Ours
    ) -> dict[int, Call | None]:
        """Return the other threads that may be making something, with the call each is in.

        Args:
            frames: where they are.
            is_users: whether the user's code is anywhere in a stack.
            is_trace: whether a frame is our own.
        """
        found: dict[int, Call | None] = {}
        for thread, frame in frames.items():
            turn = self._all.get(thread)
            if turn is None and is_users(frame):
                found[thread] = None  # it has never told an event
            elif turn is not None:
                found.update(_suspicion(turn, frame, is_trace))
        return found


def _suspicion(turn: Turn, frame: FrameType, is_trace: Ours) -> dict[int, Call | None]:
    call = turn.call()
    if call is not None:
        return {} if call.idle else {turn.thread: call}
    place: FrameType | None = frame
    while place is not None and is_trace(place):
        place = place.f_back
    return {} if turn.is_quiet(place, within=place is frame) else {turn.thread: None}

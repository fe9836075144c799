"""Gives each new descriptor and child the stack of the code that made it.

Python tells of calls, returns and lines.  Whatever is new at one of these events was made since the
event before, on a line that is known::

    line 12 ──┬── os.pipe() called: nothing new ──┬── back: two numbers more ──▶ line 12 made them
              └── line 12 goes on                 └── …

When that cannot be said for certain, because several threads were at work or no event was told in
between, the stack is unknown rather than wrong.
"""

from __future__ import annotations

import sys
from _thread import _count as other_threads
from _thread import allocate_lock, get_ident
from types import FrameType

from ..code_places import OWN, STDLIB, USER, Places, Stack
from ..descriptors.descriptors import Identity
from .calls import Call, call_of, python_codes
from .descriptor_births import DescriptorBirths
from .makers import maker_of, note_reserved
from .moment import Moment
from .process_births import ProcessBirths
from .strangers import Strangers, has_users_handler
from .turns import Turn, Turns, other_frames

_UNKNOWN = -1  # a line
_PATIENCE = 1.0  # seconds: booking takes a fraction of a millisecond
_CALLS_ARE_SILENT = sys.version_info < (3, 12)  # those of types and foreign functions


class BirthWatch:
    """Hears of events and keeps the book; one per process.

    Attributes:
        asleep: the thread whose events are not to be told now, or 0.

    Every method is called by a thread for itself, and none calls the user's code.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._descriptors = DescriptorBirths()
        self._processes = ProcessBirths()
        self._turns = Turns()
        self._lock = allocate_lock()
        self._lines: dict[int, int] = {}  # frame -> the line that it told last
        self._strangers = Strangers(self._turns, places)
        self._suspected = False
        self._blind = True
        self.asleep = 0
        self._forking: set[int] = set()

    def is_deaf(self) -> bool:
        """Say whether nothing is to be told of the calling thread now."""
        thread = get_ident()
        return thread == self.asleep or thread in self._forking

    def fork_begins(self) -> None:
        """Hear nothing of the calling thread until its fork is over.

        In the child the book may be in the hands of a thread that is not there, and Python's own
        hooks run before anybody can end the trace.
        """
        self._forking.add(get_ident())

    def fork_ends(self) -> None:
        """Hear of the calling thread again."""
        self._forking.discard(get_ident())

    def sleep(self) -> None:
        """Hear nothing of the calling thread until it wakes: the runner is busy with itself."""
        self.asleep = get_ident()

    def wake(self) -> None:
        """Hear of the calling thread again."""
        self._turns.forget_mine()
        self.asleep, self._blind = 0, True

    def lost(self) -> None:
        """Note that events were missed: nobody knows who made what is new at the next one."""
        self._blind = True

    def descriptor(self, fd: int, identity: Identity | None) -> Stack | None:
        """Return where the open file behind ``fd`` was made."""
        return self._descriptors.of(fd, identity)

    def process(self, pid: int, started: float) -> Stack | None:
        """Return where a child, or the first ancestor of an orphan, was made."""
        return self._processes.of(pid, started)

    # -- events ------------------------------------------------------------------------------------

    def called(self, frame: FrameType, function: object) -> None:
        """Hear that ``frame`` is about to call something."""
        turn = self._turns.mine()
        self._look(turn, frame)
        codes = python_codes(function)
        if codes is not None:
            if any(self._places.whose(code) >= OWN for code in codes):
                turn.since = None  # code that is not followed
            return
        call = call_of(function)
        if not call.idle:
            self._turns.take(turn)
        turn.bounded = call.replaces or call.opens or (not call.idle and other_threads() > 0)
        if turn.bounded:
            self._look_before(turn)
        if call.forks:
            turn.forked = False
            self._book(Moment(turn, None, forked=True))
        turn.calls.append((function, call))

    def returned(self, frame: FrameType, function: object, *, raised: bool = False) -> None:
        """Hear that a call of C code is back."""
        turn = self._turns.mine()
        call = call_of(function)
        self._look(turn, frame, call=call, raised=raised)
        turn.back_from(function)
        turn.goes_on(frame, after=True)
        self._turns.give(turn)

    def raised(self, frame: FrameType, function: object) -> None:
        """Hear that a call of C code has raised an exception."""
        self.returned(frame, function, raised=True)

    def entered(self, frame: FrameType) -> None:
        """Hear that a frame begins, or goes on."""
        turn = self._turns.mine()
        self._look(turn, frame.f_back)
        turn.goes_on(frame, after=False)
        turn.calls.append(None)
        if self._places.whose(frame.f_code) == USER:
            self._lines[id(frame)] = frame.f_lineno or 0

    def left(self, frame: FrameType) -> None:
        """Hear that a frame ends, or pauses."""
        turn = self._turns.mine()
        self._look(turn, frame)
        turn.goes_on(frame.f_back, after=True)
        turn.back_in_call()
        self._lines.pop(id(frame), None)

    def line(self, frame: FrameType, number: int) -> None:
        """Hear that a frame of the user's comes to a line."""
        before = self._lines.get(id(frame), _UNKNOWN)
        self._look(self._turns.mine(), frame, line=before)
        self._lines[id(frame)] = number

    # -- looking -----------------------------------------------------------------------------------

    def _look(
        self,
        turn: Turn,
        frame: FrameType | None,
        *,
        line: int | None = None,
        call: Call | None = None,
        raised: bool = False,
    ) -> None:
        """Book what is new since the event before; the code in between ran on the frame's line."""
        doubt, silent = self._suspected, call is None and self._may_be_silent(turn, frame)
        closely = silent if call is None else call.replaces
        if doubt or silent or (call is not None and _starts_threads(call)):
            self._suspected = self._strangers.seen()
        bounded, turn.bounded = turn.bounded and call is not None, False
        moved = self._blind or bounded or closely or self._descriptors.moved()
        forked = self._may_fork(turn, frame, call, silent=silent) and self._processes.moved()
        if moved or forked:
            self._book(
                Moment(turn, frame, line, call, closely, doubt, moved, forked, bounded, raised)
            )
        if call is None:
            turn.goes_on(frame, after=False)
            self._turns.give(turn)

    def _look_before(self, turn: Turn) -> None:
        """See what there is, before a call that may change more than the count tells."""
        self._suspected = self._suspected or self._strangers.seen()
        self._book(Moment(turn, None, closely=True, doubt=True, moved=True))

    def _may_be_silent(self, turn: Turn, frame: FrameType | None) -> bool:
        """Say whether code has run since the event before of which nothing was told."""
        if turn.since is None:
            return True  # code that is not followed
        if not _CALLS_ARE_SILENT or "ctypes" not in sys.modules or frame is None:
            return False
        known = self._places.whose(frame.f_code) == STDLIB  # which calls no foreign functions
        return not known and not turn.is_quiet(frame, within=False)

    def _may_fork(
        self, turn: Turn, frame: FrameType | None, call: Call | None, *, silent: bool
    ) -> bool:
        """Say whether what has just run may have made a child, or taken one's status."""
        if call is not None:
            return call.forks or call.waits
        around = turn.call()  # fork runs hooks of Python's before it is back
        if around is not None and around.forks:
            return True
        return silent or frame is None or self._places.whose(frame.f_code) >= OWN

    def _book(self, moment: Moment) -> None:
        if not self._lock.acquire(timeout=_PATIENCE):
            self._forking.add(get_ident())  # C code has forked: hear nothing more of its child
            raise TimeoutError("the thread that had the book is not in this process")
        try:
            if self._blind:
                self._catch_up(moment.turn)
                return
            if moment.moved:
                self._book_descriptors(moment)
            if moment.forked:
                self._book_processes(moment)
        finally:
            self._lock.release()

    def _catch_up(self, turn: Turn) -> None:
        self._descriptors.catch_up()
        self._processes.look(turn.thread, can_fork=False)
        self._blind = False

    def _book_descriptors(self, moment: Moment) -> None:
        fresh = self._descriptors.look(closely=moment.closely)
        if not fresh and not self._descriptors.reserved:
            return
        frames = other_frames()
        try:
            self._charge(fresh, moment, frames)
        finally:
            frames.clear()  # a frame that is kept keeps the user's objects alive

    def _charge(self, fresh: list[int], moment: Moment, frames: dict[int, FrameType]) -> None:
        """Say who has made new numbers, now that it is known where other threads are."""
        suspects = self._turns.suspects(frames, self._places.runs_users, self._is_own)
        sure, births = moment.is_accounted_for(len(fresh)), self._descriptors
        if fresh and not sure and not moment.is_explained():
            moment.doubt |= self._strangers.seen() or has_users_handler(self._places)
        for fd in fresh:
            maker = moment.turn.thread if sure else maker_of(fd, moment, suspects, births)
            births.note(fd, self._stack(maker, moment, frames))
        note_reserved(suspects, births)

    def _book_processes(self, moment: Moment) -> None:
        turn, call = moment.turn, moment.call or moment.turn.call()
        can_fork = call is not None and call.forks and not moment.raised and not turn.forked
        made = self._processes.look(turn.thread, can_fork=can_fork)
        turn.forked |= can_fork and bool(made) and call is not None and call.trusted
        if len(made) > 1 and (call is None or call.trusted):
            return  # one of them came another way: an orphan was adopted, or a signal arrived
        for pid in made:
            self._processes.note(pid, self._stack(turn.thread, moment, {}))

    # -- telling -----------------------------------------------------------------------------------

    def _stack(self, maker: int, moment: Moment, frames: dict[int, FrameType]) -> Stack | None:
        if maker != moment.turn.thread:
            return self._places.tell(frames.get(maker))
        return self._places.tell(moment.frame, moment.line) if self._is_certain(moment) else None

    def _is_certain(self, moment: Moment) -> bool:
        """Say whether the line is known on which the frame has been since the last event."""
        frame = moment.frame
        if moment.call is not None or frame is None:
            return True
        if moment.line is not None:
            return moment.line != _UNKNOWN
        is_users = self._places.whose(frame.f_code) == USER
        return not is_users or self._lines.get(id(frame)) == frame.f_lineno

    def _is_own(self, frame: FrameType) -> bool:
        return self._places.whose(frame.f_code) == OWN


def _starts_threads(call: Call) -> bool:
    """Say whether a call may have started threads that tell no events."""
    return not call.trusted or (_CALLS_ARE_SILENT and call.name == "start_new_thread")

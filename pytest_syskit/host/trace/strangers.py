"""Whose work may have been done unheard: threads that tell no events, and handlers of signals."""

from __future__ import annotations

import signal
from types import FunctionType, MethodType

from ..code_places import USER, Places
from ..processes import threads
from ..real import real
from .turns import Turns, other_frames

_ASKS, _PAUSE = 5, 0.001  # seconds: a thread begins and ends within microseconds
_FUNCTIONS = (FunctionType, MethodType)


class Strangers:
    """Looks for threads that tell no events: of C code, or not of ``threading``."""

    def __init__(self, turns: Turns, places: Places) -> None:
        self._turns = turns
        self._places = places
        self._number = 0

    def seen(self) -> bool:
        """Say whether there are any.

        A thread that begins or ends is counted before or after it has a frame, so a new answer is
        asked for several times.
        """
        for _ in range(_ASKS):
            number = self._count()
            if number <= 0 or number == self._number:
                break
            real.sleep(_PAUSE)
        self._number = max(number, 0)
        return number > 0

    def _count(self) -> int:
        frames = other_frames()
        try:
            of_c_code = threads.count() - 1 - len(frames)
            return of_c_code + self._turns.untold(frames, self._places.runs_users)
        finally:
            frames.clear()  # a frame that is kept keeps the user's objects alive


def has_users_handler(places: Places) -> bool:
    """Say whether a handler of the user's may have run, even in here, where none tells."""
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = [getattr(each, "__code__", None) for each in handlers if type(each) in _FUNCTIONS]
    return any(code is not None and places.whose(code) == USER for code in codes)

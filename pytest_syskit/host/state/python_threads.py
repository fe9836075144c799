"""The threads that Python code started, by identity."""

from __future__ import annotations

import _thread
import sys
import threading
from types import FrameType

from .identities import Identities


class PythonThreads:
    """Lists the threads of ``threading`` but the main one.

    Threads that C code started are not among them, not even those that have called into Python and
    got a stand-in object; nor are those of ``_thread.start_new_thread``.
    """

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._count = -1
        self._known: list[int] = []
        self._enumerate = threading.enumerate  # before a test replaces it
        self._stand_in = getattr(threading, "_DummyThread", ())

    def stands(self, closely: bool) -> bool:
        """Say whether the threads are those that were read last; closely, or by their number."""
        count = _thread._count()  # noqa: SLF001  # cheaper than making a list
        if count != self._count or not closely or not count:
            return count == self._count
        return list(map(self._identities.number, self._enumerate())) == self._known

    def read(self) -> list[threading.Thread]:
        """Return the threads that are alive, or about to be."""
        self._count = _thread._count()  # noqa: SLF001  # see above
        threads = self._enumerate()
        self._known = list(map(self._identities.number, threads))
        main = threading.main_thread()
        return [
            each for each in threads if each is not main and not isinstance(each, self._stand_in)
        ]


def stack_of(thread: threading.Thread) -> FrameType | None:
    """Return the frame a thread is in now, or ``None`` when it has none."""
    if thread.ident is None:
        return None
    return sys._current_frames().get(thread.ident)  # noqa: SLF001  # documented; no other way

"""Where each thread was started, noted as long as somebody wants to know."""

from __future__ import annotations

import functools
import sys
import threading
from types import FrameType
from typing import Any

from ..user_frames import lines_of
from .identities import Identities

_KEPT = (
    1024  # starts remembered, the newest: so many threads alive at once are a story of their own
)


class ThreadStarts:
    """Wraps ``Thread.start`` from :meth:`start` to :meth:`stop`.

    Threads that C code or ``_thread.start_new_thread`` starts do not pass here.
    """

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._lines: dict[int, tuple[str, ...]] = {}
        self._original: Any = None
        self._wrapper: Any = None

    def start(self) -> None:
        """Begin to note."""
        self._original = original = threading.Thread.start
        note = self._note

        @functools.wraps(original)
        def start(thread: threading.Thread) -> None:
            __tracebackhide__ = True
            note(thread, sys._getframe(1))  # noqa: SLF001  # the only way to one's caller
            original(thread)

        self._wrapper = start
        threading.Thread.start = self._wrapper  # type: ignore[method-assign]  # undone in stop

    def stop(self) -> None:
        """Put the true method back, unless somebody has put another over ours."""
        if threading.Thread.start is self._wrapper:
            threading.Thread.start = self._original  # type: ignore[method-assign]  # as it was

    def _note(self, thread: threading.Thread, caller: FrameType) -> None:
        if len(self._lines) >= _KEPT:
            del self._lines[next(iter(self._lines))]
        self._lines[self._identities.number(thread)] = lines_of(caller)

    def lines(self, number: int) -> tuple[str, ...]:
        """Return the lines of code that started a thread, innermost last; empty if not noted."""
        return self._lines.get(number, ())

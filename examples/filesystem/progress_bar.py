"""Show on a terminal how far long work has come; elsewhere show nothing.

Used by exercise A12.  The traps it avoids: control characters in a log file or a pipe; drawing so
often that the work waits for the terminal; a bar left on the line that the next message begins on.
"""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType
from typing import TextIO

_INTERVAL = 0.1  # seconds between two drawings: smooth to the eye, nothing to the processor
_NARROWEST = 10  # columns: a shorter bar says nothing
_ERASE = "\r\x1b[K"


class ProgressBar:
    """A line such as ``comparing  42% [#######··········]``; a callable that takes done and total.

    As a context manager it is erased at the end of the block.

    Args:
        label: what is being done.
        stream: where to draw, if it is a terminal; standard error by default.
    """

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self._label = label
        self._stream = sys.stderr if stream is None else stream
        self._next = 0.0 if self._stream.isatty() else float("inf")
        self._drawn = False

    def __enter__(self) -> ProgressBar:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.erase()

    @property
    def visible(self) -> bool:
        """Say whether anybody sees it; work may spare itself the calls if not."""
        return self._stream.isatty()

    def __call__(self, done: int, total: int) -> None:
        """Draw it, unless that happened a moment ago."""
        if (now := time.monotonic()) >= self._next:
            self._next = now + _INTERVAL
            self._drawn = True
            self._stream.write(_ERASE + self.text(done, total, shutil.get_terminal_size().columns))
            self._stream.flush()

    def erase(self) -> None:
        """Leave the line empty, for a message or for good."""
        if self._drawn:
            self._drawn = False
            self._stream.write(_ERASE)
            self._stream.flush()

    def text(self, done: int, total: int, columns: int) -> str:
        """Lay out the line; an unknown or empty total counts as done."""
        share = min(done / total, 1.0) if total > 0 else 1.0
        front = f"{self._label} {share:4.0%} "
        width = columns - len(front) - 3  # the brackets, and the last column stays free
        if width < _NARROWEST:
            return front.rstrip()
        full = int(share * width)
        return f"{front}[{'#' * full}{'.' * (width - full)}]"

"""Let ten threads write ten lines each, and keep every line whole.

Exercise C8.  A script: ``python whole_lines.py``.  The trap it avoids: ``print`` writes the text
and the end of the line separately, and a stream may cut even one text in two; so two threads that
print at once give ``[3] => 0[7] => 0`` and an empty line.  One mutex, shared by all, is held from
the first character of a line to its end.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TextIO

from careful_thread import CarefulThread, run_together

THREADS = 10
LINES = 10


class LineWriter(CarefulThread):
    """A thread that writes some lines.

    Args:
        number: which thread it is; begins each line.
        lines: how many lines.
        stream: where they go; shared with other threads.
        mutex: held during each line; shared with all who write there.
    """

    def __init__(
        self, number: int, lines: int, stream: TextIO, mutex: AbstractContextManager[object]
    ) -> None:
        super().__init__(name=f"line writer {number}")
        self._number = number
        self._lines = lines
        self._stream = stream
        self._mutex = mutex

    def work(self) -> None:
        """Write the lines."""
        for line in range(self._lines):
            with self._mutex:
                print(f"[{self._number}] => {line}", file=self._stream)


def write_side_by_side(
    stream: TextIO,
    mutex: AbstractContextManager[object],
    threads: int = THREADS,
    lines: int = LINES,
) -> None:
    """Let threads write to one stream at once, and wait for them.

    Raises:
        OSError: the stream takes no more; the other threads have ended, too.
    """
    run_together([LineWriter(number, lines, stream, mutex) for number in range(threads)])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    argparse.ArgumentParser(
        prog="whole_lines", description="Let ten threads write ten lines each."
    ).parse_args(argv)
    write_side_by_side(sys.stdout, threading.Lock())
    print("Main thread exiting")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Lose updates on purpose, every time; then hold a lock and lose none.

Exercise C10.  A script: ``python lost_update.py``.  ``value += 1`` reads, adds and writes; whoever
reads between the reading and the writing of another loses that other's update:

 thread 1   read 0 ─────────────▶ write 1
 thread 2            read 0 ───────────────▶ write 1     two increments, value 1

The trap it avoids: a demonstration that waits for bad luck and so prints 200 with a lock and 200
without.  Here the unlucky moment is a place in the code, :attr:`between`, and at that place all
threads wait for each other.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from careful_thread import CarefulThread, run_together

THREADS = 100
TURNS = 2  # increments of each thread
_PATIENCE = 30.0  # seconds for all threads to come to one place; they need milliseconds


def _nothing() -> None:
    """Let nothing happen between reading and writing."""


class Tally:
    """A number that threads increment.

    Args:
        mutex: held during each increment; ``nullcontext()`` for none.
        between: called between the reading and the writing.
    """

    def __init__(
        self, mutex: AbstractContextManager[object], between: Callable[[], object] = _nothing
    ) -> None:
        self.value = 0
        self._mutex = mutex
        self._between = between

    def increment(self) -> None:
        """Add one: what ``self.value += 1`` does, in slow motion."""
        with self._mutex:
            before = self.value
            self._between()
            self.value = before + 1


def increment_side_by_side(tally: Tally, threads: int = THREADS, turns: int = TURNS) -> int:
    """Let each of some threads increment a tally some times; returns the value in the end."""

    def work() -> None:
        for _ in range(turns):
            tally.increment()

    run_together([CarefulThread(target=work) for _ in range(threads)])
    return tally.value


def count_without_lock(threads: int = THREADS, turns: int = TURNS) -> int:
    """Lose all increments but one in each turn: nobody writes before everybody has read."""
    meeting = threading.Barrier(threads, timeout=_PATIENCE)
    return increment_side_by_side(Tally(nullcontext(), meeting.wait), threads, turns)


def count_with_lock(threads: int = THREADS, turns: int = TURNS) -> int:
    """Lose nothing: who holds the lock reads and writes without anybody between."""
    return increment_side_by_side(Tally(threading.Lock()), threads, turns)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    argparse.ArgumentParser(
        prog="lost_update", description="Count to 200 in 100 threads, without a lock and with one."
    ).parse_args(argv)
    print(f"without a lock: {count_without_lock()} of {THREADS * TURNS}")
    print(f"with a lock: {count_with_lock()} of {THREADS * TURNS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

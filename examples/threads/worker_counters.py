"""Start threads at the lowest level, let them count, and stop them cleanly.

Exercise A16.  A script: ``python worker_counters.py``.  ``_thread`` starts a function and forgets
it: no name, no ``join``, and an error goes to ``sys.unraisablehook``.  ``Worker`` adds the two that
a program cannot do without, an end to wait for and an error that reaches somebody; this is what
``threading.Thread`` is made of.

The traps it avoids: loops without an end; a main thread that spins until the others are done, or
ends before them; an error that only a line on stderr tells of.
"""

from __future__ import annotations

import _thread
import argparse
import sys
import threading
from collections.abc import Callable, Sequence

COUNTERS = 5
_STEP = 0.001  # seconds between two counts: the thread sleeps, and hears at once when it is to stop
_ENDING = 5.0  # seconds that a worker may take to end after it was told: it needs a step


class Worker:
    """A thread that runs ``work``, and whose end and error can be waited for.

    Attributes:
        error: what ``work`` raised, once it has ended.
    """

    def __init__(self, work: Callable[[], object]) -> None:
        self.error: BaseException | None = None
        self._work = work
        self._running = _thread.allocate_lock()

    def start(self) -> None:
        """Begin (once)."""
        self._running.acquire()  # held until the thread has ended
        try:
            _thread.start_new_thread(self._run, ())
        except BaseException:
            self._running.release()
            raise

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001  # kept for whoever joins
            self.error = error
        finally:
            self._running.release()

    def join(self, timeout: float) -> None:
        """Wait for the end, asleep.

        Raises:
            TimeoutError: it still runs.
            BaseException: what ``work`` raised.
        """
        if not self._running.acquire(timeout=timeout):
            raise TimeoutError(f"a worker still runs after {timeout:g} seconds")
        self._running.release()
        if self.error is not None:
            raise self.error


class Counter:
    """Counts until it is told to stop or has reached its limit."""

    def __init__(self, stop: threading.Event, limit: int | None = None) -> None:
        self.value = 0
        self._stop = stop
        self._limit = limit

    def __call__(self) -> None:
        """Count; the value is this thread's own, so that it needs no lock."""
        while self.value != self._limit and not self._stop.wait(_STEP):
            self.value += 1


def count_side_by_side(limit: int, counters: int = COUNTERS, timeout: float = 60.0) -> list[int]:
    """Let some counters count to a limit at once; returns where each of them ended.

    Raises:
        TimeoutError: they did not get there in ``timeout`` seconds; they have been stopped.
    """
    stop = threading.Event()
    crew = [Counter(stop, limit) for _ in range(counters)]
    workers = [Worker(counter) for counter in crew]
    started: list[Worker] = []
    try:
        for worker in workers:
            worker.start()
            started.append(worker)
        for worker in workers:
            worker.join(timeout)
    finally:
        stop.set()
        for worker in started:
            worker.join(_ENDING)
    return [counter.value for counter in crew]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="worker_counters", description="Let five threads count side by side."
    )
    parser.add_argument("--limit", type=int, default=100, help="default: %(default)s")
    wanted = parser.parse_args(argv)
    if wanted.limit < 0:
        parser.error(f"--limit {wanted.limit}: 0 or more is expected")
    for number, value in enumerate(count_side_by_side(wanted.limit), 1):
        print(f"counter {number} reached {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Threads whose errors reach somebody, started together and waited for together.

Exercises C8 to C12 stand on this.  The traps it avoids: an error in a thread that is printed and
forgotten, so that the program ends with status 0; a main thread that ends, or raises, before the
others are done; a thread that cannot be started, and the ones before it that nobody waits for.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence


class CarefulThread(threading.Thread):
    """A thread that keeps its error for whoever waits.

    Give it a ``target`` as any thread, or override :meth:`work`.

    Attributes:
        error: what it raised, once it has ended.
    """

    error: BaseException | None = None

    def run(self) -> None:
        """Be called by the new thread."""
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001  # kept for whoever waits
            self.error = error

    def work(self) -> None:
        """Do what the thread is for."""
        super().run()


def run_together(threads: Sequence[CarefulThread]) -> None:
    """Start threads, and wait, asleep, until all of them have ended.

    Raises:
        BaseException: the error of the first one, in order, that had any; all have ended by then.
        RuntimeError: one could not be started; those before it have ended.
    """
    started: list[CarefulThread] = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
    finally:
        wait_for_all(started)


def wait_for_all(threads: Sequence[CarefulThread]) -> None:
    """Wait, asleep, until threads have ended; raises the first of their errors."""
    for thread in threads:
        thread.join()
    for thread in threads:
        if thread.error is not None:
            raise thread.error

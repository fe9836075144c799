"""Stop cleanly at SIGINT and SIGTERM, and take requests by SIGUSR1 and SIGUSR2 (script).

Exercise D26.  ``python clean_shutdown.py jobs.log`` works on one job after the other.  SIGUSR1
makes it tell how far it is, SIGUSR2 makes it open its log anew (as after a rotation), SIGINT and
SIGTERM make it finish the job at hand and leave; who sends one of these a second time does not want
to wait, and it dies at once.

The trap it avoids: leaving, or anything else that takes a lock, inside a handler.  The interrupted
code may hold that very lock, and then nobody ever gets it.  The handler here notes the number and
wakes up whoever waits; all else happens between two jobs, where no lock is held.  At last it dies
by the signal that it was sent, so that whoever started it sees the true reason, which ``exit(0)``
hides: a shell loop, for one, stops at Ctrl-C only then.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType
from typing import TextIO

from counting_handler import handled

STOP = (signal.SIGINT, signal.SIGTERM)
REQUESTS = (signal.SIGUSR1, signal.SIGUSR2)


class Wishes:
    """What signals have asked for.

    Attributes:
        stop: the first signal that wants us to stop, or ``None``.
    """

    def __init__(self, reader: int, writer: int) -> None:
        self.stop: int | None = None
        self._requests: deque[int] = deque()
        self._reader = reader
        self._writer = writer

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Be the handler: note it and leave; nothing here waits for anything."""
        if number not in STOP:
            self._requests.append(number)
        elif self.stop is None:
            self.stop = number
        else:
            die_by(number)
        with suppress(BlockingIOError):  # the pipe is full of bytes: one is enough
            os.write(self._writer, b".")

    def take(self) -> int | None:
        """Return the oldest request that was not taken yet, or ``None``."""
        return self._requests.popleft() if self._requests else None

    def wait(self, seconds: float) -> None:
        """Sleep until a signal comes or came, or for so long."""
        readable, _, _ = select.select([self._reader], [], [], seconds)
        if readable:
            os.read(self._reader, 1 << 16)


@contextmanager
def wishes() -> Iterator[Wishes]:
    """Take signals for wishes while the block runs; the previous handlers come back."""
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        told = Wishes(reader, writer)
        with ExitStack() as stack:
            for number in STOP + REQUESTS:
                stack.enter_context(handled(number, told.handle))
            yield told
    finally:
        os.close(reader)
        os.close(writer)


def die_by(number: int) -> None:
    """End this process by a signal's default action: whoever waits for it sees the signal."""
    signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
    os.kill(os.getpid(), number)


class JobLog:
    """A log of jobs, one line each at begin and end; any thread may write to it."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._file: TextIO = self._opened()

    def run(self, job: int, seconds: float) -> None:
        """Work on a job, with the log locked: the moment at which a handler must not want it."""
        with self._lock:
            self._say(f"begin {job}")
            time.sleep(seconds)  # a handler that raises nothing does not shorten it
            self._say(f"end {job}")

    def reopen(self) -> None:
        """Go on in a new file of the same name, after the old one was moved away."""
        with self._lock:
            self._file.close()
            self._file = self._opened()

    def close(self) -> None:
        """Say that this is the orderly end."""
        with self._lock:
            self._say("closed")
            self._file.close()

    def _opened(self) -> TextIO:
        return open(self._path, "a", encoding="utf-8")

    def _say(self, text: str) -> None:
        print(text, file=self._file, flush=True)


def work(log: JobLog, told: Wishes, seconds: float) -> int:
    """Run jobs until somebody wants us to stop; return how many."""
    done = 0
    while told.stop is None:
        log.run(done, seconds)
        done += 1
        while (request := told.take()) is not None:
            if request == signal.SIGUSR1:
                print(f"{done} jobs done", flush=True)
            else:
                log.reopen()
    return done


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return its exit status, if no signal ended it."""
    parser = argparse.ArgumentParser(prog="clean_shutdown", description=__doc__.splitlines()[0])
    parser.add_argument("log", help="the file to which it adds what it does")
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a job takes")
    options = parser.parse_args(argv)
    with wishes() as told:
        try:
            log = JobLog(options.log)
        except OSError as error:
            print(f"{parser.prog}: {error}", file=sys.stderr)
            return 1
        print("working", flush=True)
        done = work(log, told, options.seconds)
        log.close()
        print(f"stopped after {done} jobs", flush=True)
    assert told.stop is not None
    die_by(told.stop)
    return 128 + told.stop  # only if a debugger or a container's init took the signal away


if __name__ == "__main__":
    sys.exit(main())

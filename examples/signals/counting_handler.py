"""Put signals to use: count them, take them for a wish to stop, let a timer send them.

Exercise A17.  A script: ``python counting_handler.py`` ticks until Ctrl-C or SIGTERM and then ends
with status 0.

The trap it avoids: work in a handler that is not re-entrant.  A handler runs between any two steps
of the main thread, and also inside itself.  So ours only append to a list, set a flag or write a
byte, each of which is one step; ``count += 1`` is two, and ``threading.Event.set`` waits for a lock
that the interrupted code may hold.  Everything else is done outside, by whoever waits.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType


@contextmanager
def handled(number: int, handler: object) -> Iterator[None]:
    """Have a handler for the length of a block; the previous one comes back."""
    previous = signal.signal(number, handler)  # type: ignore[arg-type]  # as signal.signal takes it
    try:
        yield
    finally:
        signal.signal(number, signal.SIG_DFL if previous is None else previous)


class SignalCounter:
    """Counts deliveries; a callable that is the handler."""

    def __init__(self) -> None:
        self._came: list[int] = []

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Note one delivery."""
        self._came.append(number)

    def count(self, number: int | None = None) -> int:
        """Return how many came, of one signal or of all."""
        return len(self._came) if number is None else self._came.count(number)


@contextmanager
def counting(*numbers: int) -> Iterator[SignalCounter]:
    """Count signals for the length of a block instead of acting on them."""
    counter = SignalCounter()
    with ExitStack() as stack:
        for number in numbers:
            stack.enter_context(handled(number, counter))
        yield counter


class ShutdownFlag:
    """Whether somebody wants us to stop; can be waited for without missing the moment.

    Attributes:
        signal: the first signal that came, or ``None``.
    """

    def __init__(self, reader: int, writer: int) -> None:
        self.signal: int | None = None
        self._reader = reader
        self._writer = writer

    def __bool__(self) -> bool:
        return self.signal is not None

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        """Be the handler."""
        self.signal = number if self.signal is None else self.signal
        with suppress(BlockingIOError):  # the pipe is full of wishes: one is enough
            os.write(self._writer, b".")

    def wait(self, seconds: float) -> bool:
        """Sleep until somebody wants us to stop, or for so long; says whether somebody does.

        A signal between a look at the flag and this call is no loss: its byte is in the pipe.
        """
        readable, _, _ = select.select([self._reader], [], [], seconds)
        return bool(readable) or bool(self)


@contextmanager
def shutdown_flag(*numbers: int) -> Iterator[ShutdownFlag]:
    """Take signals (SIGINT and SIGTERM unless given) for a wish to stop, while the block runs."""
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        flag = ShutdownFlag(reader, writer)
        with ExitStack() as stack:
            for number in numbers or (signal.SIGINT, signal.SIGTERM):
                stack.enter_context(handled(number, flag))
            yield flag
    finally:
        os.close(reader)
        os.close(writer)


@contextmanager
def ticking(seconds: float) -> Iterator[SignalCounter]:
    """Let the interval timer send SIGALRM, and count, for the length of a block.

    Ticks that are due while one waits for its delivery are merged: it counts what was delivered.
    The previous handler comes back, and a timer that ran before goes on with what it had left.

    Raises:
        ValueError: ``seconds`` is not more than 0, which would be no timer.
    """
    if not seconds > 0:
        raise ValueError(f"seconds={seconds!r}: more than 0 is expected")
    began = time.monotonic()
    with counting(signal.SIGALRM) as ticks:
        left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        try:
            yield ticks
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    if left:
        # What came due meanwhile is due now: a timer of 0 would be none.
        rest = max(left - (time.monotonic() - began), 1e-6)
        signal.setitimer(signal.ITIMER_REAL, rest, interval)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="counting_handler", description="Tick until Ctrl-C or SIGTERM."
    )
    parser.add_argument("--interval", type=float, default=1.0, help="seconds (default: 1)")
    wanted = parser.parse_args(argv)
    if not wanted.interval > 0:
        parser.error(f"--interval {wanted.interval:g}: more than 0 is expected")
    with shutdown_flag() as stop, ticking(wanted.interval) as ticks:
        print("ticking", flush=True)
        told = 0
        while not stop.wait(wanted.interval):
            if ticks.count() > told:
                told = ticks.count()
                print(f"tick {told}", flush=True)
    print(f"stopped by {signal.Signals(stop.signal).name} after {ticks.count()} ticks")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Read messages from a child through a pipe, each of them whole, with the time it came.

Exercise C13.  A script: ``python framed_pipe.py``.

 child   "Spam 000", "Spam 001", … ──framed──▶ pipe ──▶ parent   message and time

The traps it avoids.  Messages that merge (``Spam 004Spam 000``): they are framed.  A child without
an end: it stops after its count, or, without one, when nobody reads.  For that it must close its
own copy of the reading end, or it would be the reader itself, and fill the pipe and hang.  A child
that died after whole messages looks like one that has finished: its status tells them apart.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from closed_output import silence_output
from file_descriptors import Descriptor, make_pipe
from message_frames import CutShort, receive_messages, send_message


@dataclass(frozen=True, slots=True)
class Received:
    """A message, and the seconds from the start of the child until it came."""

    message: bytes
    seconds: float


def send_spam(fd: int, count: int | None, pause: float = 0.0) -> None:
    """Send ``Spam 000``, ``Spam 001`` and so on.

    Args:
        fd: where to.
        count: how many; ``None``: until nobody reads.
        pause: seconds after each.

    Raises:
        BrokenPipeError: nobody reads.
    """
    for number in itertools.count() if count is None else range(count):
        send_message(fd, b"Spam %03d" % number)
        time.sleep(pause)


@contextmanager
def messages_of_child(work: Callable[[int], object]) -> Iterator[Iterator[Received]]:
    """Run a function in a child that sends messages, and yield an iterator over them.

    At the end of the block the child is told, by a broken pipe, that nobody reads any more, and
    waited for.

    Args:
        work: called in the child with the descriptor to send to; a BrokenPipeError ends it well.

    Raises:
        CutShort: (while iterating) the child died in the middle of a message.
        ChildProcessError: (at the end) the child failed; its traceback is on standard error.
    """
    reader, writer = make_pipe()
    with reader:
        with writer:
            began = time.monotonic()
            pid = _fork(work, reader, writer)
        # Our writer is closed, or the end of the stream would never come.
        try:
            yield _timed(reader.fileno(), began)
        finally:
            reader.close()  # before waiting: the child may be waiting for room in the pipe
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        raise ChildProcessError(f"child {pid} ended with status {status}")


def _timed(fd: int, began: float) -> Iterator[Received]:
    for message in receive_messages(fd):
        yield Received(message, time.monotonic() - began)


def _fork(work: Callable[[int], object], reader: Descriptor, writer: Descriptor) -> int:
    sys.stdout.flush()  # or the child would have a copy of what waits there
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _live_as_child(work, reader, writer)
    return pid


def _live_as_child(
    work: Callable[[int], object], reader: Descriptor, writer: Descriptor
) -> NoReturn:
    status = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # the parent speaks for both at Ctrl-C
        reader.close()
        work(writer.fileno())
        status = 0
    except BrokenPipeError:  # the parent has read enough
        status = 0
    except BaseException:  # noqa: BLE001  # whatever it is: it must not climb into the parent's code
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="framed_pipe", description="Read messages from a child through a pipe."
    )
    parser.add_argument("--count", type=int, default=10, help="messages (default: %(default)s)")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds after each (default: 0)")
    wanted = parser.parse_args(argv)
    if wanted.count < 0 or not wanted.pause >= 0:
        parser.error(f"--count {wanted.count} --pause {wanted.pause:g}: 0 or more is expected")
    try:
        with messages_of_child(lambda fd: send_spam(fd, wanted.count, wanted.pause)) as received:
            for each in received:
                text = each.message.decode(errors="backslashreplace")
                print(f"parent {os.getpid()} got {text!r} at {each.seconds:.6f}", flush=True)
    except (ChildProcessError, CutShort) as error:
        print(f"framed_pipe: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # as in "framed_pipe.py | head"
        silence_output()
        return 1
    except KeyboardInterrupt:
        return 130  # 128 + SIGINT, as a shell reports it
    return 0


if __name__ == "__main__":
    sys.exit(main())

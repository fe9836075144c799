"""Talk through a named pipe, in two roles: read, or write as the child.

Exercise C14.  A script: ``python pipefifo.py`` reads, ``python pipefifo.py -child`` writes, in two
terminals, started in any order.  The FIFO is made by whoever comes first, and removed at the end.

The traps it avoids.  Waiting for ever for a partner who does not come: there is a limit.  A FIFO
that a killed run left behind.  A reader who leaves: the writer is told, and not killed, for Python
ignores SIGPIPE.  Messages that merge: each is a line, and the reader joins what comes in pieces.
A writer that dies within a line: the half of it is an error and no message.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from closed_output import silence_output
from fifo_rendezvous import (
    identity,
    open_reader,
    open_writer,
    remove_fifo,
    wait_readable,
    wait_writable,
)

FIFO = "spam.fifo"
INTERRUPTED = 130  # what a shell reports for a program ended by Ctrl-C: 128 + SIGINT
LONGEST = 1 << 20  # bytes of a line: far more than is sent here, far less than memory
_CHUNK = 1 << 16  # bytes: what a pipe holds on Linux


@contextmanager
def incoming_lines(path: str, timeout: float) -> Iterator[Iterator[bytes]]:
    """Be the reader: yield an iterator over the lines, without their ends, until the end.

    There must be one reader only: each byte reaches but one.  The FIFO is removed at the end, and
    before, when all writers have left; a silent writer is waited for as long as it is there.

    Args:
        path: of the FIFO.
        timeout: seconds to wait for the first writer.

    Raises:
        TimeoutError: nobody came.
        EOFError: (while iterating) the last line is not complete.
        ValueError: (while iterating) a line is longer than :data:`LONGEST`.
        OSError: there is no FIFO, and none can be made.
    """
    fd = open_reader(path, timeout)
    try:
        yield _lines(_chunks(fd, path))
    finally:
        remove_fifo(path, identity(os.fstat(fd)))
        os.close(fd)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        if len(rest) > LONGEST:
            raise ValueError(f"a line of more than {LONGEST} bytes; those of a writer are shorter")
    if rest:
        raise EOFError(f"the writer left in the middle of a line: {rest[:40]!r}")


def _chunks(fd: int, path: str) -> Iterator[bytes]:
    removed = False
    while True:
        try:
            chunk = os.read(fd, _CHUNK)
        except BlockingIOError:  # a writer is there and silent
            wait_readable(fd)
            continue
        if chunk:
            yield chunk
        elif removed:
            return
        else:  # once more: somebody may have opened it before it was removed
            remove_fifo(path, identity(os.fstat(fd)))
            removed = True


@contextmanager
def outgoing_lines(path: str, timeout: float) -> Iterator[Callable[[bytes], None]]:
    """Be a writer: yield a function that sends one line, given without its end.

    Lines of less than ``PIPE_BUF`` bytes (4096 on Linux, 512 everywhere) do not mix with those of
    other writers.  What was sent is in the pipe; a FIFO does not tell that it was read.

    Args:
        path: of the FIFO.
        timeout: seconds to wait for a reader, and for room in the pipe.

    Raises:
        TimeoutError: nobody came, or (from the function) nobody made room.
        BrokenPipeError: (from the function) the reader has left.
        ValueError: (from the function) there is an end of line in the line, or it is too long.
        OSError: there is no FIFO, and none can be made.
    """
    fd = open_writer(path, timeout)
    try:
        yield lambda line: _send(fd, line, timeout)
    finally:
        os.close(fd)


def _send(fd: int, line: bytes, timeout: float) -> None:
    if b"\n" in line or len(line) > LONGEST:
        raise ValueError(f"{line[:40]!r}: one line of at most {LONGEST} bytes is expected")
    rest = memoryview(line + b"\n")
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:
            if not wait_writable(fd, timeout):
                raise TimeoutError(f"nobody read for {timeout:g} seconds") from None


def read_role(path: str, timeout: float) -> None:
    """Print each line with the time since the first writer came."""
    with incoming_lines(path, timeout) as lines:
        began = time.monotonic()
        for line in lines:
            text = line.decode(errors="backslashreplace")
            seconds = time.monotonic() - began
            print(f"parent {os.getpid()} got {text!r} at {seconds:.6f}", flush=True)


def write_role(path: str, timeout: float, count: int, pause: float) -> None:
    """Send ``Spam 000``, ``Spam 001`` and so on."""
    with outgoing_lines(path, timeout) as send:
        for number in range(count):
            send(b"Spam %03d" % number)
            time.sleep(pause)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    wanted = _arguments(argv)
    try:
        if wanted.child:
            write_role(wanted.path, wanted.timeout, wanted.count, wanted.pause)
        else:
            read_role(wanted.path, wanted.timeout)
    except BrokenPipeError:
        return _broken(writing=wanted.child)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (OSError, EOFError, ValueError) as error:
        print(f"pipefifo: {_wording(error)}", file=sys.stderr)
        return 1
    return 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="pipefifo", description="Read lines from a named pipe, or write them as the child."
    )
    parser.add_argument("-child", action="store_true", help="write instead of read")
    parser.add_argument("--path", default=FIFO, help="the FIFO (default: %(default)s, here)")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds (default: 30)")
    parser.add_argument("--count", type=int, default=10, help="lines to write (default: 10)")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds after each (default: 0)")
    wanted = parser.parse_args(argv)
    for name in ("timeout", "count", "pause"):
        if not 0 <= getattr(wanted, name) < float("inf"):
            parser.error(f"--{name} {getattr(wanted, name)}: 0 or more is expected")
    return wanted


def _broken(*, writing: bool) -> int:
    if writing:
        print("pipefifo: the reader has left", file=sys.stderr)
    else:  # as in "pipefifo.py | head": whoever reads our output has left
        silence_output()
    return 1


def _wording(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())

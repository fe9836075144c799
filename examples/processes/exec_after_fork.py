"""Start another program by hand: fork, become it in the child, hear in the parent if that failed.

Exercise B13.  Traps.  ``execvp`` takes the program's own name as first argument.  When it fails,
the child is still a copy of its parent and must leave by ``os._exit``.  The parent hears of the
failure through a pipe that a successful exec closes, so it can raise the true error.  Python
ignores SIGPIPE, and the new program would inherit that.

 child: exec works ─▶ kernel closes the pipe ─▶ parent reads nothing: started
 child: exec fails ─▶ child writes errno     ─▶ parent reads a number: raise it
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from wait_status import ChildStatus, decode

CANNOT_START = 127  # what a shell says of a program that it cannot find
PYTHON_IGNORES = ("SIGPIPE", "SIGXFSZ")  # for itself; programs expect the default


def run_program(argv: Sequence[str]) -> ChildStatus:
    """Start a program found on PATH, wait for it, and tell how it ended.

    Args:
        argv: the program and its arguments; no shell sees them.

    Raises:
        OSError: it could not be started: not found, not executable, arguments too long…
    """
    return decode(os.waitpid(start_program(argv), 0)[1])


def start_program(argv: Sequence[str]) -> int:
    """Start a program found on PATH and return its pid; waiting for it is the caller's.

    Raises:
        ValueError: there is no program in ``argv``, or a word that no program can be given.
        OSError: it could not be started.
    """
    if isinstance(argv, str) or not argv:
        raise ValueError(f"argv={argv!r}: a list is expected, such as ['ls', '-l']")
    words = [os.fsencode(word) for word in argv]  # here, where an error still finds the caller
    if any(b"\0" in word for word in words):
        raise ValueError(f"argv={argv!r}: no argument can hold a NUL")
    sys.stdout.flush()  # what waits there was written before the program's own output
    sys.stderr.flush()
    reader, writer = os.pipe()  # both close-on-exec
    try:
        pid = os.fork()
        if pid == 0:
            _become(words, writer)
        os.close(writer)
        writer = -1
        _require_start(pid, argv[0], _read_to_end(reader))
    finally:
        for fd in {reader, writer} - {-1}:
            os.close(fd)
    return pid


def _become(argv: Sequence[bytes], writer: int) -> NoReturn:
    """Be the child until the program takes over."""
    try:
        for name in PYTHON_IGNORES:
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execvp(argv[0], list(argv))
    except OSError as error:
        os.write(writer, str(error.errno).encode())
    finally:
        os._exit(CANNOT_START)


def _read_to_end(fd: int) -> bytes:
    text = b""
    while chunk := os.read(fd, 64):  # longer than any errno
        text += chunk
    return text


def _require_start(pid: int, program: str, answer: bytes) -> None:
    if answer:
        os.waitpid(pid, 0)
        number = int(answer)
        raise OSError(number, os.strerror(number), program)


def main(argv: list[str] | None = None) -> int:
    """Run a program, by default ``ls -l /``, and leave with its exit status."""
    command = (sys.argv[1:] if argv is None else argv) or ["ls", "-l", "/"]
    try:
        status = run_program(command)
    except OSError as error:
        print(f"exec_after_fork: {command[0]}: {error.strerror}", file=sys.stderr)
        return CANNOT_START
    if status.killed_by is not None:
        print(f"exec_after_fork: {command[0]} {status}", file=sys.stderr)
        return 128 + status.killed_by  # as shells have it
    return status.exit_code or 0


if __name__ == "__main__":
    sys.exit(main())

"""Work with file descriptors: open, write, seek, duplicate, pipe, redirect a child by hand.

Exercise B6.  Traps.  ``os.write`` may write less than it was given.  A descriptor that is not
closed on every path is gone until the process ends.  A number that was closed is given to the next
file, so a stale number writes into a stranger's file; :class:`Descriptor` forgets it.  ``os.dup``
makes a copy that children do not inherit, ``os.dup2`` one that they do.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

CHUNK = 1 << 16  # bytes: what a pipe holds on Linux
CANNOT_START = 127  # what a shell says of a program that it cannot find
STDOUT = 1


class Descriptor:
    """A descriptor that is closed once, and cannot be used afterwards.

    Args:
        fd: the number; it belongs to this object from now on.
    """

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd

    def fileno(self) -> int:
        """Return the number.

        Raises:
            ValueError: it was closed; the number may be somebody else's by now.
        """
        if self._fd is None:
            raise ValueError("this descriptor is closed")
        return self._fd

    def close(self) -> None:
        """Close it; again is no error."""
        fd, self._fd = self._fd, None  # first: after a failed close the number is gone as well
        if fd is not None:
            os.close(fd)

    def __enter__(self) -> Descriptor:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_file(path: str | os.PathLike[str], flags: int, mode: int = 0o666) -> Descriptor:
    """Open a file; children do not inherit the descriptor.

    Args:
        path: the file.
        flags: such as ``os.O_RDWR | os.O_CREAT``.
        mode: permissions of a new file, less the umask.

    Raises:
        OSError: it cannot be opened.
    """
    return Descriptor(os.open(path, flags, mode))


def make_pipe() -> tuple[Descriptor, Descriptor]:
    """Make a pipe; return its reading and its writing end."""
    reader, writer = os.pipe()
    return Descriptor(reader), Descriptor(writer)


def write_all(fd: int, text: bytes) -> None:
    """Write all of ``text``, in as many calls as it takes."""
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(fd, rest) :]


def read_to_end(fd: int) -> Iterator[bytes]:
    """Yield what there is to read, piece by piece, until the end."""
    while chunk := os.read(fd, CHUNK):
        yield chunk


def overwrite_at(path: str | os.PathLike[str], offset: int, text: bytes) -> None:
    """Write over a part of a file and see it on the disk before returning.

    Args:
        path: an existing file.
        offset: bytes from the start, or, if negative, from the end.
        text: what to write; the file grows if it is too short.

    Raises:
        OSError: no such file, no permission, no space, or an offset before the start.
    """
    with open_file(path, os.O_WRONLY) as target:
        fd = target.fileno()
        os.lseek(fd, offset, os.SEEK_SET if offset >= 0 else os.SEEK_END)
        write_all(fd, text)
        os.fsync(fd)


def read_at(path: str | os.PathLike[str], offset: int, size: int) -> bytes:
    """Read a part of a file through a Python file object made of the descriptor."""
    with os.fdopen(os.open(path, os.O_RDONLY), "rb") as source:  # closes the descriptor, too
        source.seek(offset)
        return source.read(size)


@contextmanager
def output_to(fd: int) -> Iterator[None]:
    """Let everything this process and its children write to descriptor 1 go to ``fd``.

    Python's buffer is written out before and after, so each line goes where it belongs.
    """
    sys.stdout.flush()
    with Descriptor(os.dup(STDOUT)) as before:
        os.dup2(fd, STDOUT)
        try:
            yield
        finally:
            sys.stdout.flush()
            os.dup2(before.fileno(), STDOUT)


def run_with_output(argv: Sequence[str], fd: int) -> int:
    """Run a program whose standard output is ``fd``, by hand: fork, dup2, exec, wait.

    Returns:
        Its exit code, ``-N`` for signal N, or 127 if it could not be started.
    """
    return _exit_code(_start_with_output(argv, fd))


def output_of(argv: Sequence[str]) -> tuple[int, bytes]:
    """Run a program and return its exit code, as above, and its standard output."""
    reader, writer = make_pipe()
    with reader:
        with writer:
            pid = _start_with_output(argv, writer.fileno())
        # Our writer is closed, or the end of the stream would never come.
        try:
            output = b"".join(read_to_end(reader.fileno()))
        finally:
            code = _exit_code(pid)
    return code, output


def _start_with_output(argv: Sequence[str], fd: int) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _become(argv, fd)
    return pid


def _become(argv: Sequence[str], fd: int) -> NoReturn:
    """Be the child until the program takes over."""
    try:
        os.dup2(fd, STDOUT)
        os.set_inheritable(STDOUT, True)  # where fd is 1 itself, dup2 does nothing
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, programs should not
        os.execvp(argv[0], list(argv))
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode(errors="backslashreplace"))
    finally:
        os._exit(CANNOT_START)


def _exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

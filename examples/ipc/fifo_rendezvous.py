"""Meet at a named pipe: make it if it is missing, open either end with a limit, remove it after.

Exercise C14 stands on this.

 writer   open ─▶ nobody reads? try again ─────────▶ ok   write …  close
 reader            make it, open (never waits), wait for the first byte  …  end ─▶ unlink ─▶ end?

Traps.  A plain ``open`` waits for ever if nobody comes.  A FIFO that a killed run has left behind
is no error, it is used; but something else of that name, or a FIFO of somebody else, is left alone.
And a writer may come in the very moment in which the reader has seen the end: so the reader first
removes the name and then looks once more, and a writer uses what it has opened only if the name
still means the same.  One of the two always sees the other.
"""

from __future__ import annotations

import errno
import os
import select
import stat
import time
from contextlib import suppress

MODE = 0o600  # for this user alone
_PAUSE = 0.005  # seconds between two tries: the kernel tells nobody that a reader has come
_FLAGS = os.O_NONBLOCK | os.O_NOFOLLOW
Identity = tuple[int, int]  # device and inode: what a name means


def identity(status: os.stat_result) -> Identity:
    """Return which file a status is of."""
    return status.st_dev, status.st_ino


def make_fifo(path: str) -> Identity | None:
    """Make a FIFO unless it is there; returns which, or ``None`` if it was there.

    Raises:
        FileExistsError: there is something else.
        PermissionError: it is somebody else's, who could read along.
        OSError: it cannot be made there.
    """
    while True:
        if _make(path):
            return identity(os.lstat(path))
        with suppress(FileNotFoundError):  # removed between the two calls: make it again
            _require_our_fifo(path, os.lstat(path))
            return None


def _make(path: str) -> bool:
    try:
        os.mkfifo(path, MODE)
    except FileExistsError:
        return False
    except OSError as error:  # which does not say where
        raise type(error)(error.errno, error.strerror, path) from None
    return True


def remove_fifo(path: str, which: Identity) -> None:
    """Remove the name if it still means that FIFO; another run may have made a new one."""
    with suppress(FileNotFoundError):
        if identity(os.lstat(path)) == which:
            os.unlink(path)


def open_reader(path: str, timeout: float) -> int:
    """Open for reading, and wait until a writer is there; returns a non-blocking descriptor.

    Raises:
        TimeoutError: none came in ``timeout`` seconds; the FIFO has been removed.
        OSError: see :func:`make_fifo`.
    """
    fd = _open_made(path, os.O_RDONLY)
    try:
        if not _is_ready(fd, select.POLLIN, timeout):  # ready also when a writer came and left
            raise _nobody(path, "writing", timeout)  # noqa: TRY301  # cleaned up after, too
    except BaseException:
        remove_fifo(path, identity(os.fstat(fd)))
        os.close(fd)
        raise
    return fd


def open_writer(path: str, timeout: float) -> int:
    """Open for writing as soon as a reader is there; returns a non-blocking descriptor.

    Raises:
        TimeoutError: none came in ``timeout`` seconds; the FIFO has been removed if made here.
        OSError: see :func:`make_fifo`.
    """
    deadline = time.monotonic() + timeout
    made: Identity | None = None
    try:
        while True:
            made = make_fifo(path) or made
            with suppress(FileNotFoundError):  # removed by a reader who was about to leave
                if (fd := _open_if_read(path)) is not None:
                    return fd
            if time.monotonic() >= deadline:
                raise _nobody(path, "reading", timeout)  # noqa: TRY301  # cleaned up after, too
            time.sleep(_PAUSE)
    except BaseException:
        if made is not None:
            remove_fifo(path, made)
        raise


def _nobody(path: str, purpose: str, timeout: float) -> TimeoutError:
    return TimeoutError(f"nobody opened {path!r} for {purpose} within {timeout:g} seconds")


def wait_readable(fd: int) -> None:
    """Sleep until there is something to read, or the last writer has left."""
    _is_ready(fd, select.POLLIN, None)


def wait_writable(fd: int, timeout: float) -> bool:
    """Sleep until there is room or the reader has left; says whether it was in time."""
    return _is_ready(fd, select.POLLOUT, timeout)


def _is_ready(fd: int, event: int, timeout: float | None) -> bool:
    poll = select.poll()
    poll.register(fd, event)
    return bool(poll.poll(None if timeout is None else timeout * 1000))  # milliseconds


def _open_made(path: str, flags: int) -> int:
    while True:
        make_fifo(path)
        with suppress(FileNotFoundError):
            if (fd := _open_same(path, flags)) is not None:
                return fd


def _open_if_read(path: str) -> int | None:
    try:
        return _open_same(path, os.O_WRONLY)
    except OSError as error:
        if error.errno != errno.ENXIO:  # which says that nobody reads, see fifo(7)
            raise
        return None


def _open_same(path: str, flags: int) -> int | None:
    """Open our FIFO, without waiting; ``None`` if the name was removed or changed meanwhile."""
    fd = os.open(path, flags | _FLAGS)
    try:
        status = os.fstat(fd)
        _require_our_fifo(path, status)
        if identity(os.lstat(path)) == identity(status):
            return fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    return None


def _require_our_fifo(path: str, status: os.stat_result) -> None:
    if not stat.S_ISFIFO(status.st_mode):
        raise FileExistsError(errno.EEXIST, "is there and is no FIFO; left alone", path)
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "is a FIFO of another user; left alone", path)

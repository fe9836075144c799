"""Which descriptors are open, and what tells one from the next that gets its number.

    number ─▶ open file description ─▶ inode
       7   ─▶        …              ─▶ (device, inode, type): survives closing and reopening of 7

Linux lists them in ``/proc/self/fd``, macOS in ``/dev/fd``; elsewhere each number is tried.
"""

from __future__ import annotations

import functools
import os
import stat
import sys

from ..real import real

Identity = tuple[int, int, int, int, str]

# Anonymous inodes (epoll, eventfd, …) share one inode without a file type: their link tells which.
_NO_TYPE = 0
_SCAN_GAP = 64  # the kernel hands out the lowest free number, so a longer gap means the end
_FOLDERS = ("/proc/self/fd", "/dev/fd")


@functools.cache
def listing() -> str | None:
    """Return the directory that lists our descriptors, or ``None`` if numbers must be tried.

    FreeBSD's ``/dev/fd`` shows 0 to 2 alone unless fdescfs is mounted, so a listing must show the
    descriptor that we open for the question.
    """
    fd, other = real.pipe()
    try:
        for folder in _FOLDERS:
            try:
                if str(fd) in real.listdir(folder):
                    return folder
            except OSError:
                continue  # not there, or not readable: try the next
        return None
    finally:
        real.close(fd)
        real.close(other)


@functools.cache
def counts() -> bool:
    """Say whether the kernel tells the number of open descriptors at once (Linux 6.2 and newer).

    Before, the size of ``/proc/self/fd`` was always 0.
    """
    return listing() == _FOLDERS[0] and real.stat(_FOLDERS[0]).st_size > 0


def count() -> int:
    """Return how many descriptors are open (only where :func:`counts` holds).

    Numbers count from when they are given away: a thread that waits in ``accept`` has one already.
    """
    size: int = real.stat("/proc/self/fd").st_size
    return size


def numbers(expected: int = 0) -> list[int]:
    """List the open descriptors, in order; works also when no further one can be opened.

    Args:
        expected: the highest number known so far; where numbers are tried, trying goes past it.
    """
    folder = listing()
    if folder is None:
        return _tried(expected)
    try:
        listed = sorted(map(int, real.listdir(folder)))
    except OSError:  # EMFILE: listing needs a descriptor of its own
        return _tried(expected, count() if counts() else 0)
    # The listing shows the descriptor that made it, which is closed by now.
    return [fd for fd in listed if is_open(fd)] if len(listed) > 1 else listed


def _tried(expected: int, total: int = 0) -> list[int]:
    """Try each number until ``total`` are found or a long gap says that there are no more."""
    found: list[int] = []
    fd = 0
    while len(found) < total or fd <= max([expected, *found[-1:]]) + _SCAN_GAP:
        if is_open(fd):
            found.append(fd)
        fd += 1
        if fd > 1 << 20:  # the kernel's own ceiling (fs.nr_open) on ordinary machines
            break
    return found


def is_open(fd: int) -> bool:
    """Say whether a number is a descriptor now."""
    try:
        real.fstat(fd)
    except OSError:
        return False
    return True


def identity(fd: int) -> Identity:
    """Return what tells the open file behind ``fd`` from others (raises ``OSError`` when closed).

    Undecidable are two of the same anonymous kind, such as an eventfd closed and another opened
    with the same number, and a path closed and opened again.
    """
    facts = real.fstat(fd)
    kind = stat.S_IFMT(facts.st_mode)
    link = link_text(fd) if kind == _NO_TYPE else ""
    return facts.st_dev, facts.st_ino, kind, facts.st_rdev, link


def link_text(fd: int) -> str:
    """Return what the kernel calls the open file, such as ``pipe:[81]``; empty if unknown."""
    try:
        text: str = real.readlink(f"/proc/self/fd/{fd}")
    except (OSError, NotImplementedError):
        return ""
    return text


def same(fd: int, known: Identity) -> bool:
    """Say whether ``fd`` is still the open file that it was."""
    try:
        facts = real.fstat(fd)
    except OSError:
        return False
    if facts.st_ino != known[1] or facts.st_dev != known[0]:
        return False
    return known[2] != _NO_TYPE or link_text(fd) == known[4]


def inheritable(fd: int) -> bool:
    """Say whether children receive the descriptor."""
    return bool(real.get_inheritable(fd))


def close(fd: int) -> None:
    """Close a descriptor; one that is closed already is no error."""
    try:
        real.close(fd)
    except OSError:
        return  # closed meanwhile, by its owner or by the garbage collector


def is_null(fd: int) -> bool:
    """Say whether ``fd`` is the null device."""
    try:
        return bool(os.path.samestat(real.fstat(fd), real.stat(os.devnull)))
    except OSError:
        return False


def waiting_bytes(fd: int) -> int | None:
    """Return how many bytes wait in a pipe, seen from either end; ``None`` if that is unknown."""
    try:
        import termios  # noqa: PLC0415  # absent on Windows

        answer = real.ioctl(fd, termios.FIONREAD, b"\0\0\0\0")
    except (ImportError, OSError):
        return None  # closed meanwhile, or nothing of the kind
    return int.from_bytes(answer, sys.byteorder)

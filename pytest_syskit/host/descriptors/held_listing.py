"""The number of open descriptors, from a directory that is held open.

    held ──▶ /proc/<our pid>/fd      its size is the number of entries (Linux 6.2 and newer)

Asking an open directory costs a tenth of finding it by its path.  It is held at a high number, so
that whoever opens a file still gets the lowest free one, and it is not inherited by programs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from ..real import real
from .quick_stat import INODE, SIZE, WORDS, Comparison, Quick, room

_PATH = "/proc/self/fd"
_NUMBER = 200  # beyond what tests count on, within the usual limit of 1024


class HeldListing:
    """Our own descriptors, counted.

    Args:
        quick: the C library's ``fstat``, where it may be used.

    Attributes:
        fd: the number at which the directory is held; -1 while it is not.
    """

    def __init__(self, quick: Quick | None = None) -> None:
        self.fd = -1
        self._inode = 0
        self._pid = 0
        self._quick = quick
        self._words: Any = room(WORDS) if quick is not None else None

    def count(self) -> int:
        """Return how many descriptors are open, this one included (raises ``OSError``).

        The directory is opened anew after a fork, for it belongs to one process, and after somebody
        has closed it, as daemons close everything.
        """
        if self._pid != real.getpid():
            return self._open()
        if self._quick is not None:
            words = self._words
            if self._quick(self.fd, words) == 0 and words[INODE] == self._inode:
                quick: int = words[SIZE]
                return quick
            return self._open()  # closed
        try:
            facts = real.fstat(self.fd)
        except OSError:
            return self._open()  # closed
        size: int = facts.st_size
        return size if facts.st_ino == self._inode else self._open()

    def comparison(
        self, count: int, files: Iterable[tuple[int, int, int]]
    ) -> Callable[[], bool] | None:
        """Return what asks at once whether ``count`` are open, and ``files`` are what they were.

        Args:
            count: how many, as told by :meth:`count`.
            files: descriptors with their devices and inodes.

        Returns:
            ``None`` where the C library's ``fstat`` may not be used.  A *no* may be wrong: when the
            directory has been opened anew, or is another process's.
        """
        if self._quick is None:
            return None
        pid, both = self._pid, Comparison(self._quick, files, (self.fd, count))
        return lambda: pid == real.getpid() and both.holds()

    def _open(self) -> int:
        self.fd = -1  # the number is somebody else's now, or the directory another process's
        low = real.open(_PATH, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self.fd, self._pid = _moved_up(low), real.getpid()
        facts = real.fstat(self.fd)
        self._inode = facts.st_ino
        size: int = facts.st_size
        return size

    def close(self) -> None:
        """Let go of the directory, unless somebody has done so."""
        try:
            if self._pid == real.getpid() and real.fstat(self.fd).st_ino == self._inode:
                real.close(self.fd)
        except OSError:
            pass  # closed
        self.fd = -1
        self._pid = 0


def _moved_up(fd: int) -> int:
    """Move a descriptor to a high number, if the limits allow one."""
    import fcntl  # noqa: PLC0415  # absent on Windows, where nothing is held

    try:
        high: int = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _NUMBER)
    except OSError:
        return fd  # RLIMIT_NOFILE is lower
    real.close(fd)
    return high

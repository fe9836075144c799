"""Stand in one directory of a tree: step down without following links, step up without leaving it.

    enter("a")  ──▶  open "a" from here, never through a link; remember which directory it is
    leave()     ──▶  open ".." from there; it must be the directory we came from

One descriptor is held whatever the depth, and no path is ever put together, so trees deeper than
the descriptor table or ``PATH_MAX`` are no different from others.  Where the platform cannot look
up names relative to a descriptor (Windows), whole paths stand in and the protection against races
is weaker.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from pytest_syskit.host.real import real

if TYPE_CHECKING:
    from typing_extensions import Self

# Asked when this module is loaded, before a fake file system can answer instead.
BY_DESCRIPTOR = {os.open, os.stat, os.unlink, os.rmdir, os.readlink} <= os.supports_dir_fd


def flags(names: Iterable[str]) -> int:
    """Combine ``os.O_*`` flags, leaving out those this platform does not know."""
    combined = 0
    for name in names:
        combined |= getattr(os, name, 0)
    return combined


_DIRECTORY = flags(["O_RDONLY", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC"])
_START = flags(["O_RDONLY", "O_DIRECTORY", "O_CLOEXEC"])
_UNLISTED = flags(["O_PATH", "O_DIRECTORY", "O_CLOEXEC"])


def identity(found: os.stat_result) -> tuple[int, int]:
    """Return what tells one inode of this machine from all others that exist with it."""
    return found.st_dev, found.st_ino


class TreeCursor:
    """A place in a tree; all names given to it are entries of the directory it stands in.

    Every method raises ``OSError`` as the call of its name does.  Use it as a context manager: it
    holds a descriptor.

    Args:
        start: the directory to begin in; links in this path are followed.
        by_descriptor: False for whole paths instead of descriptors.
    """

    def __init__(self, start: str, *, by_descriptor: bool = BY_DESCRIPTOR) -> None:
        self._start = start
        self._trail: list[str] = []
        self.fd: int | None = _open_start(start, None) if by_descriptor else None
        self._identities = [identity(self._look_at_start())]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.fd is not None:
            real.close(self.fd)

    def _look_at_start(self) -> os.stat_result:
        found: os.stat_result = real.stat(self._start) if self.fd is None else real.fstat(self.fd)
        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), self._start)
        return found

    @property
    def depth(self) -> int:
        """How many steps below the start we stand."""
        return len(self._trail)

    def route(self, name: str) -> str:
        """Return an entry's path relative to the start, with ``/`` between the names."""
        return "/".join([*self._trail, name])

    def place(self, name: str) -> str:
        """Return what the calls below pass on, together with ``dir_fd=cursor.fd``."""
        return name if self.fd is not None else os.path.join(self._start, *self._trail, name)

    def names(self) -> list[str]:
        """List the entries of this directory."""
        try:
            listed: list[str] = real.listdir(self.place(".") if self.fd is None else self.fd)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise  # else it was opened for look-ups alone, for it may not be read
            denied = errno.EACCES
            raise PermissionError(denied, os.strerror(denied), self.route(".")) from None
        return listed

    def lstat(self, name: str) -> os.stat_result:
        """Look at an entry itself, not at what it links to."""
        found: os.stat_result = real.lstat(self.place(name), dir_fd=self.fd)
        return found

    def readlink(self, name: str) -> str:
        """Return the target of a link."""
        target: str = real.readlink(self.place(name), dir_fd=self.fd)
        return target

    def open(self, name: str, how: int) -> int:
        """Open an entry; the caller closes the descriptor."""
        opened: int = real.open(self.place(name), how, dir_fd=self.fd)
        return opened

    def unlink(self, name: str) -> None:
        """Remove an entry that is no directory."""
        real.unlink(self.place(name), dir_fd=self.fd)

    def rmdir(self, name: str) -> None:
        """Remove an empty directory."""
        real.rmdir(self.place(name), dir_fd=self.fd)

    def enter(self, name: str) -> None:
        """Step into a directory.

        Raises:
            OSError: it is no directory or a link (``ENOTDIR``, ``ELOOP``), may not be read and
                searched (``EACCES``), or is where something else is mounted (``EXDEV``).
        """
        if self.fd is None:
            self._enter_by_path(name)
            return
        child = real.open(name, _DIRECTORY, dir_fd=self.fd)
        try:
            self._refuse_mounts(real.fstat(child), name)
            # Asked now, for without search permission there would be no way back up.
            self._expect(real.stat("..", dir_fd=child), self._identities[-1])
        except BaseException:
            real.close(child)
            raise
        self._identities.append(identity(real.fstat(child)))
        self._trail.append(name)
        self._stand_on(child)

    def _enter_by_path(self, name: str) -> None:
        found = self.lstat(name)
        junction = getattr(found, "st_reparse_tag", None)  # Windows: a directory elsewhere
        if not stat.S_ISDIR(found.st_mode) or junction:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
        self._refuse_mounts(found, name)
        self._identities.append(identity(found))
        self._trail.append(name)

    def leave(self) -> str:
        """Step up again; returns the name of the directory left.

        Raises:
            OSError: ``ESTALE`` when the directory was moved elsewhere since we entered it.
        """
        if self.fd is not None:
            parent = _open_start("..", self.fd)
            try:
                self._expect(real.fstat(parent), self._identities[-2])
            except BaseException:
                real.close(parent)
                raise
            self._stand_on(parent)
        self._identities.pop()
        return self._trail.pop()

    def _stand_on(self, fd: int) -> None:
        previous, self.fd = self.fd, fd
        if previous is not None:
            real.close(previous)

    def _refuse_mounts(self, found: os.stat_result, name: str) -> None:
        if found.st_dev != self._identities[-1][0]:
            raise OSError(errno.EXDEV, "another file system is mounted here", name)

    def _expect(self, found: os.stat_result, expected: tuple[int, int]) -> None:
        if identity(found) != expected:
            where = self.route(".")
            raise OSError(errno.ESTALE, "the directory was moved while we were in it", where)


def _open_start(path: str, dir_fd: int | None) -> int:
    """Open a directory that must serve for look-ups, and for listing when it may be listed."""
    try:
        opened: int = real.open(path, _START, dir_fd=dir_fd)
    except PermissionError:
        if not hasattr(os, "O_PATH"):
            raise
        opened = real.open(path, _UNLISTED, dir_fd=dir_fd)
    return opened

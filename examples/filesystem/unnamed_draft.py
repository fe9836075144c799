"""Write a file that nobody sees until it is whole: the ground under D16, D17 and D21.

    O_TMPFILE ──write──▶ fsync ──linkat──▶ .….draft ──rename──▶ name ──▶ fsync(directory)
    (no name)                              (only to replace)

On Linux the file has no name while it is written, so whoever dies then leaves nothing behind.
Where that is not possible it has a hidden name from the start.  Only a process that is killed
between two calls can leave such a name; it is locked as long as its writer lives, so that
``remove_leftovers`` can tell a dead writer's from a living one's.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

_NAME = re.compile(r"\.[0-9a-f]{16}\.[0-9a-f]{16}\.draft")
_CANNOT = {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}  # file systems, old kernels


class Draft:
    """A file being written in a directory; see :func:`draft_in`.

    Attributes:
        file: to write to.
    """

    def __init__(self, directory: int, name: str, mode: int) -> None:
        self._directory = directory
        self._name = name
        self._hidden: str | None = None
        self.file: BinaryIO = os.fdopen(self._open(mode), "wb")

    def replace(self) -> None:
        """Put the file in the place of whatever bears the name."""
        self._settle()
        if self._hidden is None:
            self._hidden = self._link_hidden()
        os.rename(self._hidden, self._name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        self._hidden = None
        os.fsync(self._directory)  # or the old name might be back after a power cut

    def add(self, name: str) -> None:
        """Give the file a name that nobody bears yet (``FileExistsError``)."""
        self._settle()
        self._link(name)
        self.discard()
        os.fsync(self._directory)

    def discard(self) -> None:
        """Remove the hidden name, if there is one."""
        if self._hidden is not None:
            with contextlib.suppress(FileNotFoundError):  # taken away by somebody else's cleaning
                os.unlink(self._hidden, dir_fd=self._directory)
            self._hidden = None

    def _open(self, mode: int) -> int:
        if hasattr(os, "O_TMPFILE"):
            try:
                fd = os.open(".", os.O_TMPFILE | os.O_WRONLY, mode, dir_fd=self._directory)
            except OSError as error:
                if error.errno not in _CANNOT:
                    raise
            else:
                _lock(fd)
                return fd
        return self._open_hidden(mode)

    def _open_hidden(self, mode: int) -> int:
        while True:
            hidden = self._new_hidden()
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            fd = os.open(hidden, flags, mode, dir_fd=self._directory)
            self._hidden = hidden
            _lock(fd)
            if os.fstat(fd).st_nlink:  # else it was taken for a leftover before it was locked
                return fd
            os.close(fd)

    def _settle(self) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())  # content first: a name must never lead to half a file

    def _link_hidden(self) -> str:
        while True:
            hidden = self._new_hidden()
            with contextlib.suppress(FileExistsError):  # one chance in 2 ** 64
                self._link(hidden)
                return hidden

    def _link(self, name: str) -> None:
        # With a dir_fd Python calls linkat and follows the link, which link() would not.
        source = self._hidden or f"/proc/self/fd/{self.file.fileno()}"
        os.link(source, name, src_dir_fd=self._directory, dst_dir_fd=self._directory)

    def _new_hidden(self) -> str:
        return hidden_name(self._name)


def hidden_name(name: str) -> str:
    """Make up a name under which something waits to take the place of ``name``."""
    digest = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]  # fits, however long the name is
    return f".{digest}.{secrets.token_hex(8)}.draft"


def is_hidden_name(name: str) -> bool:
    """Say whether a name was made up by :func:`hidden_name`."""
    return _NAME.fullmatch(name) is not None


@contextmanager
def draft_in(directory: int, name: str, mode: int = 0o666) -> Iterator[Draft]:
    """Give a draft for a name in an open directory; what is not published vanishes.

    Args:
        directory: descriptor of the directory.
        name: what the file is for.
        mode: permissions at birth, of which the umask takes its part.
    """
    draft = Draft(directory, name, mode)
    try:
        with draft.file:
            yield draft
    finally:
        draft.discard()


@contextmanager
def opened_directory(path: str | os.PathLike[str]) -> Iterator[int]:
    """Give a descriptor of a directory: it stays the same one when its path is moved."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield fd
    finally:
        os.close(fd)


def remove_leftovers(path: str | os.PathLike[str]) -> list[str]:
    """Remove what killed writers left in a directory, spare the living, and return the names."""
    with opened_directory(path) as directory:
        names = [name for name in os.listdir(directory) if is_hidden_name(name)]
        return [name for name in sorted(names) if _remove_if_dead(directory, name)]


def _remove_if_dead(directory: int, name: str) -> bool:
    try:
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory)
    except OSError:  # published or discarded meanwhile, or no file of ours
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.unlink(name, dir_fd=directory)
    except (BlockingIOError, FileNotFoundError):  # its writer lives, or just published it
        return False
    finally:
        os.close(fd)
    return True


def _lock(fd: int) -> None:
    """Mark a draft as alive; the kernel takes the lock away when its writer dies."""
    fcntl.flock(fd, fcntl.LOCK_EX)

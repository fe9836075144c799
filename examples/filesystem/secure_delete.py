"""Overwrite a file with random bytes, sync it, and remove it.

Exercise D15.  **What it cannot promise.**  It overwrites the blocks that the file has *now*.  It
does not reach copies elsewhere: in the journal or a snapshot of the file system, on a disk that
writes to new cells instead of old ones (every SSD), on file systems that never write in place
(btrfs, ZFS), in swap, in backups, in other files that a program saved under this name before.
Encrypt what must be destroyed one day, and destroy the key.

The traps it avoids: following a link to another file; destroying a file that has other names; a
huge file in one ``urandom`` call; ``open(path, "w")``, which gives the old blocks back unwritten;
removing what somebody put under the name meanwhile; an overwrite that stays in the page cache
because the file was removed before it was synced.
"""

from __future__ import annotations

import errno
import os
import stat

_PIECE = 1024 * 1024  # bytes in memory at a time: larger ones are no faster
# In place, never through a link, and without waiting for the reader of a FIFO.
_FLAGS = os.O_WRONLY | sum(
    getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_BINARY")
)


def secure_delete(path: str | os.PathLike[str], *, passes: int = 1) -> None:
    """Overwrite a regular file, and remove it; read what that cannot promise above.

    Args:
        path: the file.  It is removed only after everything went well.
        passes: how often it is overwritten; more than one serves regulations, not secrecy.

    Raises:
        ValueError: there is no such number of passes.
        OSError: it is a link, a directory or a device, has other hard links, may not be written,
            or was replaced meanwhile.
    """
    if passes < 1:
        raise ValueError(f"passes={passes!r}: at least 1 is expected")
    name = os.fspath(path)
    fd = os.open(name, _FLAGS)
    try:
        found = os.fstat(fd)
        _require_only_name(name, found)
        for _ in range(passes):
            _overwrite(fd, found.st_size)
        _remove(name, fd)
    finally:
        os.close(fd)


def _require_only_name(path: str, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "is no regular file", path)
    if found.st_nlink > 1:
        others = found.st_nlink - 1
        what = f"has {others} other name{'s' if others > 1 else ''}, which would lose its content"
        raise OSError(errno.EMLINK, what, path)


def _overwrite(fd: int, size: int) -> None:
    os.lseek(fd, 0, os.SEEK_SET)
    left = size
    while left:
        left -= os.write(fd, os.urandom(min(left, _PIECE)))
    os.fsync(fd)  # now: nobody would write the pages of a removed file to the disk


def _remove(path: str, fd: int) -> None:
    found, ours = os.lstat(path), os.fstat(fd)
    if not os.path.samestat(found, ours):
        raise OSError(errno.ESTALE, "was replaced while the old file was overwritten", path)
    os.unlink(path)
    _sync_directory(os.path.dirname(path) or os.curdir)


def _sync_directory(directory: str) -> None:
    """Make the removal last through a power cut."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows cannot open directories
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

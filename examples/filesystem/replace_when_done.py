"""Write a file that appears whole or not at all.

Used by exercises A3 and A12 for what they save.  The content goes into a new file beside the
target, is synced, and takes the target's name in one step.  After an error, or a crash at any
moment, the target is what it was before.

The traps it avoids: a half-written file after an error; a target that is a link, a directory or a
device and would be replaced; a predictable temporary name.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

_NEW_FILE_MODE = 0o666  # what open() asks for, before the umask


@contextmanager
def replace_when_done(target: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Give a binary file to write to; it becomes ``target`` when the block ends without an error.

    The mode of an existing target is kept; a new one has the mode that ``open`` would give it.

    Raises:
        OSError: the directory cannot be written to, or ``target`` exists and is no regular file.
    """
    path = os.fspath(target)
    mode = _mode_of(path)
    fd, draft = tempfile.mkstemp(prefix=".", suffix=".draft", dir=os.path.dirname(path) or ".")
    try:
        with open(fd, "wb") as file:
            yield file
            file.flush()
            os.chmod(draft, mode)
            os.fsync(fd)
        os.replace(draft, path)
    except BaseException:
        with suppress(FileNotFoundError):  # somebody cleared it away before us
            os.unlink(draft)
        raise
    _sync_directory(os.path.dirname(path) or ".")


def _mode_of(path: str) -> int:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return _NEW_FILE_MODE & ~_umask()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "is no regular file, so it is not replaced", path)
    return stat.S_IMODE(found.st_mode)


def _umask() -> int:
    """Read the umask, which can be read only by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_directory(directory: str) -> None:
    """Make the new name last through a power cut."""
    if not hasattr(os, "O_DIRECTORY"):
        return  # Windows cannot open directories
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)

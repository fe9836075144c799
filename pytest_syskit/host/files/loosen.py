"""Take off what keeps an entry from being removed: modes, and flags that bind even the owner.

Every function works on descriptors, or on a name relative to one and never through a link, so that
an entry swapped for a link at the wrong moment cannot send us out of the tree.
"""

from __future__ import annotations

import os
import stat
import struct
import sys

from .. import libc
from ..real import real

# linux/fs.h as most machines encode it; mips, powerpc and sparc differ and answer ENOTTY.
_GET_FLAGS = 0x80086601 if struct.calcsize("l") == 8 else 0x80046601  # noqa: PLR2004  # bytes in a long
_SET_FLAGS = 0x40086602 if struct.calcsize("l") == 8 else 0x40046602  # noqa: PLR2004  # bytes in a long
_IMMUTABLE, _APPEND_ONLY = 0x10, 0x20  # FS_IMMUTABLE_FL, FS_APPEND_FL


def thaw(fd: int) -> None:
    """Clear "immutable" and "append only" on an open file or directory (``chattr``, ``chflags``).

    Raises:
        OSError: not permitted, or the file system keeps no such flags.
    """
    if sys.platform.startswith("linux"):
        _thaw_linux(fd)
    elif hasattr(os, "chflags"):
        libc.library().fchflags(fd, 0)


def _thaw_linux(fd: int) -> None:
    held = bytearray(8)  # the kernel writes an int into what the request number calls a long
    real.ioctl(fd, _GET_FLAGS, held)
    (flags,) = struct.unpack_from("I", held)
    if flags & (_IMMUTABLE | _APPEND_ONLY):
        struct.pack_into("I", held, 0, flags & ~(_IMMUTABLE | _APPEND_ONLY))
        real.ioctl(fd, _SET_FLAGS, bytes(held))


def unlock_directory(name: str, dir_fd: int) -> None:
    """Give a directory mode 0700, and never anything that a link of that name points to.

    Raises:
        OSError: it is gone, is no directory, or belongs to somebody else.
    """
    try:
        real.chmod(name, 0o700, dir_fd=dir_fd, follow_symlinks=False)
    except (ValueError, NotImplementedError):  # a link, or a C library without lchmod
        if hasattr(os, "O_PATH"):
            _chmod_by_handle(name, dir_fd)


def _chmod_by_handle(name: str, dir_fd: int) -> None:
    """Do the same through a handle that needs no permission on the directory itself."""
    flags = os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC
    handle = real.open(name, flags, dir_fd=dir_fd)
    try:
        if stat.S_ISDIR(real.fstat(handle).st_mode):
            real.chmod(f"/proc/self/fd/{handle}", 0o700)
    finally:
        real.close(handle)

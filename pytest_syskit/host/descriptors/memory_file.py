"""Files without a name that only those who inherit the descriptor can reach."""

from __future__ import annotations

import importlib
import importlib.util
import os
import tempfile
import uuid

from .. import capabilities
from ..real import real

fcntl = importlib.import_module("fcntl") if importlib.util.find_spec("fcntl") else None  # POSIX
_CHUNK = 1 << 20  # bytes; large enough that one read is the rule


def create(name: str) -> int:
    """Return a descriptor, close-on-exec, of a new empty file; every write goes to its end.

    Appending matters: a program that opens ``/dev/stdout`` anew truncates the file, and writes at
    the old position would leave a hole.

    Args:
        name: shown by the kernel in listings of descriptors; need not be unique.
    """
    if fcntl is None or capabilities.missing("memfd") is not None:
        return _unlinked(name)
    fd: int = real.memfd_create(name)
    real.fcntl(fd, fcntl.F_SETFL, os.O_APPEND)
    return fd


def _unlinked(name: str) -> int:
    path = os.path.join(tempfile.gettempdir(), f"{name}-{uuid.uuid4().hex}")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
    fd: int = real.open(path, flags, 0o600)
    real.unlink(path)
    return fd


def content(fd: int) -> bytes:
    """Return all of a file without moving a position that others share."""
    parts: list[bytes] = []
    offset = 0
    while part := real.pread(fd, _CHUNK, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)

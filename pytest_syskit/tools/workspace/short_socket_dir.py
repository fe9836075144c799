"""A private directory whose entries always fit in a socket address."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_syskit.host.real import real

from .private_directory import make_private_directory
from .remove_tree import remove_after

# Bytes of sun_path on BSD and macOS, one of them the closing NUL; Linux has 108 (unix(7), unix(4)).
SOCKET_PATH_LIMIT = 103
ROOM_FOR_NAME = 60  # bytes promised for the name; the longest names of real servers have about 40
_PREFIX = "s-"
_NAME_LENGTH = len(_PREFIX) + 8  # what make_private_directory appends
# Tried in this order after the user's own choice: where it is long, as on macOS, these are short.
SHORT_ROOTS = ("/tmp", "/var/tmp")  # noqa: S108  # what is made there is private and unguessable


@contextmanager
def short_socket_dir(root: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Give a private 0700 directory in which names of up to 60 bytes fit in ``sun_path``.

    Socket addresses hold 107 bytes on Linux and 103 on BSD and macOS; a test's own temporary
    directory is often longer than that.

    Example:
        >>> import socket
        >>> with short_socket_dir() as folder, socket.socket(socket.AF_UNIX) as server:
        ...     server.bind(str(folder / "server.sock"))

    Args:
        root: the directory to create it in; the default is the shortest way that works, beginning
            with ``tempfile.gettempdir()``.

    Raises:
        OSError: no directory is short enough and writable; says which were tried and why not.
        TreeNotRemoved: at the end, something in it could not be removed.
    """
    path = _make(_candidates(root))
    owner = real.getpid()
    try:
        yield Path(path)
    except BaseException as failure:
        if real.getpid() == owner:  # a forked child that comes by here must not clear up for all
            remove_after(path, failure)
        raise
    if real.getpid() == owner:
        remove_after(path, None)


def _candidates(root: str | os.PathLike[str] | None) -> list[str]:
    if root is not None:
        return [os.path.abspath(os.fsdecode(root))]
    return list(dict.fromkeys([os.path.abspath(tempfile.gettempdir()), *SHORT_ROOTS]))


def _make(roots: list[str]) -> str:
    refusals = []
    for root in roots:
        length = len(os.fsencode(root)) + 1 + _NAME_LENGTH + 1
        if length + ROOM_FOR_NAME > SOCKET_PATH_LIMIT:
            room = max(0, SOCKET_PATH_LIMIT - length)
            refusals.append(f"{root!r} leaves {room} bytes for a name")
            continue
        try:
            return make_private_directory(root, _PREFIX)
        except OSError as error:
            refusals.append(str(error.strerror or error))
    raise OSError(
        f"no place for a short socket directory ({ROOM_FOR_NAME} bytes for a name are promised of "
        f"the {SOCKET_PATH_LIMIT} of a socket address): {'; '.join(refusals)}"
    )

"""Work in another directory for a while and come back, whatever happens to either."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_syskit.host.real import real

from .remove_tree import add_note
from .tree_cursor import flags, identity

# A handle needs no permission on the directory where the platform knows such handles (Linux).
_HANDLE = flags(["O_PATH"] if hasattr(os, "O_PATH") else ["O_RDONLY"]) | flags(
    ["O_DIRECTORY", "O_CLOEXEC"]
)
_CAN_RETURN_BY_HANDLE = hasattr(os, "fchdir")


@contextmanager
def working_directory(place: str | os.PathLike[str]) -> Iterator[Path]:
    """Change the working directory of the process, and change back at the end.

    The way back is a descriptor, so it works when the previous directory was moved or removed.

    Example:
        >>> with working_directory("/") as place:
        ...     print(os.getcwd() == str(place))
        True

    Raises:
        OSError: the place cannot be entered, or the previous one not be entered again.
    """
    way_back = _remember()
    try:
        real.chdir(place)
        yield Path(place)
    except BaseException as failure:
        try:
            _return(way_back)
        except OSError as lost:  # the block's own exception is the news
            add_note(failure, str(lost))
        raise
    _return(way_back)


@dataclass(frozen=True, slots=True)
class _WayBack:
    """A descriptor of the directory and which directory that is, and its path; either may lack."""

    handle: int | None
    identity: tuple[int, int] | None
    path: str | None


def _remember() -> _WayBack:
    try:
        path = real.getcwd()
    except OSError:
        path = None  # removed; the descriptor still leads there
    try:
        handle = real.open(".", _HANDLE) if _CAN_RETURN_BY_HANDLE else None
    except OSError:
        handle = None  # may not be read, or the descriptor table is full
    return _WayBack(handle, None if handle is None else identity(real.fstat(handle)), path)


def _return(way: _WayBack) -> None:
    if way.handle is not None and _still_ours(way.handle, way.identity):
        try:
            real.fchdir(way.handle)
        finally:
            real.close(way.handle)
    elif way.path is not None:
        real.chdir(way.path)
    else:
        raise OSError("cannot go back to the previous working directory: it was removed before")


def _still_ours(handle: int, expected: tuple[int, int] | None) -> bool:
    """Say whether the block left our descriptor alone; some close all, and numbers are reused."""
    try:
        return identity(real.fstat(handle)) == expected
    except OSError:
        return False

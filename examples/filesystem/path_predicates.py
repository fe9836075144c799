"""Ask the path predicates of ``os.path`` about a name, all at once.

Exercise A5. ``exists``, ``lexists``, ``isfile``, ``isdir``, ``islink`` and ``getsize``; the table
in the test says what each answers for every type of entry.  All but ``lexists`` and ``islink``
follow links, and none of them raises: what may not be looked at "is" nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

HERE = os.curdir  # "." on every platform Python runs on, by its name


@dataclass(frozen=True, slots=True)
class Predicates:
    """What the predicates answer for one name; ``size`` is ``None`` where nothing exists."""

    exists: bool
    lexists: bool
    isfile: bool
    isdir: bool
    islink: bool
    size: int | None


def predicates(path: str | os.PathLike[str]) -> Predicates:
    """Ask them all; the answers may be of different moments if somebody changes the entry."""
    return Predicates(
        exists=os.path.exists(path),
        lexists=os.path.lexists(path),
        isfile=os.path.isfile(path),
        isdir=os.path.isdir(path),
        islink=os.path.islink(path),
        size=_size(path),
    )


def _size(path: str | os.PathLike[str]) -> int | None:
    """Return the size; asking ``exists`` first would be a race."""
    try:
        return os.path.getsize(path)
    except OSError:  # nothing there, or a link that leads nowhere, or it may not be looked at
        return None

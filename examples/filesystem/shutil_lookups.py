"""Ask ``shutil`` for the space on a disk, and for the file that a command would run.

Exercise D13, look-ups.

The traps it avoids: the space of a directory that is not there yet; "free" space that only the
superuser may use; a program that ``which`` finds in the working directory, or by a relative entry
of PATH, so that the answer is another one elsewhere; a directory of the command's name.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = "str | os.PathLike[str]"


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Bytes of a file system; ``free`` is what an ordinary user may still write.

    ``used`` and ``free`` need not add up to ``total``: the rest is kept for the superuser.
    """

    total: int
    used: int
    free: int


def disk_space(path: Path) -> DiskSpace:
    """Return the space of the file system that has a path, or would have it.

    Raises:
        OSError: the place may not be looked at.
    """
    place = os.path.abspath(path)
    while not os.path.lexists(place) and os.path.dirname(place) != place:
        place = os.path.dirname(place)
    return DiskSpace(*shutil.disk_usage(place))


def has_room(path: Path, size: int) -> bool:
    """Say whether so many bytes fit now; the next moment somebody else may write them."""
    return disk_space(path).free >= size


def find_program(name: str, path: str | None = None) -> str | None:
    """Return the absolute path of the program that a command name runs, or ``None``.

    Args:
        name: a name, without a directory.
        path: the directories to look in, joined as in PATH, which is the default; relative and
            empty ones are passed over.

    Raises:
        ValueError: the name is empty or has a directory.
    """
    if not name or os.path.dirname(name):
        raise ValueError(f"name={name!r}: the name of a command is expected, such as 'tar'")
    entries = (os.environ.get("PATH", os.defpath) if path is None else path).split(os.pathsep)
    absolute = [entry for entry in entries if os.path.isabs(entry)]
    found = shutil.which(name, path=os.pathsep.join(absolute)) if absolute else None
    return found if found is None or os.path.isabs(found) else None  # Windows: the directory here

"""Walk a tree: down or up, with parts left out, through links without looping, errors told.

Exercise A9.  What ``os.walk`` does, and what it leaves to its caller.  The traps it avoids: errors
that ``os.walk`` swallows unless it is given ``onerror``; a walk through links that never ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folder:
    """One directory of the walk; names are sorted, links to directories count as directories."""

    path: str
    directories: tuple[str, ...]
    files: tuple[str, ...]


def walk_down(
    root: str,
    *,
    on_error: Callable[[OSError], None],
    prune: Collection[str] = (),
    follow_links: bool = False,
) -> Iterator[Folder]:
    """Yield directories, each before those in it.

    Args:
        root: where to begin.
        on_error: is called with each directory that cannot be listed, the root included; the walk
            goes on.  There is no default, so that nobody forgets.
        prune: names of directories that are left out with all that is in them.
        follow_links: also enter directories through links, each directory once: the first way to it
            counts, and a link to where we came from is no way.
    """
    entered: set[tuple[int, int]] = set()
    for path, directories, files in os.walk(root, onerror=on_error, followlinks=follow_links):
        if follow_links and not first_visit(path, entered):
            directories.clear()  # in place: this is how os.walk is told where not to go
            continue
        directories[:] = sorted(name for name in directories if name not in prune)
        yield Folder(path, tuple(directories), tuple(sorted(files)))


def walk_up(root: str, *, on_error: Callable[[OSError], None]) -> Iterator[Folder]:
    """Yield directories, each after those in it, so that they can be removed on the way.

    There is no pruning: when a directory is seen, all in it has been.
    """
    for path, directories, files in os.walk(root, topdown=False, onerror=on_error):
        yield Folder(path, tuple(sorted(directories)), tuple(sorted(files)))


def first_visit(path: str, entered: set[tuple[int, int]]) -> bool:
    """Say whether a directory is seen for the first time, and note it in ``entered``."""
    try:
        found = os.stat(path)
    except FileNotFoundError:  # it vanished after it was listed
        return False
    identity = (found.st_dev, found.st_ino)
    is_new = identity not in entered
    entered.add(identity)
    return is_new

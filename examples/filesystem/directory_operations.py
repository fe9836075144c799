"""Work with directories: make, list, enter, rename, and two ways to remove.

Exercise A6.  ``remove_empty`` takes an empty directory only, ``remove_all`` a directory with what
is in it.  The traps it avoids: removing through a link what the link leads to; a working directory
that stays changed after an error; a rename that silently replaces an empty directory.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Union

Path = Union[str, "os.PathLike[str]"]


@contextmanager
def inside(directory: Path) -> Iterator[str]:
    """Work in a directory for a block; gives its path without links.

    Coming back needs no name, so it works even if the first directory was renamed meanwhile
    (POSIX).  The working directory belongs to the whole process: not for programs with threads.
    """
    before = os.open(os.curdir, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.chdir(directory)
        yield os.getcwd()
    finally:
        os.chdir(before)
        os.close(before)


def entries(directory: Path = os.curdir) -> list[str]:
    """Return the names in a directory, sorted: ``os.listdir`` has no order."""
    return sorted(os.listdir(directory))


def rename_directory(old: Path, new: Path) -> None:
    """Rename a directory.

    Raises:
        FileExistsError: there is something of the new name.  (``os.rename`` would replace an empty
            directory on POSIX; between our look and the rename it still can.)
    """
    if os.path.lexists(new):
        raise FileExistsError(errno.EEXIST, "is there already", os.fspath(new))
    os.rename(old, new)


def remove_empty(directory: Path) -> None:
    """Remove an empty directory; never a link to one.

    Raises:
        NotADirectoryError: it is something else, such as a link.
        OSError: it is not empty (``errno.ENOTEMPTY``), is missing, or belongs to somebody else.
    """
    os.rmdir(directory)


def remove_all(directory: Path) -> None:
    """Remove a directory and everything in it; links in it go, what they lead to stays.

    Raises:
        NotADirectoryError: it is a link or a file; nothing was removed.
        OSError: it is missing, or something in it could not be removed.
    """
    # A slash at the end would lead through a link, to the tree behind it.
    name = os.fspath(directory).rstrip(os.sep) or os.sep
    if os.path.islink(name):
        raise NotADirectoryError(errno.ENOTDIR, "is a link to a directory, not one", name)
    shutil.rmtree(name)

"""Copy a file by ``shutil``, and know what each of its functions takes along.

Exercise D13, files; trees are in ``shutil_trees.py``, disk space and programs in
``shutil_lookups.py``.

============  =======  ====  ================  ========================
function      content  mode  times, flags      target is a directory
============  =======  ====  ================  ========================
copyfile      yes      no    no                an error
copy          yes      yes   no                the copy goes into it
copy2         yes      yes   yes               the copy goes into it
copymode      no       yes   no                its mode changes
copystat      no       yes   yes               its mode and times change
============  =======  ====  ================  ========================

None of them takes the owner along.  The traps: a copy that goes into a directory where the target
was meant as a name; a target that is a link, through which the copy is written over a file
somewhere else; a target that is there and is overwritten without a word.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeAlias

Path: TypeAlias = "str | os.PathLike[str]"


class Keep(Enum):
    """What a copy takes along besides the content."""

    NOTHING = "nothing"
    MODE = "mode"
    METADATA = "metadata"


_CALLS: dict[Keep, Callable[..., Any]] = {
    Keep.NOTHING: shutil.copyfile,
    Keep.MODE: shutil.copy,
    Keep.METADATA: shutil.copy2,
}


def copy_as(source: Path, target: Path, keep: Keep = Keep.METADATA) -> None:
    """Copy a file to a name that is free or is a regular file's; links in ``source`` are followed.

    The target is written in place: a crash leaves half of it (``copy_and_move.py`` does not).

    Raises:
        IsADirectoryError: the target is a directory.
        OSError: the target is a link or something else that is no file (``errno.EINVAL``).
        shutil.SameFileError: both are one file.
        shutil.SpecialFileError: the source is a FIFO.
    """
    _refuse_all_but_files(target)
    _CALLS[keep](source, target)


def copy_mode(source: Path, target: Path) -> None:
    """Give a file the permission bits of another; of a link, those of what it leads to."""
    shutil.copymode(source, target)


def copy_metadata(source: Path, target: Path) -> None:
    """Give a file mode, times, flags and, on Linux, extended attributes of another."""
    shutil.copystat(source, target)


def _refuse_all_but_files(target: Path) -> None:
    try:
        mode = os.lstat(target).st_mode
    except FileNotFoundError:
        return
    path = os.fspath(target)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a directory; name the file in it", path)
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "is no regular file, so nothing is copied over it", path)

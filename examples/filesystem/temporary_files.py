"""Temporary files and directories: which kind for what, and when each of them goes.

Exercise D20.

    ======================  ==============================  ===========================
    for                     use                             it goes
    ======================  ==============================  ===========================
    another program's eyes  ``file_with``                   at the end of the block
    later                   ``persistent_file``             when its new owner removes it
    a name and descriptor   ``secure_temporary.py``         at the end of the block
    many files              ``scratch_directory``           at the end of the block
    ======================  ==============================  ===========================

The traps it avoids: ``delete=False`` with a file left behind when the writing failed, or by nobody
being its owner; a program that reads an empty file, since what was written is still in a buffer;
a directory of one's own for temporary files that stays the default for everybody afterwards.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VARIABLES = ("TMPDIR", "TEMP", "TMP")  # in the order in which they are asked


@contextmanager
def file_with(content: bytes, *, suffix: str = "") -> Iterator[Path]:
    """Give the path of a file that holds ``content``, for another program to read or change.

    It is closed, so that the content is there, and so that Windows lets others open it.
    """
    path = persistent_file(content, suffix=suffix)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)  # the program may have moved it


def persistent_file(
    content: bytes, *, suffix: str = "", directory: str | os.PathLike[str] | None = None
) -> Path:
    """Write a file of a new name, mode 0600, that stays; whoever gets the path is its owner.

    Raises:
        OSError: it could not be written as a whole; then there is none.
    """
    with tempfile.NamedTemporaryFile(suffix=suffix, dir=directory, delete=False) as file:
        try:
            file.write(content)
            file.flush()  # here, where an error (a full disk) still finds us
        except BaseException:
            os.unlink(file.name)
            raise
    return Path(file.name)


@contextmanager
def scratch_directory(parent: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """Give a directory of mode 0700, which goes with all that is in it; links are not followed."""
    with tempfile.TemporaryDirectory(dir=parent) as path:
        yield Path(path)


@contextmanager
def temporary_files_in(directory: str | os.PathLike[str]) -> Iterator[None]:
    """Let temporary files of this process and its children go to a directory, for a block.

    Both are restored afterwards: ``tempfile.tempdir``, which is asked here, and the variables,
    which are asked by children.  They belong to the whole process: not for programs with threads.

    Raises:
        NotADirectoryError: there is no such directory.  (``tempfile`` would not say so: it takes
            another one if ``TMPDIR`` is wrong.)
    """
    place = os.path.realpath(directory)
    if not os.path.isdir(place):
        raise NotADirectoryError(f"{os.fspath(directory)!r} is no directory for temporary files")
    with contextlib.ExitStack() as restore:
        restore.callback(setattr, tempfile, "tempdir", tempfile.tempdir)
        for name in _VARIABLES:
            restore.callback(_set_variable, name, os.environ.get(name))
            os.environ[name] = place
        tempfile.tempdir = place
        yield


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value

"""Copy and move files of any size, also to another file system, so that none is ever half there.

Exercise D12, copy and move; the size of a tree is in ``directory_size.py``, duplicates are found by
``duplicate_files.py`` (exercise A12), trees are moved by ``shutil_trees.py`` (exercise D13).

 same file system     rename
 another one          source ──read, piece by piece──▶ draft ──fsync──▶ target    then unlink source

The traps it avoids: a copy that reads all bytes into memory; ``os.rename``, which fails with EXDEV
between file systems; a copy across them that dies half-way and leaves half a target, or removes the
source before the target is safe; a target that is replaced without a word; a source that is written
to during the copy and loses what was written; waiting for the writer of a FIFO.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from file_basics import rename_file
from unnamed_draft import draft_in, hidden_name, opened_directory

_PIECE = 1 << 20  # bytes in memory at a time: large enough that reading costs more than calling

Path: TypeAlias = "str | os.PathLike[str]"


@dataclass(frozen=True, slots=True)
class _Version:
    """What a file was when the copy began; another size or time is another content."""

    size: int
    modified: int


def copy_file(source: Path, target: Path, *, replace: bool = False) -> int:
    """Copy a file with its mode and times; returns how many bytes.

    The target appears when it is whole and on the disk.  Owner, access lists and extended
    attributes are not copied, and holes are filled.

    Args:
        source: a regular file, or a link to one.
        target: a name; not the directory to put it in.
        replace: put the copy in the place of a file that is there.

    Raises:
        FileExistsError: the target is there, and ``replace`` was not said.
        OSError: the source is no regular file or changed during the copy; the target is a
            directory, or cannot be written; nothing has changed.
    """
    with _opened(source) as file:
        _refuse_the_same(file, target)
        _publish(file, target, replace=replace)
        return os.fstat(file.fileno()).st_size


def move_file(source: Path, target: Path, *, replace: bool = False) -> None:
    """Give a file or a link another place, on whatever file system.

    A crash at any moment leaves the file at one place or, between two file systems, at both.
    Arguments and errors are those of :func:`copy_file`, but a link is moved itself.
    """
    try:
        _rename(source, target, replace=replace)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _move_across(source, target, replace=replace)


def _rename(source: Path, target: Path, *, replace: bool) -> None:
    found = os.lstat(source)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a directory, not a file", os.fspath(source))
    if not replace:
        rename_file(source, target)
    elif os.path.lexists(target) and os.path.samestat(found, os.lstat(target)):
        raise _same(target)  # rename would leave both names and call it a success
    else:
        os.rename(source, target)


def _move_across(source: Path, target: Path, *, replace: bool) -> None:
    if os.path.islink(source):
        _copy_link(source, target, replace=replace)
    else:
        copy_file(source, target, replace=replace)
    os.unlink(source)


def _copy_link(source: Path, target: Path, *, replace: bool) -> None:
    if not replace:
        os.symlink(os.readlink(source), target)
        return
    directory, name = os.path.split(os.fspath(target))
    draft = os.path.join(directory, hidden_name(name))
    os.symlink(os.readlink(source), draft)
    try:
        os.rename(draft, target)
    except OSError:
        os.unlink(draft)
        raise


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    with open(source, "rb", buffering=0, opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "is no regular file", os.fspath(source))
        yield file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _refuse_the_same(file: BinaryIO, target: Path) -> None:
    try:
        there = os.stat(target)
    except OSError:  # nothing there yet, or a link that leads nowhere
        return
    if os.path.samestat(os.fstat(file.fileno()), there):
        raise _same(target)


def _same(target: Path) -> OSError:
    return shutil.SameFileError(errno.EEXIST, "is the same file", os.fspath(target))


def _publish(file: BinaryIO, target: Path, *, replace: bool) -> None:
    directory, name = os.path.split(os.fspath(target))
    before = os.fstat(file.fileno())
    with opened_directory(directory or os.curdir) as place, draft_in(place, name, 0o600) as draft:
        shutil.copyfileobj(file, draft.file, _PIECE)
        draft.file.flush()
        _keep(before, draft.file.fileno())
        if _version(os.fstat(file.fileno())) != _version(before):
            raise OSError(errno.EBUSY, "changed while it was copied", str(file.name))
        draft.replace() if replace else draft.add(name)


def _version(found: os.stat_result) -> _Version:
    return _Version(found.st_size, found.st_mtime_ns)


def _keep(found: os.stat_result, fd: int) -> None:
    os.fchmod(fd, stat.S_IMODE(found.st_mode) & 0o777)  # set-id bits are another owner's trust
    os.utime(fd, ns=(found.st_atime_ns, found.st_mtime_ns))

"""Copy, move and remove trees by ``shutil``, and hear of everything that did not work.

Exercise D13, trees; files are in ``shutil_copies.py``.

The traps it avoids: ``copytree`` that follows links, and so copies a tree again and again or ends
up outside; a tree copied into itself; one FIFO or unreadable directory, for which it raises in the
end, with a list of tuples as the message; ``move``, which goes *into* a target that is a directory;
``rmtree(ignore_errors=True)``, after which nobody knows what is left; its ``onerror``, which Python
3.12 replaced by ``onexc``.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Path: TypeAlias = "str | os.PathLike[str]"
_OWNER_MAY_ALL = stat.S_IRWXU


def copy_tree(source: Path, target: Path, ignore: Sequence[str] = ()) -> list[OSError]:
    """Copy a tree to a name that is free; links stay links, modes and times are kept.

    Args:
        source: a directory.
        target: its directory is made if it is missing.
        ignore: patterns of names (``*.pyc``, ``.git``) that are left out, wherever they are.

    Returns:
        What could not be copied, such as FIFOs and unreadable files; all else was.

    Raises:
        FileExistsError: the target is there.
        OSError: ``source`` cannot be listed, or the target is inside of it.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "is there already", os.fspath(target))
    _refuse_inside(source, target)
    problems: list[OSError] = []
    try:
        shutil.copytree(
            source,
            target,
            symlinks=True,
            ignore=shutil.ignore_patterns(*ignore),
            copy_function=_noting(problems),
        )
    except shutil.Error as error:  # raised after all has been tried
        problems += [OSError(errno.EIO, why, path) for path, _target, why in error.args[0]]
    return problems


def _noting(problems: list[OSError]) -> Callable[[str, str], str]:
    """Make a copy function that notes what goes wrong, so that copytree goes on and keeps quiet."""

    def copy(source: str, target: str) -> str:
        try:
            return str(shutil.copy2(source, target, follow_symlinks=False))
        except shutil.SpecialFileError:
            problems.append(OSError(errno.EINVAL, "is no regular file", source))
        except OSError as error:
            problems.append(OSError(error.errno, error.strerror or str(error), source))
        return target

    return copy


def _refuse_inside(source: Path, target: Path) -> None:
    outer, inner = os.path.realpath(source), os.path.realpath(target)
    if os.path.commonpath([outer, inner]) == outer:
        raise OSError(errno.EINVAL, f"cannot go into itself, {inner!r}", os.fspath(source))


def move_tree(source: Path, target: Path) -> None:
    """Give a tree or a file a new name, on whatever file system.

    Between two file systems it is copied, then removed; an error on the way leaves the source, and
    what has been copied so far.

    Raises:
        FileExistsError: the target is there; nothing goes into it.
        OSError: the source is missing, or the target is inside of it.
    """
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "is there already", os.fspath(target))
    if os.path.isdir(source) and not os.path.islink(source):
        _refuse_inside(source, target)
    shutil.move(os.fspath(source), os.fspath(target))


def remove_tree(path: Path, *, force: bool = False) -> list[OSError]:
    """Remove a tree as far as possible; links in it go, what they lead to stays.

    Args:
        path: a directory, not a link to one.
        force: make directories of ours writable that are not, and try again.

    Returns:
        What is left, with the reasons; empty when all is gone.  What vanished by itself is gone.

    Raises:
        OSError: ``path`` is missing, or is no directory.
    """
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), os.fspath(path))
    problems = _remove(path)
    if force and problems:
        _open_directories(path)
        problems = _remove(path)
    return problems


def _remove(path: Path) -> list[OSError]:
    problems: list[OSError] = []

    def note(_call: object, _name: str, error: Any) -> None:
        problem = error if isinstance(error, OSError) else error[1]  # the latter: exc_info
        if not isinstance(problem, FileNotFoundError):  # somebody else was faster
            problems.append(problem)

    if sys.version_info >= (3, 12):
        shutil.rmtree(path, onexc=note)
    else:
        shutil.rmtree(path, onerror=note)
    return problems


def _open_directories(path: Path) -> None:
    """Let the owner enter, list and change each directory, before os.walk goes into it."""
    _open(os.fspath(path))
    for folder, directories, _files in os.walk(path):
        for name in directories:
            _open(os.path.join(folder, name))


def _open(directory: str) -> None:
    try:
        found = os.lstat(directory)
        if stat.S_ISDIR(found.st_mode):  # a chmod would go through a link
            os.chmod(directory, stat.S_IMODE(found.st_mode) | _OWNER_MAY_ALL)
    except OSError:  # somebody else's, or gone: the second attempt will tell
        return

r"""Take paths apart, put them together and relate them, by the rules of POSIX or of Windows.

Exercise D2.  ``os.path`` is ``posixpath`` here and ``ntpath`` there.  Every system has both
modules, so each function takes the rules as an argument, and both can be seen side by side::

                    POSIX                Windows
    sep, altsep     /  (none)            \  /
    pathsep         :                    ;
    split           'a/b' | 'c.txt'      'C:\a' | 'c.txt'
    absolute        begins with /        drive and \ ; '\a' and 'C:a' are only half of it

The traps it avoids: ``commonprefix``, which compares letters and cuts names in the middle
(``/home/ann``, ``/home/anna`` → ``/home/ann``), where ``commonpath`` compares names; a containment
test by ``startswith``, which has the same fault; ``join``, which forgets all that stands before an
absolute part; ``normpath``, which takes ``..`` away without a look at links.
"""

from __future__ import annotations

import ntpath
import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

POSIX = posixpath
WINDOWS = ntpath
HERE: ModuleType = os.path


@dataclass(frozen=True, slots=True)
class Separators:
    """What stands between names (``sep``, and ``altsep`` if there is one) and between paths."""

    sep: str
    altsep: str | None
    pathsep: str


@dataclass(frozen=True, slots=True)
class PathPieces:
    """A path taken apart by its text alone.

    ``directory`` and ``name`` are what ``split`` gives; ``stem`` and ``extension`` what
    ``splitext`` gives for the name: of ``a.tar.gz`` the extension is ``.gz``, of ``.profile`` none.
    """

    drive: str
    directory: str
    name: str
    stem: str
    extension: str
    absolute: bool


def separators(rules: ModuleType = HERE) -> Separators:
    """Return the separators of a system."""
    return Separators(rules.sep, rules.altsep, rules.pathsep)


def take_apart(path: str, rules: ModuleType = HERE) -> PathPieces:
    """Take a path apart; nothing is looked up, so it need not exist."""
    directory, name = rules.split(path)  # the same as dirname and basename
    stem, extension = rules.splitext(name)
    drive = rules.splitdrive(path)[0]
    return PathPieces(drive, directory, name, stem, extension, _is_absolute(path, rules))


def _is_absolute(path: str, rules: ModuleType) -> bool:
    if rules is not ntpath:
        return bool(rules.isabs(path))
    # By hand: until Python 3.12 ntpath took a path without a drive for absolute, since 3.13 not.
    drive, rest = ntpath.splitdrive(path)
    return bool(drive) and (rest[:1] in {"\\", "/"} or drive[0] in "\\/")


def join_below(base: str, *parts: str, rules: ModuleType = HERE) -> str:
    """Join parts to a base that none of them may leave.

    Judged by the text alone; a link in the base still leads where it leads.

    Raises:
        ValueError: a part is absolute, has a drive, or climbs out by ``..``; names the result.
    """
    joined = rules.normpath(rules.join(base, *parts))
    if not is_below(joined, base, rules):
        raise ValueError(f"{joined!r} is not below {base!r}")
    return str(joined)


def is_below(path: str, directory: str, rules: ModuleType = HERE) -> bool:
    """Say whether a path is a directory, or in it, by the text alone.

    Both have to be absolute, or both relative to the same place; otherwise the answer is no, as it
    is for a directory that begins with "..", of which the text does not tell where it is.
    """
    top = rules.normpath(directory)
    inner = rules.normpath(path)
    if inner.split(rules.sep)[0] == rules.pardir:  # above, however far the top is
        return False
    if top == rules.curdir:
        return not _is_rooted(inner, rules)
    try:
        common = rules.commonpath([inner, top])
    except ValueError:  # absolute against relative, or two drives
        return False
    return bool(rules.normcase(common) == rules.normcase(top))


def _is_rooted(path: str, rules: ModuleType) -> bool:
    drive, rest = rules.splitdrive(path)
    return bool(drive) or rest[:1] in {rules.sep, rules.altsep}


def common_directory(paths: Sequence[str], rules: ModuleType = HERE) -> str:
    """Return the longest path that all begin with, name by name.

    Raises:
        ValueError: there are no paths; or absolute and relative ones, or several drives.
    """
    return str(rules.commonpath(paths))


def common_letters(paths: Sequence[str]) -> str:
    """Return the letters that all begin with: text, and most often no path at all.

    Kept beside :func:`common_directory` to show what ``commonprefix`` does.
    """
    return os.path.commonprefix(list(paths))  # noqa: RUF071  # letters are the subject


def relative_way(path: str, start: str, rules: ModuleType = HERE) -> str:
    """Return the way from a directory to a path, by the text alone.

    Raises:
        ValueError: they are on different drives (Windows).
    """
    return str(rules.relpath(path, start))


def true_path(path: str) -> str:
    """Return where a path leads, all links followed; what is missing at its end stays as it is."""
    return os.path.realpath(path)


def written_path(path: str) -> str:
    """Return a path made absolute by its text: ``link/..`` is taken for where the link stands."""
    return os.path.abspath(path)

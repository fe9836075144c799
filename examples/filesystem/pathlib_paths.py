r"""Take pathlib's paths apart and change their parts, without a look at any file.

Exercise D10, the pure half; the half that touches files is ``pathlib_files.py``.  PurePosixPath and
PureWindowsPath follow the rules of their system anywhere.

::

    PurePosixPath("/srv/logs/web.tar.gz")
        anchor /    parent /srv/logs    name web.tar.gz    stem web.tar    suffix .gz
                                        suffixes .tar .gz

The traps it avoids: ``with_suffix(".zip")`` of ``web.tar.gz``, which is ``web.tar.zip``; a suffix
without its dot; ``with_stem``, which has the same idea of a stem; ``/``, which forgets all that
stands before an absolute part; comparing paths of two systems as text.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TypeVar

AnyPath = TypeVar("AnyPath", bound=PurePath)


@dataclass(frozen=True, slots=True)
class PathProperties:
    r"""The properties of a path.

    Attributes:
        drive: ``C:`` or ``\\host\share``; empty on POSIX.
        root: the slash of an absolute path.
        anchor: drive and root.
        parent: all but the last part.
        name: the last part; empty for a root.
        stem: the name without its last suffix.
        suffix: the last suffix, with its dot.
        suffixes: all of them.
        parts: the anchor, then name by name.
        absolute: whether it begins at a root (and, on Windows, a drive).
    """

    drive: str
    root: str
    anchor: str
    parent: str
    name: str
    stem: str
    suffix: str
    suffixes: tuple[str, ...]
    parts: tuple[str, ...]
    absolute: bool


def path_properties(path: PurePath) -> PathProperties:
    """Return all properties of a path; nothing is looked up, so it need not exist."""
    return PathProperties(
        drive=path.drive,
        root=path.root,
        anchor=path.anchor,
        parent=str(path.parent),
        name=path.name,
        stem=path.stem,
        suffix=path.suffix,
        suffixes=tuple(path.suffixes),
        parts=path.parts,
        absolute=path.is_absolute(),
    )


def with_all_suffixes(path: AnyPath, suffixes: str) -> AnyPath:
    """Exchange all suffixes: ``web.tar.gz`` with ``.zip`` is ``web.zip``.

    Whoever names a file ``report.v1.2.txt`` loses the version, too: then ``with_suffix`` is right.

    Args:
        path: has a name.
        suffixes: begins with a dot, or is empty to take them all away.

    Raises:
        ValueError: there is no name, or a suffix without a dot; says which.
    """
    if suffixes and (suffixes[0] != "." or suffixes in {".", ".."} or _has_separator(suffixes)):
        raise ValueError(f"suffixes={suffixes!r}: '.zip' or '.tar.gz' or '' is expected")
    return path.with_name(_bare_name(path) + suffixes)


def with_new_stem(path: AnyPath, stem: str) -> AnyPath:
    """Exchange the name before all suffixes: ``web.tar.gz`` with ``mail`` is ``mail.tar.gz``.

    Raises:
        ValueError: there is no name, or ``stem`` is none.
    """
    if not stem or _has_separator(stem):
        raise ValueError(f"stem={stem!r}: the beginning of a name is expected")
    return path.with_name(stem + "".join(path.suffixes))


def _has_separator(text: str) -> bool:
    return "/" in text or "\\" in text


def _bare_name(path: PurePath) -> str:
    if not path.name:
        raise ValueError(f"{str(path)!r} has no name to change")
    length = len(path.name) - sum(map(len, path.suffixes))
    return path.name[:length]


def numbered(path: AnyPath, number: int) -> AnyPath:
    """Put a number before the suffixes: ``web.tar.gz`` with 2 is ``web (2).tar.gz``."""
    return with_new_stem(path, f"{_bare_name(path)} ({number})")


def joined(base: AnyPath, *parts: str) -> AnyPath:
    """Join relative parts to a base.

    Raises:
        ValueError: a part is absolute, has a drive, or has ``..`` in it: that would leave the base.
    """
    for part in parts:
        pure = type(base)(part)
        if pure.anchor or ".." in pure.parts:
            raise ValueError(f"{part!r} would leave {str(base)!r}")
    return base.joinpath(*parts)

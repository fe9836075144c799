"""Create symbolic links, look at the links themselves, and follow them step by step.

Exercise B9.  Traps.  A temporary name that can be guessed can be taken by somebody else between the
guess and the use, so the link is made in a directory of its own.  A relative target counts from the
directory of the link, not from where we stand.  A link may point to nothing, or in a circle, and
``os.path.exists`` calls both missing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Iterator
from typing import Literal

MOST_STEPS = 40  # links that Linux follows before it speaks of a circle


class LinkCircle(OSError):
    """Links that lead back to one of them, or on and on."""


def relative_target(target: str, link: str) -> str:
    """Return how ``link`` has to name ``target`` so that both can be moved together.

    The directory of the link is taken as it truly is, for that is where ``..`` counts from.
    """
    folder = os.path.realpath(os.path.dirname(link) or os.curdir)
    parent, name = os.path.split(os.path.abspath(target))
    return os.path.relpath(os.path.join(os.path.realpath(parent), name), folder)


def replace_link(target: str, link: str) -> None:
    """Create a link, or point an existing one elsewhere, so that it is never missing meanwhile.

    Args:
        target: stored as it is; a relative one counts from the directory of the link.
        link: where; a file of that name is replaced as well.

    Raises:
        OSError: the link cannot be created, or ``link`` is a directory; nothing is left behind.
    """
    while True:
        new = f"{link}.{secrets.token_hex(8)}"
        try:
            os.symlink(target, new)
            break
        except FileExistsError:  # somebody has that name; nothing was touched
            continue
    try:
        os.replace(new, link)
    except BaseException:
        os.unlink(new)
        raise


def steps(path: str) -> Iterator[str]:
    """Yield the path that a link names, and so on, up to the first that is no link.

    The last one may be missing.

    Raises:
        LinkCircle: there is no end.
        OSError: a directory on the way cannot be searched.
    """
    for _ in range(MOST_STEPS + 1):
        if not os.path.islink(path):
            return
        path = os.path.join(os.path.dirname(path), os.readlink(path))
        yield path
    raise LinkCircle(f"more than {MOST_STEPS} links in a row, the last one is {path!r}")


State = Literal["no link", "missing", "live", "dangling", "circle"]


def link_state(path: str) -> State:
    """Say what is at a path: nothing, something else, or a link and what becomes of it.

    A circle is told by the system's own error, so one through directories counts, too.

    Raises:
        OSError: the way to the target is forbidden, or its name too long.
    """
    try:
        if not stat.S_ISLNK(os.lstat(path).st_mode):
            return "no link"
    except FileNotFoundError:
        return "missing"
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):  # or through a file, where nothing can be
        return "dangling"
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return "circle"
    return "live"


@contextlib.contextmanager
def temporary_link(target: str) -> Iterator[str]:
    """Make a link in a new directory that nobody else can enter; remove both after the block."""
    with tempfile.TemporaryDirectory(prefix="os_symlink-") as folder:
        link = os.path.join(folder, "link")
        os.symlink(target, link)
        yield link


def main(argv: list[str] | None = None) -> int:
    """Create a link to a path, by default this file; show its mode and where it points."""
    arguments = sys.argv[1:] if argv is None else argv
    target = arguments[0] if arguments else __file__
    with temporary_link(target) as link:
        print(f"Creating link {_shown(link)} -> {_shown(target)}")
        print(f"Permissions: 0{os.lstat(link).st_mode:o}")
        print(f"Points to: {_shown(os.readlink(link))}")
    return 0


def _shown(path: str) -> str:
    """Write a path on one line: quoted if it has line ends or bytes that are no text."""
    return path if path.isprintable() else ascii(path)


if __name__ == "__main__":
    sys.exit(main())

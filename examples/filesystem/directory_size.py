"""Measure a tree: files, bytes of content, and bytes that it takes on the disk (script).

Exercise D12, the size; copies and moves are in ``copy_and_move.py``, duplicates in
``duplicate_files.py`` (exercise A12).

The traps it avoids: a file with two names counted twice; links counted as what they lead to;
content taken for space (a file with holes takes less, a small one more); other file systems that
are mounted inside counted in; a directory that cannot be read making the sum too small in silence.
"""

from __future__ import annotations

import argparse
import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from polite_script import complain, politely, say, shown

PROGRAM = "directory_size"
_BLOCK = 512  # bytes: the unit of st_blocks by POSIX, whatever the file system's own blocks are

OnError = Callable[[OSError], None]
Answer = TypeVar("Answer")


@dataclass(slots=True)
class TreeSize:
    """What is in a tree.

    Attributes:
        files: entries that are no directories, each inode once.
        directories: the root included.
        content: bytes of the files' content.
        on_disk: bytes that files and directories take on the disk; the content's where the system
            does not tell (Windows).
    """

    files: int = 0
    directories: int = 0
    content: int = 0
    on_disk: int = 0


def directory_size(
    root: str | os.PathLike[str], on_error: OnError, *, cross: bool = False
) -> TreeSize:
    """Measure a tree.

    Args:
        root: a directory, or a link to one; links in it count as links.
        on_error: is called with what cannot be listed or looked at; the sum lacks it.  What
            vanished after its listing was never counted and is no error.
        cross: also count file systems that are mounted inside.
    """
    size = TreeSize()
    counted: set[tuple[int, int]] = set()
    for found, is_directory in _found(os.fspath(root), on_error, cross=cross):
        identity = (found.st_dev, found.st_ino)
        if found.st_ino and identity in counted:
            continue
        counted.add(identity)
        size.on_disk += _on_disk(found)
        size.directories += is_directory
        size.files += not is_directory
        size.content += 0 if is_directory else found.st_size
    return size


def _on_disk(found: os.stat_result) -> int:
    blocks = getattr(found, "st_blocks", None)
    return found.st_size if blocks is None else blocks * _BLOCK


def _found(root: str, on_error: OnError, *, cross: bool) -> Iterator[tuple[os.stat_result, bool]]:
    """Yield what each entry is, and whether it is a directory."""

    def below(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # it was there when its directory was listed
            on_error(error)

    pending = [(root, top) for top in _top(root, on_error)]
    home = pending[0][1].st_dev if pending else None
    while pending:
        directory, place = pending.pop()
        if place.st_dev != home and not cross:
            continue
        yield place, True
        for name in _asked(os.listdir, directory, below) or ():
            path = os.path.join(directory, name)
            found = _asked(os.lstat, path, below)
            if found is not None and stat.S_ISDIR(found.st_mode):
                pending.append((path, found))
            elif found is not None:
                yield found, False


def _top(root: str, on_error: OnError) -> Iterator[os.stat_result]:
    """Yield what the root is, if it is a directory; a link to the tree is a way to it."""
    found = _asked(os.stat, root, on_error)
    if found is not None and not stat.S_ISDIR(found.st_mode):
        on_error(NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), root))
    elif found is not None:
        yield found


def _asked(question: Callable[[str], Answer], path: str, on_error: OnError) -> Answer | None:
    try:
        return question(path)
    except OSError as error:
        on_error(error)
        return None


def plural(number: int, singular: str, several: str) -> str:
    """Write a number with its noun."""
    return f"{number:,} {singular if number == 1 else several}"


@politely
def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status, 1 if something could not be looked at."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Measure directories.")
    parser.add_argument("roots", nargs="*", default=[os.curdir], help="default: here")
    parser.add_argument("--cross", action="store_true", help="count what is mounted inside, too")
    options = parser.parse_args(argv)
    problems: list[OSError] = []
    for root in options.roots:
        size = directory_size(root, problems.append, cross=options.cross)
        if size.directories:
            say(
                f"{shown(root)}: {plural(size.files, 'file', 'files')} in "
                f"{plural(size.directories, 'directory', 'directories')}, {size.content:,} bytes, "
                f"{size.on_disk:,} on disk"
            )
    for problem in problems:
        complain(PROGRAM, problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""Work with files and directories by pathlib: resolve, read, write, make, and clean up.

Exercise D10, the half that touches files; paths alone are in ``pathlib_paths.py``.

The traps it avoids: text written in the encoding of whoever runs the program; line ends changed on
the way; ``resolve`` without ``strict``, which resolves what is not there; a circle of links, which
is another error in Python 3.13; ``mkdir(exist_ok=True)`` taken for "it is mine", and then cleaned
up; clean-up that removes what somebody else has put there.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ENCODING = "utf-8"


def resolved(path: Path) -> Path:
    """Return where a path leads: absolute, without links or dots.

    Raises:
        OSError: something on the way is missing, or the links go in a circle (``errno.ELOOP``).
    """
    try:
        return path.resolve(strict=True)
    except RuntimeError as error:  # how Python up to 3.12 tells of a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from error


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8 with its line ends as they are; directories on the way are made.

    A file that is there is emptied first; ``atomic_write.py`` shows how not to lose it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=ENCODING, newline="")


def read_text(path: Path) -> str:
    """Read UTF-8 text with its line ends as they are.

    Raises:
        UnicodeDecodeError: it is something else; says where.
    """
    return path.read_bytes().decode(ENCODING)


def copy_bytes(source: Path, target: Path) -> int:
    """Write the content of a *small* file to another; returns how many bytes.

    Everything is in memory at once; ``copy_and_move.py`` is for files of any size.
    """
    return target.write_bytes(source.read_bytes())


def make_directories(path: Path) -> tuple[Path, ...]:
    """Make a directory and those above it that are missing; returns the new ones, inner first.

    Raises:
        FileExistsError, NotADirectoryError: something on the way is no directory; nothing stays.
    """
    made: list[Path] = []
    try:
        for directory in reversed(_missing(path)):
            with suppress(_MadeByAnother):
                _make(directory)
                made.insert(0, directory)
    except BaseException:
        remove_made(made)
        raise
    return tuple(made)


class _MadeByAnother(Exception):
    """A directory appeared just now; it is not ours."""


def _missing(path: Path) -> list[Path]:
    """Return the path and its parents as far as they do not exist; at least the path itself."""
    missing = [path]
    for parent in path.parents:
        if parent.is_dir():
            break
        missing.append(parent)
    return missing


def _make(directory: Path) -> None:
    try:
        directory.mkdir()
    except FileExistsError:
        if not directory.is_dir():
            raise
        raise _MadeByAnother from None


def remove_made(directories: list[Path] | tuple[Path, ...]) -> None:
    """Remove directories, inner first, as long as they are empty; what is in use stays."""
    for directory in directories:
        try:
            directory.rmdir()
        except FileNotFoundError:  # gone already, which is what we want
            continue
        except OSError:  # somebody has put something there: then the ones above are not empty too
            return


@contextmanager
def directories_for_now(path: Path) -> Iterator[Path]:
    """Make a directory with those above it for a block; afterwards the new ones go if empty."""
    made = make_directories(path)
    try:
        yield path
    finally:
        remove_made(made)

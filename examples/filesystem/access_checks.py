"""Ask whether a file may be used, and see why nobody should ask first.

Exercise A11. ``may`` asks for existence, reading, writing and running, for the real user or for the
effective one, who do the work. ``read_if_allowed_racy`` asks and then opens, and is wrong whenever
something happens between; ``read_if_allowed`` opens, and takes the refusal for the answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """What may be done with a file: F_OK, R_OK, W_OK and X_OK."""

    exists: bool
    read: bool
    write: bool
    execute: bool


def may(path: str | os.PathLike[str], *, effective: bool = False) -> Access:
    """Ask the kernel what the process may do with a file.

    Args:
        path: the file; links are followed.
        effective: ask for the effective user and group, which ``open`` goes by.  By default it is
            the real ones: in a set-uid program that is who started it.  The two differ in no other.

    Raises:
        NotImplementedError: ``effective``, on a platform that cannot ask for it.
    """
    exists, read, write, execute = (
        os.access(path, mode, effective_ids=effective)
        for mode in (os.F_OK, os.R_OK, os.W_OK, os.X_OK)
    )
    return Access(exists, read, write, execute)


def read_if_allowed_racy(
    path: str | os.PathLike[str], meanwhile: Callable[[], object] = lambda: None
) -> bytes | None:
    """Ask, then open: an example of how not to do it.

    Args:
        path: the file.
        meanwhile: is called between the two, where any other process may run.

    Raises:
        OSError: it was allowed a moment ago, and is not any more.
    """
    if not os.access(path, os.R_OK):
        return None
    meanwhile()
    with open(path, "rb") as file:  # may be another file by now
        return file.read()


def read_if_allowed(path: str | os.PathLike[str]) -> bytes | None:
    """Return the content of a file, or ``None`` if it may not be read or is not there."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (PermissionError, FileNotFoundError):
        return None

"""Compare a plan with what is in the workspace already, before anything is made."""

from __future__ import annotations

import errno
import os
import stat

from pytest_syskit.host.real import real

from .workspace_entries import HardLink, Symlink
from .workspace_plan import Plan, parents

_NOTHING_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG}  # the last: no such name can be


def find_replaced(root: str, plan: Plan) -> list[str]:
    """Return the entries that exist and that the plan replaces.

    Raises:
        FileExistsError: a directory would have to make way, or a file for a directory.
        FileNotFoundError: a hard link's target is not there.
        ValueError: a hard link's target cannot be linked.
    """
    for path in plan.directories:
        mode = mode_of(root, path)
        if mode is not None and not stat.S_ISDIR(mode):
            raise FileExistsError(
                f"entry {path!r} is to be a directory, but {_kind(mode)} is there"
            )
    for path, value in plan.entries.items():
        if stat.S_ISDIR(mode_of(root, path) or 0):
            raise FileExistsError(f"entry {path!r}: a directory is there, and is never replaced")
        if isinstance(value, HardLink):
            _check_target(root, plan, path, os.fsdecode(value.target))
    return [path for path in plan.entries if mode_of(root, path) is not None]


def _check_target(root: str, plan: Plan, path: str, target: str) -> None:
    who = f"entry {path!r} (HardLink): target {target!r}"
    if target in plan.entries:
        planned_link = isinstance(plan.entries[target], Symlink)
        mode = stat.S_IFLNK if planned_link else stat.S_IFREG
    elif all(stat.S_ISDIR(mode_of(root, above) or 0) for above in parents(target)):
        mode = mode_of(root, target) or 0
    else:
        mode = 0
    if not mode:
        raise FileNotFoundError(f"{who} is neither in the workspace nor among these entries")
    if stat.S_ISDIR(mode) or stat.S_ISLNK(mode):
        raise ValueError(f"{who} is {_kind(mode)}: only files, FIFOs and sockets are allowed")


def mode_of(root: str, path: str) -> int | None:
    """Return the mode of an entry itself, ``None`` when nothing is there."""
    try:
        mode: int = real.lstat(os.path.join(root, path)).st_mode
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return None
        why = f"entry {path!r} cannot be looked at ({error.strerror})"
        raise OSError(error.errno, why) from None
    return mode


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a symbolic link"
    return "a directory" if stat.S_ISDIR(mode) else "something else"

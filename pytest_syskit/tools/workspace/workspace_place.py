"""Where a workspace is: at home, or where another user can reach it.

home   /tmp/pytest-of-root/pytest-5/workspace0/syskit-1f…   in directories of mode 0700, which are
         │ a link, for paths that were taken before          not ours to loosen
         ▼
away   /tmp/syskit-1f…   0700, owned by that user: the superuser and nobody else gets in
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import PurePath

from pytest_syskit.host.processes import privileges
from pytest_syskit.host.processes.privileges import Identity
from pytest_syskit.host.real import real

from .remove_tree import remove_tree
from .short_socket_dir import SHORT_ROOTS


def owner_to_be(user: str | int) -> Identity:
    """Return who shall own a workspace.

    Raises:
        LookupError, TypeError: there is no such user.
        NotImplementedError: the platform has no owners (Windows).
        PermissionError: this process may not give directories away.
    """
    if not hasattr(os, "chown"):
        raise NotImplementedError("open_to() needs os.chown, which this platform does not have")
    identity = privileges.look_up(user)
    if os.geteuid() not in (0, identity.uid):
        raise PermissionError(
            f"open_to({user!r}): only the superuser may give a workspace to another user, and this "
            f"process runs as user id {os.geteuid()}; mark the test requires_root"
        )
    return identity


def give(home: str, current: str, identity: Identity) -> str:
    """Give a workspace to a user, move it if that is needed to reach it, and return its path.

    Args:
        home: where it was made.
        current: where it is now.
        identity: the user.

    Raises:
        PermissionError: there is no place that the user can reach; names the closed directory.
        OSError: the system refused a step; all is as before.
    """
    closed = _closed_parent(current, identity)
    place = current if closed is None else _reachable(home, identity, closed)
    before = real.stat(current)
    real.chown(current, identity.uid, identity.gid)
    try:
        _move(home, current, place)
    except OSError:
        real.chown(current, before.st_uid, before.st_gid)
        raise
    return place


def bring_home(home: str, current: str) -> str:
    """Put a workspace that was moved back where it was made, and return its path.

    It stays where it is if home is gone, or a test put something else there.
    """
    if current == home or not _is_link(home):
        return current
    real.unlink(home)
    real.rename(current, home)
    return home


def _is_link(path: str) -> bool:
    try:
        return stat.S_ISLNK(real.lstat(path).st_mode)
    except OSError:
        return False  # a test removed it, or what it was in


def remove_link(home: str, current: str) -> None:
    """Remove the link that a move left (raises ``TreeNotRemoved``)."""
    if current != home:
        remove_tree(home)


def _move(home: str, current: str, place: str) -> None:
    if place == current:
        return
    real.rename(current, place)
    if home != current:
        real.unlink(home)  # it led to where the workspace was for an earlier user
    real.symlink(place, home)


def _closed_parent(path: str, identity: Identity) -> str | None:
    """Return the first directory above that the user may not enter, seen from the root."""
    parents = [str(each) for each in reversed(PurePath(path).parents)]
    return next((each for each in parents if not privileges.may_enter(identity, each)), None)


def _reachable(home: str, identity: Identity, closed: str) -> str:
    """Return a free path that the user can reach, on the file system of the workspace."""
    name, device = os.path.basename(home), real.stat(os.path.dirname(home)).st_dev
    for root in dict.fromkeys(map(os.path.realpath, [tempfile.gettempdir(), *SHORT_ROOTS])):
        path = os.path.join(root, name)
        with suppress(OSError):  # this system does not have that directory
            if real.stat(root).st_dev == device and _closed_parent(path, identity) is None:
                return path
    raise PermissionError(
        errno.EACCES,
        f"user {identity.name!r} cannot reach {home!r}: {closed!r} is closed to them, and no "
        "temporary directory on the same file system is open; make the workspace in a "
        "directory that they may enter: TempWorkspace(root)",
    )

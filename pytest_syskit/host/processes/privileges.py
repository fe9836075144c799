"""Becoming another user, for good."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from ..real import real


@dataclass(frozen=True, slots=True)
class Identity:
    """A user as the password database knows it, with all of its groups."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str

    def environment(self) -> dict[str, str]:
        """Return the variables that say who one is."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name}


def look_up(user: str | int) -> Identity:
    """Find a user by name or by number.

    Raises:
        LookupError: the password database has no such user.
        TypeError: ``user`` is neither text nor a number.
    """
    if isinstance(user, bool) or not isinstance(user, str | int):
        raise TypeError(f"user={user!r}: a user is a name or a number, not {type(user).__name__}")
    import pwd  # noqa: PLC0415  # POSIX only

    try:
        entry = pwd.getpwnam(user) if isinstance(user, str) else pwd.getpwuid(user)
    except (KeyError, OverflowError):
        what = "name" if isinstance(user, str) else "number"
        raise LookupError(
            f"user={user!r}: the password database has no user of that {what}"
        ) from None
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Identity(entry.pw_name, entry.pw_uid, entry.pw_gid, groups, entry.pw_dir)


def may_enter(identity: Identity, directory: str) -> bool:
    """Say whether the mode of a directory lets a user reach what is in it.

    Access lists and security modules are not asked.  Raises ``OSError`` if there is none.
    """
    facts = real.stat(directory)
    if identity.uid == 0:
        return True
    if identity.uid == facts.st_uid:
        return bool(facts.st_mode & stat.S_IXUSR)
    if facts.st_gid in (identity.gid, *identity.groups):
        return bool(facts.st_mode & stat.S_IXGRP)
    return bool(facts.st_mode & stat.S_IXOTH)


def require_superuser(user: str | int) -> None:
    """Raise ``PermissionError`` unless this process may become another user."""
    if os.geteuid() != 0:
        raise PermissionError(
            f"user={user!r}: only the superuser may become another user, and this process runs as "
            f"user id {os.geteuid()}; run the tests as root, or mark this one requires_root"
        )


def become(identity: Identity) -> None:
    """Give up the current user for good: supplementary groups first, then group, then user.

    After the user is changed the groups could not be changed any more, hence the order.

    Raises:
        OSError: the kernel refused a step.
        RuntimeError: the way back is still open.
    """
    os.setgroups(identity.groups)
    if hasattr(os, "setresuid"):
        os.setresgid(identity.gid, identity.gid, identity.gid)
        os.setresuid(identity.uid, identity.uid, identity.uid)
    else:  # macOS: for the superuser these set the saved ids too
        os.setgid(identity.gid)
        os.setuid(identity.uid)
    _prove(identity)


def _prove(identity: Identity) -> None:
    if identity.uid != 0 and _can_return():
        raise RuntimeError(
            f"process {real.getpid()} became {identity.name!r} but could return to root; "
            "nothing was run"
        )


def _can_return() -> bool:
    attempt = getattr(os, "setresuid", None)
    try:
        attempt(0, 0, 0) if attempt else os.setuid(0)
    except PermissionError:
        return False
    return True

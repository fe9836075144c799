"""Show who owns this process, and give it to somebody else for good.

Exercise B1.  Four traps.  The group must change before the user, because an ordinary user may not
change groups any more.  The supplementary groups of root go with neither and must be dropped first.
``seteuid`` alone can be undone, so all three ids are set and the way back is tried.  And a change
of owner cannot be taken back, so it belongs into a process of its own: here a forked child.
"""

from __future__ import annotations

import argparse
import os
import pwd
import sys
from collections.abc import Callable
from dataclasses import dataclass

from forked_worker import fork_worker, wait_for


@dataclass(frozen=True, slots=True)
class ProcessOwner:
    """Ids of the users and groups in whose name a process acts."""

    effective_user: int
    effective_group: int
    actual_user: int
    actual_group: int
    groups: tuple[int, ...]

    def __str__(self) -> str:
        """Show one id a line, with the user's name where it has one."""
        return "\n".join(
            [
                f"Effective User  : {_named(self.effective_user)}",
                f"Effective Group : {self.effective_group}",
                f"Actual User     : {_named(self.actual_user)}",
                f"Actual Group    : {self.actual_group}",
                f"Actual Groups   : {list(self.groups)}",
            ]
        )


def process_owner() -> ProcessOwner:
    """Return the owner of this process."""
    return ProcessOwner(
        os.geteuid(), os.getegid(), os.getuid(), os.getgid(), tuple(sorted(os.getgroups()))
    )


def _named(user: int) -> str:
    # Not os.getlogin(): it asks who sits at the terminal, and fails where there is none.
    try:
        return f"{user} ({pwd.getpwuid(user).pw_name})"
    except KeyError:  # a container may run under a number that no account has
        return str(user)


def change_group(group: int) -> None:
    """Drop the supplementary groups, then make ``group`` the only one, for good.

    Raises:
        PermissionError: this process may not.
    """
    try:
        os.setgroups([group])
        _set_all("gid", group)
    except PermissionError as error:
        raise _refused("group", error) from error


def change_user(user: int) -> None:
    """Make ``user`` the effective, actual and saved user, for good.

    Raises:
        PermissionError: this process may not.
    """
    try:
        _set_all("uid", user)
    except PermissionError as error:
        raise _refused("user", error) from error


def change_owner(user: int, group: int) -> None:
    """Change group and user, in the only order that works, and prove that there is no way back.

    Raises:
        PermissionError: this process may not.
        RuntimeError: the old owner can be had again.  Whoever sees this must end the process.
    """
    before = process_owner()
    change_group(group)
    change_user(user)
    prove_no_return(before)


def prove_no_return(before: ProcessOwner) -> None:
    """Try to become the former owner again, by every id there is.

    Raises:
        RuntimeError: one of the attempts succeeded.
    """
    attempts: list[tuple[int, Callable[[int], None]]] = []
    if before.effective_user != os.geteuid():
        attempts += [(before.effective_user, each) for each in (os.setuid, os.seteuid)]
    if before.effective_group != os.getegid():
        attempts += [(before.effective_group, each) for each in (os.setgid, os.setegid)]
    for number, attempt in attempts:
        try:
            attempt(number)
        except PermissionError:
            continue  # as it must be
        raise RuntimeError(f"{attempt.__name__}({number}) took back the change of owner")


def _set_all(kind: str, number: int) -> None:
    set_three = getattr(os, f"setres{kind}", None)
    if set_three is not None:
        set_three(number, number, number)
    else:  # macOS; for the superuser this sets all three
        getattr(os, f"set{kind}")(number)


def _refused(what: str, error: PermissionError) -> PermissionError:
    return PermissionError(error.errno, f"could not change effective {what}, re-run as root")


def show_change(user: int, group: int) -> int:
    """Print the owner before and after each step; return 0, or 1 when the system refused."""
    print(f"BEFORE CHANGE:\n{process_owner()}\n")
    before = process_owner()
    try:
        change_group(group)
        print(f"CHANGED GROUP:\n{process_owner()}\n")
        change_user(user)
        print(f"CHANGED OWNER:\n{process_owner()}")
        prove_no_return(before)
    except PermissionError as error:
        sys.stdout.flush()
        print(f"process_owner: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def main(argv: list[str] | None = None) -> int:
    """Show the change of owner in a forked child; this process stays whose it was."""
    parser = argparse.ArgumentParser(prog="process_owner", description=main.__doc__)
    parser.add_argument("user", nargs="?", default="nobody", help="name of the user to become")
    arguments = parser.parse_args(argv)
    try:
        account = pwd.getpwnam(arguments.user)
    except KeyError:
        parser.error(f"no such user: {arguments.user!r}")
    pid = fork_worker(lambda: show_change(account.pw_uid, account.pw_gid))
    return 0 if wait_for(pid).succeeded else 1


if __name__ == "__main__":
    sys.exit(main())

"""Show what may be done with a file and what the system keeps about it; toggle its execute bit.

Exercise B7.  Traps.  The mode holds the kind of the file besides the permissions, so ``chmod`` gets
the latter only.  Set-id and sticky bits must survive the toggle.  A symbolic link has no
permissions of its own: what changes is the file that it points to.  And what ``os.access`` says may
be wrong a moment later: it is for people to read, not to decide on.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """What this process may do with a file, in the name of its actual user."""

    exists: bool
    readable: bool
    writable: bool
    executable: bool

    def __str__(self) -> str:
        """Show one right a line."""
        return "\n".join(
            [
                f"Exists: {self.exists}",
                f"Readable: {self.readable}",
                f"Writable: {self.writable}",
                f"Executable: {self.executable}",
            ]
        )


def access(path: str | os.PathLike[str]) -> Access:
    """Ask what may be done with a file; one that is missing answers no to everything."""
    return Access(*(os.access(path, right) for right in (os.F_OK, os.R_OK, os.W_OK, os.X_OK)))


def octal_mode(mode: int) -> str:
    """Write kind and permissions with a leading zero: ``0100644`` is a file, ``0120777`` a link."""
    return f"0{mode:o}"


def describe(path: str | os.PathLike[str]) -> str:
    """Show size, permissions, owner, device and time of last modification (local time).

    Raises:
        OSError: there is no such file, or its directory cannot be searched.
    """
    facts = os.stat(path)
    return "\n".join(
        [
            f"Size: {facts.st_size}",
            f"Permissions: {octal_mode(facts.st_mode)}",
            f"Owner: {facts.st_uid}",
            f"Device: {facts.st_dev}",
            f"Last modified: {time.ctime(facts.st_mtime)}",
        ]
    )


def toggle_execute(path: str | os.PathLike[str]) -> str:
    """Add the owner's execute permission to a file, or take it away, and say which.

    Raises:
        OSError: no such file, or it is not ours.
    """
    mode = stat.S_IMODE(os.stat(path).st_mode)
    os.chmod(path, mode ^ stat.S_IXUSR)
    verb = "Removing" if mode & stat.S_IXUSR else "Adding"
    return f"{verb} execute permission"


def main(argv: list[str] | None = None) -> int:
    """Show a file, and toggle the execute permission of its owner on request."""
    parser = argparse.ArgumentParser(prog="toggle_permission", description=main.__doc__)
    parser.add_argument("path")
    parser.add_argument("--toggle", action="store_true", help="toggle the execute permission")
    arguments = parser.parse_args(argv)
    try:
        print(access(arguments.path))
        print(describe(arguments.path))
        if arguments.toggle:
            print(toggle_execute(arguments.path))
    except OSError as error:
        sys.stdout.flush()
        print(f"toggle_permission: {arguments.path!r}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Report the ten classic fields of ``stat`` with what they mean.

Exercise A8.  A script: ``python stat_report.py FILE …``.  The mode is shown in octal and as ``ls``
writes it, times in ISO 8601 with their offset.  Links are followed unless ``--no-follow`` is given.

The traps it avoids: ``st_ctime`` taken for the time of creation, which it is on Windows only; times
without a zone; owners without a name in the password file.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone, tzinfo

from polite_script import complain, politely, say, shown

PROGRAM = "stat_report"
_CTIME = "creation" if os.name == "nt" else "last change of the inode"


def stat_fields(
    found: os.stat_result, zone: tzinfo | None = None
) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and meaning of the ten fields, in their order in the tuple.

    Args:
        found: what ``os.stat`` or ``os.lstat`` returned.
        zone: of the times; the local one by default.
    """
    mode = f"{found.st_mode:07o} {stat.filemode(found.st_mode)}"
    yield "st_mode", mode, "kind of entry and permissions"
    yield "st_ino", str(found.st_ino), "number of the inode on its device"
    yield "st_dev", str(found.st_dev), "device that holds the inode"
    yield "st_nlink", str(found.st_nlink), "names (hard links) of the inode"
    yield "st_uid", _with_name(found.st_uid, user_name), "owner"
    yield "st_gid", _with_name(found.st_gid, group_name), "group"
    yield "st_size", str(found.st_size), "size in bytes"
    yield "st_atime", iso(found.st_atime_ns, zone), "last access"
    yield "st_mtime", iso(found.st_mtime_ns, zone), "last change of the content"
    yield "st_ctime", iso(found.st_ctime_ns, zone), _CTIME


def iso(nanoseconds: int, zone: tzinfo | None = None) -> str:
    """Write a time since the epoch in ISO 8601, with all its digits and its offset from UTC."""
    seconds, fraction = divmod(nanoseconds, 10**9)
    moment = datetime.fromtimestamp(seconds, timezone.utc).astimezone(zone)
    date, offset = moment.isoformat()[:19], moment.isoformat()[19:]
    return f"{date}.{fraction:09}{offset}"


def user_name(uid: int) -> str:
    """Return the name of a user (``KeyError`` if there is none, or on Windows)."""
    try:
        import pwd  # noqa: PLC0415  # POSIX only
    except ImportError:
        raise KeyError(uid) from None
    return pwd.getpwuid(uid).pw_name


def group_name(gid: int) -> str:
    """Return the name of a group (``KeyError`` if there is none, or on Windows)."""
    try:
        import grp  # noqa: PLC0415  # POSIX only
    except ImportError:
        raise KeyError(gid) from None
    return grp.getgrgid(gid).gr_name


def _with_name(number: int, name_of: Callable[[int], str]) -> str:
    try:
        return f"{number} {name_of(number)}"
    except KeyError:
        return str(number)


def report(path: str, *, follow: bool = True) -> str:
    """Return the report on one file, a line for each field.

    Raises:
        OSError: there is no such file.
    """
    fields = stat_fields(os.stat(path, follow_symlinks=follow))
    lines = [f"  {name:9} {value:36} {meaning}" for name, value, meaning in fields]
    return "\n".join([f"{shown(path)}:", *lines])


@politely
def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Report what stat knows.")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--no-follow", action="store_true", help="report on links themselves")
    wanted = parser.parse_args(argv)
    status = 0
    for path in wanted.files:
        try:
            say(report(path, follow=not wanted.no_follow))
        except OSError as error:
            complain(PROGRAM, error)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())

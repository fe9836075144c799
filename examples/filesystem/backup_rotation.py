"""Keep the newest backups of a file: a time-stamped copy is made, the oldest are removed (script).

Exercise D16.  A backup is called ``report.txt.20240131T101500Z.000.bak``; the number tells apart
those of one second, and is taken without a gap between asking and making, so that two programs
cannot overwrite each other's.  Only names of exactly this form belong to ``report.txt``: the
backups of ``report_old`` or ``report.txt.old`` are none of its business, which a pattern such as
``report*`` gets wrong.  A copy is complete and on the disk before it has a name, and the old ones
go after that: a crash leaves one too many rather than one too few.  A clock that was set back does
not make the new backup the oldest one.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO, NamedTuple

from unnamed_draft import draft_in, opened_directory, remove_leftovers

_STAMP = "%Y%m%dT%H%M%SZ"
_PRIVATE = 0o600  # until the source's mode is set


class Backup(NamedTuple):
    """A backup; they sort by age, the oldest first.

    Attributes:
        stamp: when it was made, UTC, as in its name.
        number: which one of that second.
        path: where it is.
    """

    stamp: str
    number: int
    path: Path


def backups_of(name: str, folder: str | os.PathLike[str]) -> list[Backup]:
    """Return the backups of a file name in a folder, the oldest first."""
    form = re.compile(re.escape(name) + r"\.(\d{8}T\d{6}Z)\.(\d{3,})\.bak", re.DOTALL | re.ASCII)
    with os.scandir(folder) as entries:
        found = [(form.fullmatch(each.name), each) for each in entries]
        return sorted(
            Backup(match[1], int(match[2]), Path(folder, each.name))
            for match, each in found
            if match and each.is_file(follow_symlinks=False)
        )


def back_up(
    source: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    keep: int = 5,
    now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
) -> Path:
    """Copy a file into a folder and remove its oldest backups there.

    Args:
        source: the file; a symbolic link is followed.
        folder: where backups are; made if it does not exist.
        keep: how many to keep, the new one included.
        now: tells the time, with its zone.

    Returns:
        The path of the new backup.

    Raises:
        ValueError: ``keep`` is below 1.
        OSError: the source cannot be read or is no regular file, or nothing can be written.  All
            earlier backups are still there then.
    """
    if keep < 1:
        raise ValueError(f"keep={keep!r}: one backup at least is kept, the new one")
    with _opened_file(source) as original:
        os.makedirs(folder, exist_ok=True)
        remove_leftovers(folder)
        made = _copy(original, os.path.basename(source), Path(folder), now())
    rotate(os.path.basename(source), folder, keep)
    return made


def rotate(name: str, folder: str | os.PathLike[str], keep: int) -> list[Path]:
    """Remove all but the newest backups of a file name, and return which."""
    old = [backup.path for backup in backups_of(name, folder)[:-keep]]
    for path in old:
        with contextlib.suppress(FileNotFoundError):  # another program rotates, too
            path.unlink()
    return old


def _opened_file(path: str | os.PathLike[str]) -> BinaryIO:
    # O_NONBLOCK: a FIFO without a writer would hold us here.
    file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")  # noqa: SIM115  # given away
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "only regular files can be backed up", os.fspath(path))
    return file


def _copy(original: BinaryIO, name: str, folder: Path, time: datetime) -> Path:
    stamp = time.astimezone(timezone.utc).strftime(_STAMP)
    with opened_directory(folder) as directory, draft_in(directory, name, _PRIVATE) as draft:
        shutil.copyfileobj(original, draft.file)
        draft.file.flush()  # before the time is set, which writing would change
        found = os.fstat(original.fileno())
        os.utime(draft.file.fileno(), ns=(found.st_atime_ns, found.st_mtime_ns))
        os.fchmod(draft.file.fileno(), stat.S_IMODE(found.st_mode))
        while True:
            free = _free_name(name, folder, stamp)
            with contextlib.suppress(FileExistsError):  # somebody was faster
                draft.add(free)
                return folder / free


def _free_name(name: str, folder: Path, stamp: str) -> str:
    """Return the name that comes behind all others, also when the clock was set back."""
    there = backups_of(name, folder)
    number = 0
    if there and there[-1].stamp >= stamp:
        stamp, number = there[-1].stamp, there[-1].number + 1
    return f"{name}.{stamp}.{number:03}.bak"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return its exit status."""
    parser = argparse.ArgumentParser(prog="backup_rotation", description=__doc__.splitlines()[0])
    parser.add_argument("source", help="the file to back up")
    parser.add_argument("folder", help="where the backups are")
    parser.add_argument("--keep", type=int, default=5, help="how many to keep (default: 5)")
    options = parser.parse_args(argv)
    if options.keep < 1:
        parser.error(f"--keep: 1 or more is expected, got {options.keep}")
    try:
        made = back_up(options.source, options.folder, options.keep)
    except OSError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    sys.stdout.flush()
    sys.stdout.buffer.write(os.fsencode(made) + b"\n")
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

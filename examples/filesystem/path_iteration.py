"""Iterate over directories and trees: by name, the large files, the recent ones (script).

Exercise D11: ``python path_iteration.py ROOT --larger-than 100 --newer-than 24``.  Sizes are in MB
(10**6 bytes), times in hours.

The traps it avoids: a file that vanishes between its listing and the look at it, which ends a walk
by ``rglob`` and ``stat``; directories that cannot be read and are left out without a word; naive
datetimes, which mean another moment in another zone, and floats, which cannot hold a time to the
nanosecond, so that "since then" misses or repeats a file; following links out of the tree; an order
that differs from run to run.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from polite_script import complain, politely, say, shown
from tree_walk import walk_down

PROGRAM = "path_iteration"
MEGABYTE = 10**6
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

OnError = Callable[[OSError], None]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A file as it was when we looked: path, bytes, and last change in nanoseconds since 1970."""

    path: str
    size: int
    modified: int


def entries_of(directory: Path) -> list[Path]:
    """Return what is in a directory, sorted, hidden names included.

    Raises:
        OSError: it cannot be listed.
    """
    return sorted(directory.iterdir())


def matching(directory: Path, pattern: str) -> list[Path]:
    """Return what matches in one directory, sorted (``glob``); a missing one has nothing."""
    return sorted(directory.glob(pattern))


def matching_below(directory: Path, pattern: str) -> list[Path]:
    """Return what matches at any depth, sorted, each once (``rglob``); links are not entered."""
    return sorted(set(directory.rglob(pattern)))


def sightings(root: str | os.PathLike[str], on_error: OnError) -> Iterator[Sighting]:
    """Yield the regular files of a tree as they are come upon; links are not followed.

    Args:
        root: a directory.
        on_error: is called with what cannot be listed or looked at; the walk goes on.
    """
    for folder in walk_down(os.fspath(root), on_error=on_error):
        for name in folder.files:
            path = os.path.join(folder.path, name)
            try:
                found = os.lstat(path)
            except FileNotFoundError:  # it vanished after the listing, so it is no file any more
                continue
            except OSError as error:
                on_error(error)
                continue
            if stat.S_ISREG(found.st_mode):
                yield Sighting(path, found.st_size, found.st_mtime_ns)


def large_files(
    root: str | os.PathLike[str], megabytes: float, on_error: OnError
) -> list[Sighting]:
    """Return the files of more than so many MB (10**6 bytes), the largest first."""
    limit = megabytes * MEGABYTE
    found = [seen for seen in sightings(root, on_error) if seen.size > limit]
    return sorted(found, key=lambda seen: (-seen.size, seen.path))


def recent_files(
    root: str | os.PathLike[str], since: datetime, on_error: OnError
) -> list[Sighting]:
    """Return the files that were changed at a moment or later, the newest first.

    Raises:
        ValueError: the moment has no time zone.
    """
    limit = nanoseconds(since)
    found = [seen for seen in sightings(root, on_error) if seen.modified >= limit]
    return sorted(found, key=lambda seen: (-seen.modified, seen.path))


def nanoseconds(moment: datetime) -> int:
    """Return a moment in nanoseconds since 1970, in whole numbers all the way.

    Raises:
        ValueError: it has no time zone, so it could be any of 38 moments.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment!r} has no time zone; say datetime.now(timezone.utc)")
    return (moment - _EPOCH) // _MICROSECOND * 1000


def _hours(text: str) -> timedelta:
    try:
        hours = timedelta(hours=float(text))
    except (ValueError, OverflowError):
        hours = timedelta(-1)
    if hours < timedelta():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours")
    return hours


def _chosen(options: argparse.Namespace, now: datetime, on_error: OnError) -> list[Sighting]:
    if options.newer_than is not None:
        found = recent_files(options.root, now - options.newer_than, on_error)
        return [seen for seen in found if seen.size > options.larger_than * MEGABYTE]
    return large_files(options.root, options.larger_than, on_error)


def line(seen: Sighting) -> str:
    """Lay out a file for people; the time is in UTC."""
    seconds, rest = divmod(seen.modified, 10**9)
    moment = _EPOCH + timedelta(seconds=seconds, microseconds=rest // 1000)
    when = moment.isoformat(" ", "seconds").removesuffix("+00:00")
    return f"{seen.size / MEGABYTE:10.1f} MB  {when}  {shown(seen.path)}"


@politely
def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status, 1 if something could not be looked at."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="List large or recent files.")
    parser.add_argument("root", nargs="?", default=os.curdir, help="default: here")
    parser.add_argument("--larger-than", type=float, default=0.0, metavar="MB", help="default: 0")
    parser.add_argument("--newer-than", type=_hours, metavar="HOURS", help="newest first")
    problems: list[OSError] = []
    for seen in _chosen(parser.parse_args(argv), datetime.now(timezone.utc), problems.append):
        say(line(seen))
    for problem in problems:
        complain(PROGRAM, problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

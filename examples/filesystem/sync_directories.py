"""Make one directory like another: new and changed entries are copied, extras may go (script).

Exercise D17.  A plan is made first, then carried out; a dry run stops in between, and the plan of a
second run is empty.  Traps: empty directories belong to the tree; a file may have become a
directory, and the other way round; equal size and time do not mean equal content, so content is
compared (``quick`` trusts them); symbolic links are copied as links and never followed; a source
that cannot be read is no empty one, so nothing is removed on its account.  Each file is replaced as
a whole: after a crash it is the old or the new one, and the next run does the rest.  A target has
one sync at a time.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple

from unnamed_draft import (
    draft_in,
    hidden_name,
    is_hidden_name,
    opened_directory,
    remove_leftovers,
)

_CHUNK = 1 << 18  # bytes: large enough that reading costs more than calling
_PRIVATE = 0o600  # for a file until its mode is set


class Step(NamedTuple):
    """One thing to do.

    Attributes:
        what: ``copy``, ``link``, ``make`` (a directory), ``remove``, ``mode``, or ``skip``.
        path: the entry, relative to both directories.
        why: for ``skip``: what kept us from doing it.
    """

    what: str
    path: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a sync may do.

    Attributes:
        remove_extras: remove from the target what the source does not have.
        quick: take files of equal size and time for equal without reading them.
    """

    remove_extras: bool = False
    quick: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """The two directories, as absolute paths, and what may be done.

    Attributes:
        source: what is copied.
        target: what becomes like it.
        rules: what a sync may do.
    """

    source: str
    target: str
    rules: Rules


def sync(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    rules: Rules = Rules(),
    *,
    dry_run: bool = False,
) -> list[Step]:
    """Make ``target`` like ``source`` and return the steps that took, or would take.

    A ``skip`` among them is trouble with one entry; the others were done nevertheless.

    Raises:
        OSError: the source is no directory that can be read, or the target cannot be made.
        ValueError: one directory lies in the other.
    """
    here, there = os.path.realpath(source), os.path.realpath(target)
    if os.path.commonpath([here, there]) in (here, there):
        raise ValueError(f"{here!r} and {there!r}: one lies in the other")
    os.listdir(here)  # fails here and now, not as an empty source
    if dry_run:
        return list(plan(Pair(here, there, rules)))
    os.makedirs(there, exist_ok=True)
    _clean(there)
    return [_carried_out(step, here, there) for step in list(plan(Pair(here, there, rules)))]


def plan(pair: Pair, folder: str = "") -> Iterator[Step]:
    """Say what has to be done below a folder of both, in an order that works."""
    try:
        wanted = _entries(os.path.join(pair.source, folder))
    except OSError as error:
        yield Step("skip", folder, error.strerror or str(error))
        return  # nobody knows what is in there, so nothing counts as an extra
    there = _present(os.path.join(pair.target, folder))
    if pair.rules.remove_extras:
        yield from (
            Step("remove", os.path.join(folder, name))
            for name in sorted(there.keys() - wanted.keys())
        )
    for name in sorted(wanted):
        path = os.path.join(folder, name)
        yield from _plan_entry(pair, path, wanted[name], there.get(name))
    yield from _plan_mode(pair, folder)


def _plan_entry(
    pair: Pair, path: str, wanted: os.stat_result, there: os.stat_result | None
) -> Iterator[Step]:
    kind = stat.S_IFMT(wanted.st_mode)
    if kind not in (stat.S_IFREG, stat.S_IFLNK, stat.S_IFDIR):
        yield Step("skip", path, "neither a file, a directory nor a link")
        return
    if there is not None and stat.S_IFMT(there.st_mode) != kind:
        if stat.S_ISDIR(there.st_mode) and not (
            pair.rules.remove_extras or _is_empty(pair.target, path)
        ):
            yield Step("skip", path, "a directory with content is in its place")
            return
        yield Step("remove", path)
        there = None
    if kind == stat.S_IFDIR:
        if there is None:
            yield Step("make", path)
        yield from plan(pair, path)
    elif kind == stat.S_IFLNK:
        if there is None or _target(pair.source, path) != _target(pair.target, path):
            yield Step("link", path)
    else:
        yield from _plan_file(pair, path, wanted, there)


def _plan_file(
    pair: Pair, path: str, wanted: os.stat_result, there: os.stat_result | None
) -> Iterator[Step]:
    try:
        if there is None or _file_differs(pair, path, wanted, there):
            yield Step("copy", path)
    except OSError as error:
        yield Step("skip", path, error.strerror or str(error))


def _file_differs(pair: Pair, path: str, wanted: os.stat_result, there: os.stat_result) -> bool:
    facts = [(each.st_size, each.st_mtime_ns, each.st_mode) for each in (wanted, there)]
    if facts[0] != facts[1]:
        return True
    # Not filecmp: it remembers results by size and time, the very things that deceive.
    return not pair.rules.quick and not _same_content(
        os.path.join(pair.source, path), os.path.join(pair.target, path)
    )


def _same_content(first: str, second: str) -> bool:
    with _opened(first) as one, _opened(second) as other:
        while True:
            chunk = one.read(_CHUNK)
            if chunk != other.read(_CHUNK):
                return False
            if not chunk:
                return True


def _opened(path: str) -> BinaryIO:
    """Open a file that was a regular one just now; whatever it has become, do not wait for it."""
    return open(
        path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    )


def _plan_mode(pair: Pair, folder: str) -> Iterator[Step]:
    """Set a directory's mode after its content, which a read-only one would keep out."""
    wanted = os.stat(os.path.join(pair.source, folder)).st_mode
    try:
        there = os.lstat(os.path.join(pair.target, folder)).st_mode
    except FileNotFoundError:  # it is still to be made
        there = 0
    if folder and wanted != there:
        yield Step("mode", folder)


def _entries(path: str) -> dict[str, os.stat_result]:
    with os.scandir(path) as entries:
        found = {}
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # vanished after the listing
                found[entry.name] = entry.stat(follow_symlinks=False)
        return found


def _present(path: str) -> dict[str, os.stat_result]:
    """Return the target's entries; a directory that is still to be made has none."""
    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            return {}
        return _entries(path)
    except FileNotFoundError:
        return {}


def _is_empty(target: str, path: str) -> bool:
    return not os.listdir(os.path.join(target, path))


def _target(folder: str, path: str) -> str:
    return os.readlink(os.path.join(folder, path))


def _carried_out(step: Step, source: str, target: str) -> Step:
    if step.what == "skip":
        return step
    try:
        _DOERS[step.what](os.path.join(source, step.path), os.path.join(target, step.path))
    except OSError as error:
        return Step("skip", step.path, f"{step.what}: {error.strerror or error}")
    return step


def _copy(source: str, target: str) -> None:
    folder, name = os.path.split(target)
    with (
        _opened(source) as original,
        opened_directory(folder) as directory,
        draft_in(directory, name, _PRIVATE) as draft,
    ):
        found = os.fstat(original.fileno())
        shutil.copyfileobj(original, draft.file)
        draft.file.flush()  # before the time is set, which writing would change
        os.utime(draft.file.fileno(), ns=(found.st_atime_ns, found.st_mtime_ns))
        os.fchmod(draft.file.fileno(), stat.S_IMODE(found.st_mode))
        draft.replace()


def _link(source: str, target: str) -> None:
    folder, name = os.path.split(target)
    hidden = os.path.join(folder, hidden_name(name))
    os.symlink(os.readlink(source), hidden)
    try:
        os.rename(hidden, target)
    except BaseException:
        os.unlink(hidden)
        raise


def _make(source: str, target: str) -> None:
    os.mkdir(target, 0o700)  # its own mode comes last


def _remove(source: str, target: str) -> None:
    if os.path.isdir(target) and not os.path.islink(target):
        shutil.rmtree(target)  # does not follow links
    else:
        os.unlink(target)


def _mode(source: str, target: str) -> None:
    os.chmod(target, stat.S_IMODE(os.stat(source).st_mode))


_DOERS = {"copy": _copy, "link": _link, "make": _make, "remove": _remove, "mode": _mode}


def _clean(target: str) -> None:
    """Remove what an earlier run left that was killed."""
    for folder, directories, files in os.walk(target):
        with contextlib.suppress(OSError):  # not ours to read: nothing of ours is in there
            remove_leftovers(folder)
        for name in filter(is_hidden_name, directories + files):
            path = os.path.join(folder, name)
            if os.path.islink(path):  # links cannot be locked: only one sync works on a target
                os.unlink(path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return its exit status."""
    parser = argparse.ArgumentParser(prog="sync_directories", description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--remove", action="store_true", help="remove what the source lacks")
    parser.add_argument("--quick", action="store_true", help="trust equal sizes and times")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    options = parser.parse_args(argv)
    rules = Rules(options.remove, options.quick)
    try:
        steps = sync(options.source, options.target, rules, dry_run=options.dry_run)
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    for step in steps:
        if step.what == "skip":
            print(f"{parser.prog}: {step.path!r}: {step.why}", file=sys.stderr)
        else:
            print(f"{step.what}\t{step.path!r}")
    return 1 if any(step.what == "skip" for step in steps) else 0


if __name__ == "__main__":
    sys.exit(main())

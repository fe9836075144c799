"""Find files of equal content, say what they waste, and remove the copies if asked to.

Exercise A12.  A script: ``python duplicate_files.py --help``; the search, the removal and the logs
are ``duplicate_search.py``, ``duplicate_removal.py`` and ``duplicate_logs.py``.

The traps it avoids: files read whole into memory, or read at all when their size is unique; errors
passed over in silence; logs closed inside the loop, half-written, or found as duplicates of
themselves; a megabyte of another length in another place (it is 10**6 bytes everywhere); hard links
counted as waste; a removal that trusts an old hash, follows a link, or takes the last copy.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from duplicate_logs import count, headline, write_duplicate_log, write_hash_log
from duplicate_removal import remove_duplicates
from duplicate_search import (
    DEFAULT_HASH,
    HASHES,
    DuplicateGroup,
    Identity,
    SearchResult,
    find_duplicates,
)
from polite_script import complain, politely, say, shown, wording
from progress_bar import ProgressBar
from replace_when_done import replace_when_done

PROGRAM = "duplicate_files"
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_MEGABYTE = _UNITS["m"]
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)b?", re.IGNORECASE)
_EPILOG = """\
Sizes are in bytes, or with a unit: k, M, G, T for 10**3, 10**6, 10**9, 10**12 bytes (kB, MB and
so on mean the same).  Links are never followed, and names of one file (hard links) count as one.
Of each group the file is kept that was found under the first root, by the order of names.
Exit status: 0 if all went well, 1 if something could not be read, written or removed, 2 for a
wrong command line.
"""

Removals = list[tuple[str, "OSError | None"]]


@politely
def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    wanted = arguments(argv)
    try:
        with contextlib.ExitStack() as logs:
            result = search_and_log(wanted, logs)
    except OSError as error:  # of the logs, or of the place that they are in
        complain(PROGRAM, error)
        return 1
    for problem in result.problems:
        complain(PROGRAM, problem)
    groups = [group for group in result.groups if group.wasted > wanted.threshold]
    removals = list(reported(groups, wanted))
    if wanted.json:
        print(json.dumps(as_json(result, groups, removals, wanted), indent=1))
    else:
        say(f"\n{summary(result, len(groups), wanted.threshold)}")
    return 1 if result.problems or any(error for _, error in removals) else 0


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line (exit status 2 if it is wrong)."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Find files of equal content.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("roots", nargs="+", metavar="ROOT", help="directory or file to look at")
    add("--threshold", type=parse_size, default=10 * _MEGABYTE, metavar="SIZE",
        help="show and remove groups that waste more than this (default: 10MB)")  # fmt: skip
    add("--min-size", type=parse_size, default=1, metavar="SIZE",
        help="leave smaller files out (default: 1, so empty files)")  # fmt: skip
    add("--hash", choices=HASHES, default=DEFAULT_HASH, help="default: %(default)s")
    add("--hash-log", metavar="FILE",
        help="write hashes of the files that may have copies, as sha256sum does")  # fmt: skip
    add("--duplicate-log", metavar="FILE", help="write all groups, those below the threshold too")
    add("--json", action="store_true", help="print JSON (odd names: as surrogate escapes)")
    add("--delete", action="store_true", help="remove all files of a group but one; asks before")
    add("--yes", action="store_true", help="with --delete: do not ask")
    add("--dry-run", action="store_true", help="with --delete: only say what would be removed")
    wanted = parser.parse_args(argv)
    if wanted.delete and os.name != "posix":
        parser.error("--delete needs locks and hard links as POSIX has them")
    if (wanted.yes or wanted.dry_run) and not wanted.delete:
        parser.error("--yes and --dry-run go with --delete")
    logs = [wanted.hash_log, wanted.duplicate_log]
    if all(logs) and len({os.path.realpath(log) for log in logs}) == 1:
        parser.error(f"both logs cannot be {wanted.hash_log!r}")
    return wanted


def parse_size(text: str) -> int:
    """Turn ``10MB``, ``1.5 k`` or ``4096`` into bytes."""
    match = _SIZE.fullmatch(text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; 4096, 500k and 1.5MB are")
    return round(float(match[1]) * _UNITS[match[2].lower()])


def megabytes(size: int) -> str:
    """Write a size in MB, which are 10**6 bytes."""
    return f"{size / _MEGABYTE:,.1f} MB"


def search_and_log(wanted: argparse.Namespace, logs: contextlib.ExitStack) -> SearchResult:
    """Search, and write the logs; they are opened before the search, so that it is not in vain.

    Raises:
        OSError: a log cannot be written.
    """
    paths = [path for path in (wanted.hash_log, wanted.duplicate_log) if path]
    own = {identity for path in paths for identity in identity_of(path)}
    files: dict[str, BinaryIO] = {
        path: logs.enter_context(replace_when_done(path)) for path in paths
    }
    drafts = {file_identity(os.fstat(file.fileno())) for file in files.values()}
    with ProgressBar("comparing") as bar:
        result = find_duplicates(
            wanted.roots,
            min_size=wanted.min_size,
            ignore=own | drafts,
            hash_name=wanted.hash,
            hash_all=bool(wanted.hash_log),
            progress=bar if bar.visible else None,
        )
    if wanted.hash_log:
        write_hash_log(files[wanted.hash_log], result.hashes)
    if wanted.duplicate_log:
        write_duplicate_log(files[wanted.duplicate_log], result.groups)
    return result


def identity_of(path: str) -> Iterator[Identity]:
    """Yield the identity of a log that an earlier run left, if there is one."""
    with contextlib.suppress(FileNotFoundError):
        yield file_identity(os.lstat(path))


def file_identity(found: os.stat_result) -> Identity:
    """Return device and inode."""
    return found.st_dev, found.st_ino


def reported(
    groups: Sequence[DuplicateGroup], wanted: argparse.Namespace
) -> Iterator[tuple[str, OSError | None]]:
    """Show each group and do with it what is wanted; yields what became of each name."""
    for group in groups:
        if not wanted.json:
            show(group)
        if wanted.dry_run:
            for copy in group.copies[1:]:
                yield from told([(path, None) for path in copy.paths], wanted)
        elif wanted.delete and (wanted.yes or agreed(group)):
            yield from told(remove_duplicates(group), wanted)


def show(group: DuplicateGroup) -> None:
    """Print a group: its totals, then every location; further names of a file are indented."""
    lines = [
        f"  {'  = ' if number else ''}{shown(path)}"
        for copy in group.copies
        for number, path in enumerate(copy.paths)
    ]
    say("\n".join([f"{headline(group)}:", *lines]))


def agreed(group: DuplicateGroup) -> bool:
    """Ask on stderr; anything but yes, the end of the input included, is a no."""
    names = sum(len(copy.paths) for copy in group.copies[1:])
    question = f"keep {shown(group.copies[0].paths[0])} and remove {count(names, 'name')}? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def told(outcomes: Any, wanted: argparse.Namespace) -> Iterator[tuple[str, OSError | None]]:
    """Tell of each removal as it happens."""
    verb = "would remove" if wanted.dry_run else "removed"
    for path, error in outcomes:
        if error:
            complain(PROGRAM, error)
        elif not wanted.json:
            say(f"  {verb} {shown(path)}")
        yield path, error


def totals(groups: Sequence[DuplicateGroup]) -> tuple[int, int]:
    """Count the files that need not be, and their bytes."""
    return sum(len(group.copies) - 1 for group in groups), sum(group.wasted for group in groups)


def summary(result: SearchResult, shown_groups: int, threshold: int) -> str:
    """Say in one line what was found."""
    duplicates, wasted = totals(result.groups)
    hidden = len(result.groups) - shown_groups
    rest = f"; {count(hidden, 'group')} of at most {megabytes(threshold)} not shown"
    return (
        f"{count(duplicates, 'duplicate')} in {count(len(result.groups), 'group')} "
        f"of {count(result.files, 'file')} waste {megabytes(wasted)}{rest if hidden else ''}"
    )


def as_json(
    result: SearchResult,
    groups: Sequence[DuplicateGroup],
    removals: Removals,
    wanted: argparse.Namespace,
) -> dict[str, Any]:
    """Return what ``--json`` prints; groups and removals are those above the threshold."""
    duplicates, wasted = totals(result.groups)
    return {
        "files": result.files,
        "duplicates": duplicates,
        "wasted": wasted,
        "threshold": wanted.threshold,
        "hash": wanted.hash,
        "groups": [
            {
                "size": group.size,
                "wasted": group.wasted,
                "digest": group.digest,
                "files": [list(copy.paths) for copy in group.copies],
            }
            for group in groups
        ],
        "would_remove" if wanted.dry_run else "removed": [
            path for path, error in removals if not error
        ],
        "problems": [wording(problem) for problem in result.problems]
        + [wording(error) for _, error in removals if error],
    }


if __name__ == "__main__":
    gc.disable()  # many small objects and no cycles among them: a tenth of the time
    sys.exit(main())

"""Find files by pattern and by size, date, or a name that occurs more than once.

Exercise D24; the patterns are those of ``portable_glob.py``.

The traps it avoids: a file that vanishes between the listing and the look at it; a link measured
by what it leads to; times as ``datetime`` objects that do not say in which zone; a size without
bounds that say whether they belong to the range.
"""

from __future__ import annotations

import os
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from portable_glob import portable_glob


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file: path relative to the root, bytes, and seconds since the epoch."""

    path: str
    size: int
    modified: float


def files(
    root: str | os.PathLike[str], pattern: str, *, on_error: Callable[[OSError], None]
) -> Iterator[Found]:
    """Yield the regular files that match; links are none.

    Args:
        root: where to look.
        pattern: such as ``"**/*.log"``.
        on_error: is called for what cannot be listed or looked at; files that vanish meanwhile are
            no errors.
    """
    for path in portable_glob(root, pattern, on_error=on_error):
        try:
            found = os.lstat(os.path.join(root, path))
        except FileNotFoundError:  # removed since it was listed
            continue
        except OSError as error:
            on_error(error)
            continue
        if stat.S_ISREG(found.st_mode):
            yield Found(path, found.st_size, found.st_mtime)


def by_size(
    root: str | os.PathLike[str],
    pattern: str,
    *,
    on_error: Callable[[OSError], None],
    at_least: int = 0,
    at_most: int | None = None,
) -> list[Found]:
    """Return the files of some size in bytes, both bounds included, the largest first."""
    found = [
        each
        for each in files(root, pattern, on_error=on_error)
        if each.size >= at_least and (at_most is None or each.size <= at_most)
    ]
    return sorted(found, key=lambda each: (-each.size, each.path))


def by_date(
    root: str | os.PathLike[str],
    pattern: str,
    *,
    on_error: Callable[[OSError], None],
    since: datetime | None = None,
    before: datetime | None = None,
) -> list[Found]:
    """Return the files last modified at or after ``since`` and before ``before``, newest first.

    Raises:
        ValueError: a time without zone, which is another moment on another machine.
    """
    start = float("-inf") if since is None else _seconds("since", since)
    end = float("inf") if before is None else _seconds("before", before)
    found = [
        each for each in files(root, pattern, on_error=on_error) if start <= each.modified < end
    ]
    return sorted(found, key=lambda each: (-each.modified, each.path))


def same_names(
    root: str | os.PathLike[str],
    pattern: str,
    *,
    on_error: Callable[[OSError], None],
    ignore_case: bool = False,
) -> dict[str, list[str]]:
    """Return the names that several files have, each with its paths; all in order.

    Equal content is another question: see ``duplicate_search.py``.

    Args:
        root: where to look.
        pattern: which files.
        on_error: as in :func:`files`.
        ignore_case: count ``README`` and ``readme`` as one (the key is folded); on Windows and
            macOS only one of them could be in a directory.
    """
    paths: defaultdict[str, list[str]] = defaultdict(list)
    for each in files(root, pattern, on_error=on_error):
        name = each.path.rpartition("/")[2]
        paths[name.casefold() if ignore_case else name].append(each.path)
    return {name: sorted(paths[name]) for name in sorted(paths) if len(paths[name]) > 1}


def _seconds(name: str, moment: datetime) -> float:
    if moment.utcoffset() is None:
        raise ValueError(f"{name}={moment!r} has no time zone: use datetime.now().astimezone()")
    return moment.timestamp()

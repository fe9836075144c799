"""Find paths by patterns that mean the same on every system, with parts left out.

Exercise D25.  Patterns and results have ``/`` between names everywhere, letters have a case
everywhere (or nowhere, if asked for), and letters with accents match however they are encoded
(macOS takes them apart).  ``*``, ``?`` and ``[…]`` match in one name, ``**`` any number of
directories, so ``a/**`` is ``a`` and all in it.

The traps it avoids: links that lead in a circle, or twice to the same place; patterns to leave
something out that match at the top only; a walk through all of ``node_modules`` for results that
are thrown away; directories that cannot be read and are passed over in silence.
"""

from __future__ import annotations

import fnmatch
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce

from tree_walk import first_visit

_ANY_DEPTH = "**"
Positions = frozenset[int]


class Pattern:
    """A pattern that is followed name by name, so that a walk knows where it cannot lead.

    Args:
        text: names with ``/`` between them.
        ignore_case: ``a`` matches ``A``, too.
        hidden: ``*`` and ``**`` match names that begin with a dot, too.

    Raises:
        ValueError: it is empty, absolute, or climbs with ``..``.
    """

    def __init__(self, text: str, *, ignore_case: bool = False, hidden: bool = False) -> None:
        parts = [part for part in text.split("/") if part not in {"", "."}]
        if not parts or text.startswith("/") or ".." in parts:
            raise ValueError(f"pattern {text!r}: names below the root are expected")
        self._flags = re.IGNORECASE if ignore_case else 0
        self._hidden = hidden
        self._parts = parts
        self._names = [re.compile(fnmatch.translate(_composed(p)), self._flags) for p in parts]

    def start(self) -> Positions:
        """Return where we are at the root."""
        return self._past_any_depth({0})

    def step(self, positions: Positions, name: str) -> Positions:
        """Return where a name leads from there; nowhere if it does not match."""
        return self._past_any_depth(
            place + (self._parts[place] != _ANY_DEPTH)
            for place in positions
            if place < len(self._parts) and self._takes(place, name)
        )

    def matched(self, positions: Positions) -> bool:
        """Say whether the names so far are all of the pattern."""
        return len(self._parts) in positions

    def leads_on(self, positions: Positions) -> bool:
        """Say whether more names can match."""
        return any(place < len(self._parts) for place in positions)

    def _takes(self, place: int, name: str) -> bool:
        part = self._parts[place]
        if name.startswith(".") and not part.startswith(".") and not self._hidden:
            return False
        return part == _ANY_DEPTH or self._names[place].match(_composed(name)) is not None

    def _past_any_depth(self, places: Iterable[int]) -> Positions:
        reached = set(places)
        for place, part in enumerate(self._parts):
            if place in reached and part == _ANY_DEPTH:
                reached.add(place + 1)
        return frozenset(reached)


def portable_glob(
    root: str | os.PathLike[str],
    pattern: str,
    *,
    on_error: Callable[[OSError], None],
    exclude: Sequence[str] = (),
    ignore_case: bool = False,
    hidden: bool = False,
    follow_links: bool = False,
) -> Iterator[str]:
    """Yield the paths below ``root`` that match, relative to it, with ``/`` between the names.

    Those in one directory are sorted, and come before those further down.

    Args:
        root: where to look; taken as it is, links in it are followed.
        pattern: see :class:`Pattern`.
        on_error: is called with each directory that cannot be listed.
        exclude: patterns of what to leave out, at any depth unless they have a ``/``.  A directory
            that is left out is not entered.
        ignore_case: for the pattern and for ``exclude``.
        hidden: let ``*`` and ``**`` match names that begin with a dot.
        follow_links: enter directories through links, each directory once.
    """
    wanted = Pattern(pattern, ignore_case=ignore_case, hidden=hidden)
    # "cache" is "**/cache"; "/cache" and "a/cache" are at the top.
    anywhere = [text.lstrip("/") if "/" in text else f"{_ANY_DEPTH}/{text}" for text in exclude]
    unwanted = [Pattern(text, ignore_case=ignore_case, hidden=True) for text in anywhere]
    top = os.fspath(root)
    entered: set[tuple[int, int]] = set()
    for path, directories, files in os.walk(top, onerror=on_error, followlinks=follow_links):
        if follow_links and not first_visit(path, entered):
            directories.clear()
            continue
        names = [] if path == top else os.path.relpath(path, top).split(os.sep)
        kept = [
            name
            for name in sorted({*directories, *files})
            if not any(each.matched(_follow(each, [*names, name])) for each in unwanted)
        ]
        here = _follow(wanted, names)
        steps = {name: wanted.step(here, name) for name in kept}
        yield from ("/".join([*names, name]) for name in kept if wanted.matched(steps[name]))
        directories[:] = sorted(
            name for name in directories if name in steps and wanted.leads_on(steps[name])
        )


def _follow(pattern: Pattern, names: Sequence[str]) -> Positions:
    return reduce(pattern.step, names, pattern.start())


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)

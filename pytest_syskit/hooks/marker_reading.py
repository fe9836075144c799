"""Every marker in one table, and the pass over the collected tests that reads them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from . import fork_marker, leak_markers, platform_markers, requirements, timeout_marker
from .marker_arguments import Marker, Need, WrongArguments, complaint, place_of
from .marks import marks_of

MARKERS: dict[str, Marker] = {
    marker.name: marker
    for marker in (
        *platform_markers.MARKERS,
        *requirements.MARKERS,
        *leak_markers.MARKERS,
        *timeout_marker.MARKERS,
        *fork_marker.MARKERS,
    )
}


class Reading:
    """The marks of one collection: each is read once, however many tests it is on."""

    def __init__(self, wrong: list[str]) -> None:
        self._wrong = wrong
        self._skip_reasons: dict[int, tuple[pytest.Mark, str | None]] = {}
        self._placed: dict[int, str] = {}

    def read(self, items: Iterable[pytest.Item]) -> None:
        """Place a skip on each test that the machine cannot run; note each wrong mark once."""
        for item in items:
            ours = [mark for mark in marks_of(item) if mark.name in MARKERS]
            if ours:
                self._place(item, ours)

    def _place(self, item: pytest.Item, marks: list[pytest.Mark]) -> None:
        found = [self._skip_reason(item, mark) for mark in reversed(marks)]
        reason = "; ".join(dict.fromkeys(filter(None, found)))
        if reason and self._placed.get(id(item)) != reason:
            self._placed[id(item)] = reason
            item.add_marker(pytest.mark.skip(reason=reason))

    def _skip_reason(self, item: pytest.Item, mark: pytest.Mark) -> str | None:
        known = self._skip_reasons.get(id(mark))
        if known is None:  # the mark is kept with its answer, so that no other takes its id
            known = self._skip_reasons[id(mark)] = (mark, self._ask(item, mark))
        return known[1]

    def _ask(self, item: pytest.Item, mark: pytest.Mark) -> str | None:
        try:
            meant = MARKERS[mark.name].read(mark)
            leak_markers.refuse_unknown_kinds(meant, item.config)
        except WrongArguments as problem:
            self._wrong.append(complaint(place_of(item, mark), mark, problem))
            return None
        return meant.skip_reason() if isinstance(meant, Need) else None

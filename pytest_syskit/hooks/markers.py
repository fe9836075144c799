"""Every marker in one table, and the one pass over the collected tests that reads them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from . import fork_marker, leak_markers, platform_markers, requirements, timeout_marker
from .marker_arguments import Marker, Need, WrongArguments, complaint, marks_of, place_of

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

COMPLAINTS = pytest.StashKey[list[str]]()
_WORKER_KEY = "syskit_wrong_markers"


def marker_lines() -> list[str]:
    """Return the lines that register our markers (``config.addinivalue_line("markers", line)``)."""
    return [marker.line for marker in MARKERS.values()]


def complaints(config: pytest.Config) -> list[str]:
    """Return the list to which messages about wrong marks are added during collection."""
    return config.stash.setdefault(COMPLAINTS, [])


class Reading:
    """The marks of one collection: each is read once, however many tests it is on."""

    def __init__(self, wrong: list[str]) -> None:
        self._wrong = wrong
        self._skip_reasons: dict[int, tuple[pytest.Mark, str | None]] = {}
        self._placed: dict[int, str] = {}

    def read(self, items: list[pytest.Item]) -> None:
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
        except WrongArguments as problem:
            self._wrong.append(complaint(place_of(item, mark), mark, problem))
            return None
        return meant.skip_reason() if isinstance(meant, Need) else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """Read the marks of all tests before other plugins, then those that other plugins added."""
    wrong = complaints(config)
    reading = Reading(wrong)
    reading.read(items)
    _refuse(config, items, wrong)
    result = yield
    reading.read(items)
    _refuse(config, items, wrong)
    return result


def _refuse(config: pytest.Config, items: list[pytest.Item], wrong: list[str]) -> None:
    """End the run with a usage error; an xdist worker runs nothing and tells its controller."""
    if not wrong:
        return
    output: dict[str, Any] | None = getattr(config, "workeroutput", None)
    if output is None:
        raise pytest.UsageError(*wrong)
    output[_WORKER_KEY] = list(wrong)
    items.clear()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of xdist complained of (each worker says the same)."""
    heard = complaints(node.config)
    for message in getattr(node, "workeroutput", {}).get(_WORKER_KEY, []):
        if message not in heard:
            heard.append(message)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """End the run of an xdist controller with the usage error that its workers found."""
    result = yield
    wrong = complaints(session.config)
    if wrong and not hasattr(session.config, "workeroutput"):
        raise pytest.UsageError(*wrong)
    return result

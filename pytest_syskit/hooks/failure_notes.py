"""What a fixture adds to the report of a failing test: where its files are, what programs wrote.

The hook is registered when the first fixture asks for it, so other suites pay nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import pytest

Note = Callable[[], "tuple[str, str] | None"]

_NOTES = pytest.StashKey[list[Note]]()
_FAILED = pytest.StashKey[bool]()
_NAME = "syskit-failure-notes"


class FailureNotes:
    """Adds the notes of an item to its failing reports, and remembers that it failed."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Ask the fixtures of a failing test what they have to say."""
        report = yield
        if report.failed:
            item.stash[_FAILED] = True
            said = [note() for note in item.stash.get(_NOTES, [])]
            report.sections += [section for section in said if section is not None]
        return report


def add_note(item: pytest.Item, note: Note) -> None:
    """Ask ``note`` for a section (title, text) whenever a report of the item fails."""
    manager = item.config.pluginmanager
    if not manager.has_plugin(_NAME):
        manager.register(FailureNotes(), _NAME)
    item.stash.setdefault(_NOTES, []).append(note)


def has_failed(item: pytest.Item) -> bool:
    """Say whether a phase of the item has failed so far; known only if it has notes."""
    return item.stash.get(_FAILED, False)

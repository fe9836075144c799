"""How far a run reached, and so what it can say about leaks that it did not meet.

A line of the baseline is *open* when its owner may leak as before and nobody looked: the test was
left out, skipped or failed early, its file was not collected, its kind was not watched.
"""

from __future__ import annotations

import os
from collections.abc import Collection

import pytest

from ..leaks.kinds import KINDS
from ..leaks.known import KnownLeak
from .settings import SETTINGS
from .summary import is_full_run

_ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


class Extent:
    """Notes which tests ran, and which of them to their end."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._kinds = config.stash[SETTINGS].leak_kinds
        self._ran: dict[str, bool] = {}

    def note(self, report: pytest.TestReport) -> None:
        """Note that a phase of a test has ended."""
        self._ran[report.nodeid] = self._ran.get(report.nodeid, True) and report.passed

    def is_full(self, session: pytest.Session, exitstatus: int) -> bool:
        """Say whether the run went through all the tests it was pointed at, and was watched."""
        stopped = session.shouldstop or session.shouldfail or exitstatus not in _ENDED
        watched = self._config.stash[SETTINGS].leaks != "off"
        return watched and not stopped and is_full_run(self._config)

    def is_open(self, key: KnownLeak, judged: Collection[str], unheard: Collection[str]) -> bool:
        """Say whether a line that was not met may still hold.

        Args:
            key: the line.
            judged: the owners, by their names in the list, who were judged.
            unheard: the ids of the owners who could not be judged.
        """
        unwatched = key.kind in KINDS and key.kind not in self._kinds
        if unwatched or not self._covers(key.path):
            return True
        if not key.is_fixture:
            return key.owner in unheard or not self._is_settled(key)
        return key.owner not in judged and not self._has_no_user(key.path)

    def _is_settled(self, key: KnownLeak) -> bool:
        """Say whether a test ran to its end, or cannot run any more."""
        ran = self._ran.get(key.owner)
        return self._is_missing(key) if ran is None else ran

    def _is_missing(self, key: KnownLeak) -> bool:
        """Say whether a test that did not run is no longer there: others of its file are."""
        return self._ran_below(key.path) or not os.path.exists(self._full(key.path))

    def _has_no_user(self, path: str) -> bool:
        """Say whether no test uses a fixture that was never set up: all that could have run."""
        if path and not os.path.exists(self._full(path)):
            return True
        place = os.path.dirname(path) if os.path.basename(path) == "conftest.py" else path
        return self._ran_below(place) and all(self._ran.values())

    def _ran_below(self, place: str) -> bool:
        return any(_is_below(nodeid.partition("::")[0], place) for nodeid in self._ran)

    def _full(self, path: str) -> str:
        return os.path.normpath(self._config.rootpath / path)

    def _covers(self, path: str) -> bool:
        """Say whether every test that could have to do with a file was to run."""
        return any(
            _is_below(self._full(path), os.path.normpath(self._config.invocation_params.dir / arg))
            for arg in map(str, self._config.args)
        )


def _is_below(path: str, place: str) -> bool:
    path, place = path.replace(os.sep, "/"), place.replace(os.sep, "/")
    return place in {"", path} or path.startswith(place.rstrip("/") + "/")

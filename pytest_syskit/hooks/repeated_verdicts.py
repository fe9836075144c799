"""Verdicts on a test that runs several times: one for all of its runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..detectors.watch import Watch
from ..leaks.leak import Leak
from ..leaks.plain_labels import PlainLabels
from ..leaks.side_by_side import lay_side_by_side
from .facts import Facts, attach
from .judge import Case, Judge
from .places import plain_labels
from .settings import SETTINGS, Settings
from .verdicts import Verdicts


def start(
    config: pytest.Config,
    watch: Watch,
    judge: Judge,
    deliver: Callable[[dict[str, Any]], object],
) -> RepeatedVerdicts:
    """Make the verdicts of a session whose tests are repeated."""
    labels = plain_labels(config)
    return RepeatedVerdicts(config.stash[SETTINGS], watch, judge, deliver, labels)


class RepeatedVerdicts(Verdicts):
    """Holds back what a test left in each of its runs, until it can be said how often.

    What fixtures left, and tests that ended earlier, is told as ever: it is not this test's.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        judge: Judge,
        deliver: Callable[[dict[str, Any]], object],
        labels: PlainLabels,
    ) -> None:
        super().__init__(settings, watch, judge, deliver)
        self._labels = labels
        self._case: Case | None = None
        self._runs: list[list[Leak]] = []

    def begin_run(self) -> None:
        """Begin with the next run of a test."""
        self._runs.append([])

    def _tell(self, case: Case, leaks: list[Leak], report: pytest.TestReport, facts: Facts) -> None:
        if not self._runs:  # an item that is not repeated
            super()._tell(case, leaks, report, facts)
            return
        self._case = case
        self._runs[-1] += leaks

    def conclude(self, report: pytest.TestReport) -> None:
        """Tell of all runs with the last report."""
        case, leaks = self._take()
        if case is not None:
            facts = Facts()
            super()._tell(case, leaks, report, facts)
            attach(report, facts)

    def abandon(self) -> None:
        """Save what is known when the runs were interrupted, and no report will be published."""
        for leak in self._take()[1]:
            self._late.leak(leak)

    def _take(self) -> tuple[Case | None, list[Leak]]:
        case, runs = self._case, self._runs
        self._case, self._runs = None, []
        return case, lay_side_by_side(runs, self._labels) if runs else []

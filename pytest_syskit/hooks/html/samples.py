"""The samples of the timeline: one for each test, taken when it has been judged.

    process that runs the tests                      process that reports
    Sampler: [worker, fds, children, threads] ─────▶ Timeline: one series for each worker
                     rides on the teardown report

Nothing of this is there unless a page was asked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

import pytest

from ...host.descriptors import descriptors
from ...host.processes import children, threads
from ...leaks.owner import Owner
from ..facts import attached

ATTRIBUTE = "syskit_sample"
MEASURES = ("descriptors", "children", "threads")


class Sampler:
    """Takes the samples, one at the last report of each test."""

    def __init__(self, worker: str | None) -> None:
        self._worker = worker
        self._test = ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Remember which test runs: errors of fixtures come as reports too."""
        self._test = nodeid

    def hear(self, report: pytest.TestReport) -> None:
        """Let a sample ride on the last report of the test that runs."""
        if report.nodeid == self._test:
            self.take(report)

    def take(self, report: pytest.TestReport) -> None:
        """Take the sample of a test, unless a forked child has taken it already."""
        if not hasattr(report, ATTRIBUTE):
            setattr(report, ATTRIBUTE, [self._worker, *_measure()])


def _measure() -> tuple[int, int, int]:
    """Count descriptors, children and threads; what cannot be counted is 0."""
    try:
        open_now = descriptors.count() if descriptors.counts() else len(descriptors.numbers())
    except OSError:
        open_now = 0  # no /proc here any more
    try:
        running = len(children.pids())
    except OSError:
        running = 0  # see above
    return open_now, running, threads.count()


class Series:
    """The samples of one process, as compact as 100,000 tests want them."""

    def __init__(self) -> None:
        self.tests: list[str] = []
        self.numbers = array("L")  # at least 32 bits everywhere
        self.ended: dict[Owner, int] = {}

    def add(self, test: str, counts: list[int]) -> None:
        """Add the sample of the next test."""
        self.tests.append(test)
        self.numbers.extend(counts)

    def __len__(self) -> int:
        return len(self.tests)

    def of(self, measure: int) -> array[int]:
        """Return one measure over all tests."""
        return self.numbers[measure :: len(MEASURES)]

    def positions(self, owners: dict[Owner, Any]) -> Iterator[tuple[int, Owner]]:
        """Yield where on the line each owner stands: a test at itself, a fixture where it ended."""
        tests = {owner.id: owner for owner in owners if owner.type == "test"}
        for position, test in enumerate(self.tests):
            if test in tests:
                yield position, tests[test]
        for owner, position in self.ended.items():
            if owner in owners:
                yield position, owner


class Timeline:
    """Collects the samples from the reports, wherever the tests ran."""

    def __init__(self) -> None:
        self.series: dict[str, Series] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the sample that rides on a report, and which fixtures ended with it."""
        sample = getattr(report, ATTRIBUTE, None)
        if sample is None:
            return
        worker, *counts = sample
        series = self.series.setdefault(worker or "", Series())
        series.add(report.nodeid, counts)
        for leak in attached(report).get("leaks", ()):
            owner = Owner.from_record(leak["owner"])
            if owner.type == "fixture":
                series.ended.setdefault(owner, len(series) - 1)

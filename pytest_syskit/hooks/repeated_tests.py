"""``--syskit-repeat``: one test is run several times, and is still one test.

    set-up, call, teardown │ set-up, call, teardown │ … │ set-up, call, teardown, wider teardown
             run 1         │         run 2          │   │            the last run
    each run is judged; what they left is laid side by side and told with the last report

A repeated test keeps its node id and gives one result, so that ``-k``, ``--last-failed``, JUnit
and pytest-xdist see what they always see, and all runs are in one process: otherwise there would be
no first time.  Ids as of a parameter, one for each run, would give all of that up.
"""

from __future__ import annotations

from typing import Any

import pytest

from .facts import Facts, attach, attached
from .repeated_verdicts import RepeatedVerdicts
from .settings import SETTINGS
from .wider_teardown import tear_down_wider

SECTION = "syskit: repeated"
_JUDGES = ("syskit-escape-guard", "syskit-accounts")  # in the order in which they hear any report


class RepeatedTests:
    """Runs each test function as often as was asked for; other items run once.

    Attributes:
        verdicts: holds back what is found until the runs of a test are over, if leaks are watched.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._times = config.stash[SETTINGS].repeat
        self._phases: Any = config.pluginmanager.get_plugin("runner")
        self.verdicts: RepeatedVerdicts | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run a test, and publish the reports of the run that counts."""
        if not isinstance(item, pytest.Function):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports, early = self._runs(item, nextitem)
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        if early:
            tear_down_wider(item, nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def run(self, item: pytest.Item) -> list[pytest.TestReport]:
        """Run a test inside of its wider fixtures, as in a forked child; return what counts."""
        if not isinstance(item, pytest.Function):
            reports: list[pytest.TestReport] = self._phases.runtestprotocol(
                item, log=False, nextitem=item.parent
            )
            return reports
        return self._runs(item, item.parent)[0]

    def _runs(self, item: pytest.Function, nextitem: Any) -> tuple[list[pytest.TestReport], bool]:
        """Return the reports of the first run that did not pass, else of the last one.

        The second value says whether what is wider than the test is still to be torn down.
        """
        whole = _Whole(item)
        for number in range(1, self._times + 1):
            last = number == self._times
            following = nextitem if last else item.parent
            reports = self._run(item, following)
            if last or not all(report.passed for report in reports) or _must_stop(item):
                break
            whole.add(reports)
        whole.complete(reports, number, self._times)
        if self.verdicts is not None:
            self.verdicts.conclude(reports[-1])
        return reports, following is not nextitem

    def _run(self, item: pytest.Function, following: Any) -> list[pytest.TestReport]:
        """Run a test once, and let the run be judged before the next one begins."""
        if self.verdicts is not None:
            self.verdicts.begin_run()
        try:
            reports: list[pytest.TestReport] = self._phases.runtestprotocol(
                item, log=False, nextitem=following
            )
        except BaseException:
            if self.verdicts is not None:
                self.verdicts.abandon()
            raise
        for name in _JUDGES:
            judge: Any = self._config.pluginmanager.get_plugin(name)
            if judge is not None:
                judge.hear(reports[-1])
        return reports


def _must_stop(item: pytest.Item) -> bool:
    return bool(item.session.shouldstop or item.session.shouldfail)


class _Whole:
    """What the runs of one test have in common, and what must not pass from one to the next."""

    def __init__(self, item: pytest.Function) -> None:
        self._item: Any = item
        self._properties = list(item.user_properties)
        self._durations: dict[str, float] = {}
        self._facts: list[dict[str, Any]] = []

    def add(self, reports: list[pytest.TestReport]) -> None:
        """Keep of a run what its successor's reports have to tell as well, and begin anew."""
        for report in reports:
            when = str(report.when)
            self._durations[when] = self._durations.get(when, 0.0) + report.duration
            if attached(report):
                self._facts.append(attached(report))
        self._renew()

    def _renew(self) -> None:
        """Take back what a run left on the test itself; pytest has no public way to do so."""
        item = self._item
        item.user_properties[:] = self._properties
        item._report_sections.clear()  # noqa: SLF001  # see above
        instance = getattr(item, "_instance", None)
        if instance is not None and getattr(item.obj, "__self__", None) is instance:
            item._obj = None  # noqa: SLF001  # a method of the object that is used up
            del item._instance  # noqa: SLF001  # the next run gets a fresh one

    def complete(self, reports: list[pytest.TestReport], number: int, times: int) -> None:
        """Let the reports of the run that counts speak for all runs."""
        for report in reports:
            report.duration += self._durations.get(str(report.when), 0.0)
            if report.failed:
                report.sections.append((SECTION, f"this was run {number} of {times}"))
        if self._facts:
            attach(reports[-1], self._earlier(attached(reports[-1])))

    def _earlier(self, last: dict[str, Any]) -> Facts:
        """Return the facts of earlier runs; what could never be checked is told once."""
        facts = Facts()
        for record in self._facts:
            facts.add(record)
        told = last.get("not_checked", [])
        unchecked = [each for each in facts.lists["not_checked"] if each not in told]
        facts.lists["not_checked"] = [x for n, x in enumerate(unchecked) if x not in unchecked[:n]]
        return facts

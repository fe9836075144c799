"""What becomes of a verdict: facts for the reports, and in ``fail`` mode errors of the owners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ..detectors.watch import Watch
from ..leaks import wording
from ..leaks.leak import Leak
from ..leaks.owner import Owner
from . import error_reports
from .facts import Facts, attach
from .judge import Case, Judge
from .settings import Settings


class Verdicts:
    """Publishes what the judge finds, each finding once."""

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        judge: Judge,
        deliver: Callable[[dict[str, Any]], object],
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._judge = judge
        self._deliver = deliver
        self._late = Facts()  # what comes when no report is at hand

    def test(self, case: Case, report: pytest.TestReport, beside: list[Case]) -> None:
        """Publish a test's findings on its teardown report, and those of others beside them."""
        facts = Facts()
        leaks = self._findings(case, facts)
        facts.tests_checked = int(case.policy.mode != "off" and not facts.lists["not_checked"])
        for other in beside:
            if not _gets_own_report(other):
                self._findings(other, facts)
        report.user_properties += _properties(leaks)
        guilty = [leak for leak in leaks if leak.verdict == "leak"]
        if guilty and case.policy.mode == "fail":
            facts.error(case.account.owner)
            text = "\n".join(wording.block(case.account.owner, guilty))
            error_reports.fail(report, text.partition("\n")[0], text)
        attach(report, facts)

    def _findings(self, case: Case, facts: Facts) -> list[Leak]:
        """Judge a case, write its facts down, and reclaim what leaked if the user wants it."""
        owner = case.account.owner
        leaks = self._judge.verdicts(case) if case else []
        for leak in leaks:
            facts.leak(leak)
        for kind, reason in self._watch.take_trouble().items():
            facts.not_checked(owner, f"{kind}: {reason}")
        self._note_unused(case, leaks, facts)
        self._reclaim(leaks)
        return leaks

    def _note_unused(self, case: Case, leaks: list[Leak], facts: Facts) -> None:
        """A test that failed may not have come to what it is allowed."""
        for allowance in case.allowances if not case.failed else ():
            if not any(allowance.covers(x.resource.kind, x.resource.label) for x in leaks):
                facts.unused_allowance(case.account.owner, str(allowance))

    def _reclaim(self, leaks: list[Leak]) -> None:
        for leak in leaks if self._settings.reap == "leaked" else ():
            if leak.resource.kind == "process" and leak.verdict == "leak":
                self._watch.reclaim(leak.resource)

    def fixtures(self, cases: list[Case], item: pytest.Item) -> None:
        """Publish an error report for each fixture that leaked, where the policy is ``fail``."""
        for case in cases:
            if _gets_own_report(case):
                report = self._fixture_report(case, item.nodeid)
                if report is not None:
                    item.ihook.pytest_runtest_logreport(report=report)

    def _fixture_report(self, case: Case, nodeid: str) -> pytest.TestReport | None:
        owner, facts = case.account.owner, Facts()
        guilty = [leak for leak in self._findings(case, facts) if leak.verdict == "leak"]
        if not guilty:
            self._late.add(facts.record())
            return None
        text = "\n".join(wording.block(owner, guilty))
        report = error_reports.error_report(
            *_filed_under(owner, nodeid), text.partition("\n")[0], text
        )
        report.user_properties += _properties(guilty)
        facts.error(owner)
        attach(report, facts)
        return report

    def not_checked(self, owner: Owner, reason: str) -> None:
        """Remember that an owner was never judged."""
        self._late.not_checked(owner, reason)

    def finish(self, cases: list[Case], session: pytest.Session) -> None:
        """Publish what is left at the end of the session, and hand over what came late."""
        for case in cases:
            report = self._fixture_report(case, "") if _gets_own_report(case) else None
            if report is not None:
                session.config.hook.pytest_runtest_logreport(report=report)
                if session.exitstatus == pytest.ExitCode.OK:
                    session.exitstatus = pytest.ExitCode.TESTS_FAILED
            elif not _gets_own_report(case):
                self._findings(case, self._late)
        self._late.rule_hits = self._judge.rule_hits
        self._deliver(self._late.record())


def _properties(leaks: list[Leak]) -> list[tuple[str, object]]:
    return [(f"syskit.{leak.verdict}", leak.resource.label) for leak in leaks]


def _gets_own_report(case: Case) -> bool:
    return case.account.owner.type == "fixture" and case.policy.mode == "fail"


def _filed_under(owner: Owner, nodeid: str) -> tuple[str, tuple[str, int], str]:
    """Return node id, place and name of a fixture's report; a fixture has no node of its own."""
    path, _, line = (owner.where or f"{nodeid.partition('::')[0]}:1").rpartition(":")
    return f"{path}::{owner.id}", (path, int(line)), f"fixture {owner.id}"

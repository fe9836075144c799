"""What becomes of a verdict: facts for the reports, and in ``fail`` mode errors of the owners."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from ..detectors.watch import Watch
from ..leaks import wording
from ..leaks.kinds import VALUES
from ..leaks.leak import Leak
from ..leaks.owner import Owner
from . import error_reports
from .facts import Facts, attach
from .judge import Case, Judge
from .settings import Settings
from .to_trace import to_trace


class Verdicts:
    """Publishes what the judge finds, each finding once.

    A test's error is its own teardown report.  A fixture has no report, so its error travels as a
    fact and becomes a report where reports are shown: an xdist worker may publish only its test's.
    """

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

    def test(self, case: Case, report: pytest.TestReport, beside: Iterable[Case]) -> None:
        """Publish a test's findings on its teardown report, and those of others beside them."""
        facts = Facts()
        leaks = self._findings(case, facts)
        facts.tests_checked = int(case.policy.mode != "off" and not facts.lists["not_checked"])
        for other in beside:
            self._others(other, facts)
        self._tell(case, leaks, report, facts)
        attach(report, facts)

    def _tell(self, case: Case, leaks: list[Leak], report: pytest.TestReport, facts: Facts) -> None:
        """Write down what a test left; in ``fail`` mode its report becomes an error."""
        for leak in leaks:
            facts.leak(leak)
        self._note_unused(case, leaks, facts)
        report.user_properties += _properties(leaks)
        guilty = [leak for leak in leaks if leak.verdict == "leak"]
        if case.failed:  # a value that it left is no second error
            guilty = [leak for leak in guilty if leak.resource.kind not in VALUES]
        if guilty and case.policy.mode == "fail":
            facts.error(case.account.owner)
            text = "\n".join(self._block(case.account.owner, guilty))
            error_reports.fail(report, wording.statement(guilty), text)

    def _others(self, case: Case, facts: Facts) -> None:
        """Write down the findings of a fixture, or of a test that ended earlier."""
        owner = case.account.owner
        leaks = self._findings(case, facts)
        for leak in leaks:
            facts.leak(leak)
        self._note_unused(case, leaks, facts)
        if leaks and owner.user is not None:
            facts.users[str(owner)] = owner.user
        guilty = [leak for leak in leaks if leak.verdict == "leak"]
        if guilty and owner.type == "fixture" and case.policy.mode == "fail":
            facts.error(owner)
            text = "\n".join(self._block(owner, guilty))
            facts.error_report(owner, wording.statement(guilty), text, _properties(guilty))

    def _block(self, owner: Owner, leaks: list[Leak]) -> list[str]:
        return wording.block(owner, leaks, to_trace(owner, self._settings))

    def _findings(self, case: Case, facts: Facts) -> list[Leak]:
        """Judge a case, write down how it went, and reclaim what leaked if the user wants it."""
        owner = case.account.owner
        leaks = self._judge.verdicts(case) if case else []
        for kind, reason in self._watch.take_trouble().items():
            facts.not_checked(owner, f"{kind}: {reason}")
        self._note_tally(owner, leaks, facts)
        self._reclaim(leaks)
        return leaks

    def _note_tally(self, owner: Owner, leaks: list[Leak], facts: Facts) -> None:
        """Count for the list of known leaks; that a fixture left nothing is worth a word too."""
        if self._judge.known is None:
            return
        tally = self._judge.known.tally(leaks)
        if tally or owner.type == "fixture":
            lines = [(key.kind, key.label, number) for key, number in tally.items()]
            facts.tally(self._judge.known.name(owner), lines)

    def _note_unused(self, case: Case, leaks: list[Leak], facts: Facts) -> None:
        """A test that failed may not have come to what it is allowed."""
        judged = not case.failed and case.policy.mode != "off"
        for allowance in case.allowances if judged else ():
            if not any(allowance.covers(x.resource.kind, x.resource.label) for x in leaks):
                facts.unused_allowance(case.account.owner, str(allowance))

    def _reclaim(self, leaks: list[Leak]) -> None:
        """End processes and put back values, if the user wants it; order: processes come first."""
        ended = {"process"} if self._settings.reap == "leaked" else set()
        wanted = ended | (VALUES if self._settings.restore == "leaked" else set())
        for leak in leaks if wanted else ():
            if leak.resource.kind in wanted and not self._is_meant(leak):
                self._watch.reclaim(leak.resource)

    def _is_meant(self, leak: Leak) -> bool:
        """Say whether somebody wants it to stay; that a leak is known does not make it wanted."""
        known = self._judge.known
        return leak.verdict == "allowed" and not (known and known.excused(leak))

    def not_checked(self, owner: Owner, reason: str) -> None:
        """Remember that an owner was never judged."""
        self._late.not_checked(owner, reason)

    def finish(self, cases: Iterable[Case]) -> None:
        """Hand over what no report can carry any more."""
        for case in cases:
            self._others(case, self._late)
        self._late.rule_hits = self._judge.rule_hits
        self._deliver(self._late.record())


def _properties(leaks: list[Leak]) -> list[tuple[str, object]]:
    return [(f"syskit.{leak.verdict}", leak.resource.label) for leak in leaks]

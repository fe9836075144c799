"""The docket: who is due for judgement, who is held back, and in which order they are heard."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import pytest

from ..detectors.holders import held, held_by_tracebacks
from ..detectors.watch import Watch
from ..leaks.kinds import VALUES
from ..leaks.ledger import Account, Ledger
from ..leaks.owner import Owner
from .facts import attach_clean
from .judge import Case, Judge
from .leak_markers import allowances_of, has_leak_marks, policy_of
from .live_fixture import LiveFixture
from .settings import Settings
from .verdicts import Verdicts


class Docket:
    """Brings cases before the judge.

    Attributes:
        live: the wide fixtures that are set up now, by their definitions.
    """

    def __init__(
        self, settings: Settings, watch: Watch, ledger: Ledger, judge: Judge, verdicts: Verdicts
    ) -> None:
        self.live: dict[Any, LiveFixture] = {}
        self._settings = settings
        self._watch = watch
        self._ledger = ledger
        self._judge = judge
        self._verdicts = verdicts
        self._due: list[Case] = []
        self._held: list[tuple[Case, int | None]] = []
        self._watched = settings.leaks != "off"

    def summon(self, fixture: LiveFixture) -> None:
        """Put a fixture that has ended on the list."""
        self._due.append(Case(fixture.account, fixture.policy, {}))

    def missed(self, owner: Owner, reason: str) -> None:
        """Record that an owner could not be heard."""
        self._verdicts.not_checked(owner, reason)

    def hear(
        self, item: pytest.Item, test: Account, report: pytest.TestReport, *, failed: bool
    ) -> bool:
        """Judge a test that has ended, and everybody who is due with it.

        Returns:
            whether there was nothing to say.
        """
        disturbed = self._watch.disturbances()
        if not disturbed and self._is_clear(item, test):
            if self._watched:
                attach_clean(report)
            return True
        policy, allowances = policy_of(item, self._settings), tuple(allowances_of(item))
        case = Case(test, policy, {}, allowances, failed, disturbed=tuple(disturbed))
        due, self._due = self._due, []
        released = self._release()
        self._settle([case, *due, *released], item)
        self._verdicts.test(case, report, beside=[*due, *released])
        return False

    def _is_clear(self, item: pytest.Item, test: Account) -> bool:
        """Say at the least cost that there is nothing to say: the way of nearly every test."""
        quiet = not (self._due or self._held or self._watch.trouble)
        return quiet and self._ledger.is_clear(test) and not has_leak_marks(item)

    def close(self) -> None:
        """Judge whoever is left at the end of the session."""
        held_back = [case for case, _ in self._held]
        cases = [*self._due, *held_back]
        self._due, self._held = [], []
        for case in held_back:
            case.failed, case.was_held = False, True
        self._settle(cases)
        self._verdicts.finish(cases)

    def _settle(self, cases: list[Case], item: pytest.Item | None = None) -> None:
        """Fill the cases with what remains of their births after the grace."""
        for case in cases:
            told = {(change.kind, change.key[0]) for change in case.disturbed}  # as replaced
            births = self._ledger.audit(case.account).items()
            case.births = {r: phase for r, phase in births if (r.kind, r.key[0]) not in told}
        if not any(case.births for case in cases):
            return
        if item is not None:
            _drop_values(item)
        self._judge.settle(cases)
        for case in cases:
            self._hand_over(case)
            self._hold_back(case)
            for resource in case.births:
                self._ledger.close(resource)

    def _hand_over(self, case: Case) -> None:
        """Charge live fixtures with what they hold, although it was born in a test."""
        for fixture in self.live.values() if case.births else ():
            for resource in held(fixture.roots(), case.births):
                self._ledger.transfer(resource, fixture.account)
                del case.births[resource]

    def _hold_back(self, case: Case) -> None:
        """Look again later at what a failed test left: its traceback keeps its objects alive.

        A value, such as the working directory, is held by no object.
        """
        if case.was_held and case.births:
            for resource in held_by_tracebacks(case.births):
                del case.births[resource]
        elif case.failed and case.births:
            held = {r: phase for r, phase in case.births.items() if r.kind not in VALUES}
            case.births = {r: phase for r, phase in case.births.items() if r.kind in VALUES}
            if held:
                self._held.append((replace(case, births=held, disturbed=()), _traceback_id()))

    def _release(self) -> list[Case]:
        """Return failed tests' cases whose traceback has been dropped since."""
        if not self._held:
            return []
        now = _traceback_id()
        free = [case for case, then in self._held if then != now or now is None]
        self._held = [entry for entry in self._held if entry[0] not in free]
        for case in free:
            case.failed, case.was_held = False, True
        return free


def _drop_values(item: pytest.Item) -> None:
    """Let go of the fixtures' values, as pytest does itself when it has published the report."""
    values = getattr(item, "funcargs", None)
    if isinstance(values, dict):
        values.clear()


def _traceback_id() -> int | None:
    """Name the exception whose traceback Python keeps for post-mortem debugging."""
    error = getattr(sys, "last_value", None)
    return None if error is None else id(error)

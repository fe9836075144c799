"""The accounts of a run: whose moment it is, and when somebody's life ends.

One object per session that runs tests.  It opens an account for each test and each fixture wider
than a test, looks at the machine where one phase becomes the next, and brings to judgement whoever
has ended, at the one moment when nothing is alive but what was left: after the last finaliser, when
pytest is about to publish the teardown report.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from ..detectors.holders import held
from ..detectors.watch import Watch
from ..host.real import real
from ..leaks.ledger import Account, Ledger
from .judge import Case, Judge
from .leak_markers import Policy, allowances_of, policy_of
from .owners import CLASS_SETUPS, fixture_owner, test_owner
from .settings import Settings
from .verdicts import Verdicts


class Accounts:
    """Keeps the accounts; every hook here is a wrapper around everybody else's."""

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        judge: Judge,
        verdicts: Verdicts,
        tidy: Callable[[], object],
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._court = judge
        self._verdicts = verdicts
        self._tidy = tidy
        self._pid = real.getpid()
        self._ledger = Ledger()
        self._item: pytest.Item | None = None
        self._test: Account | None = None
        self._failed = False
        self._fixtures: dict[Any, LiveFixture] = {}
        self._due: list[Case] = []
        self._held: list[tuple[Case, int | None]] = []

    # -- one test ----------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Open the test's account, and see that it is judged also if no report was published."""
        if real.getpid() != self._pid:
            return (yield)
        self._tidy()
        self._item, self._failed = item, False
        self._test = Account(test_owner(item))
        self._ledger.enter(self._test, "setup", self._watch.look())
        try:
            return (yield)
        finally:
            if self._test is not None and real.getpid() == self._pid:
                self._abandon()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, Any, Any]:
        """Mark the end of set-up."""
        try:
            result = yield
        except BaseException:
            self._turn("teardown")
            raise
        self._turn("call")
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        """Mark the end of the call."""
        try:
            return (yield)
        finally:
            self._turn("teardown")

    def _turn(self, phase: str) -> None:
        if self._test is not None and real.getpid() == self._pid:
            self._ledger.turn(self._test, phase, self._watch.look())

    # -- fixtures that outlive a test --------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """Charge a wide fixture with what its set-up makes."""
        if fixturedef.scope == "function" or real.getpid() != self._pid:
            return (yield)
        account = Account(fixture_owner(fixturedef, request))
        policy = policy_of(request.node, self._settings)
        self._fixtures[fixturedef] = LiveFixture(account, policy, fixturedef, request)
        self._ledger.enter(account, "setup", self._watch.look())
        try:
            return (yield)
        finally:
            self._ledger.leave(account, self._watch.look())
            # Finalisers run last in, first out: this one runs before the fixture's own.
            fixturedef.addfinalizer(partial(self._begin_finish, account))

    def _begin_finish(self, account: Account) -> None:
        if real.getpid() == self._pid:
            self._ledger.enter(account, "teardown", self._watch.look())

    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        """Note that a wide fixture has ended; it is judged when its value has been dropped."""
        if fixturedef not in self._fixtures or real.getpid() != self._pid:
            return
        ended = self._fixtures.pop(fixturedef)
        self._ledger.leave(ended.account, self._watch.look())
        self._due.append(Case(ended.account, ended.policy, {}))

    # -- judgement ---------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, Any, Any]:
        """Judge the test and the fixtures that ended with it, before anyone sees the report."""
        if self._item is None or self._test is None or report.nodeid != self._item.nodeid:
            return (yield)
        if real.getpid() != self._pid:
            return (yield)
        self._failed |= report.failed or hasattr(report, "wasxfail")
        if report.when != "teardown":
            return (yield)
        fixtures = self._judge(self._item, self._test, report)
        result = yield
        self._verdicts.fixtures(fixtures, self._item)
        return result

    def _judge(self, item: pytest.Item, test: Account, report: pytest.TestReport) -> list[Case]:
        """Judge whoever is due; returns the cases of fixtures, which may get reports of their own."""
        self._ledger.leave(test, self._watch.look(closely=True))
        self._test = None
        policy, allowances = policy_of(item, self._settings), tuple(allowances_of(item))
        case = Case(test, policy, {}, allowances, self._failed)
        due, self._due = self._due, []
        released = self._release() if self._held else []
        self._settle([case, *due, *released], item)
        self._verdicts.test(case, report, beside=[*due, *released])
        return due

    def _settle(self, cases: list[Case], item: pytest.Item | None = None) -> None:
        """Fill the cases with what remains of their births after the grace."""
        for case in cases:
            case.births = self._ledger.audit(case.account)
        if not any(case.births for case in cases):
            return
        if item is not None:
            _drop_values(item)
        self._court.settle(cases)
        for case in cases:
            self._hand_over(case)
            if case.failed and case.births:
                self._held.append((case, _traceback_id()))
                case.births = {}
            for resource in case.births:
                self._ledger.close(resource)

    def _hand_over(self, case: Case) -> None:
        """Charge live fixtures with what they hold, although it was born in a test."""
        for fixture in self._fixtures.values() if case.births else ():
            for resource in held(fixture.roots(), case.births):
                self._ledger.transfer(resource, fixture.account)
                del case.births[resource]

    def _release(self) -> list[Case]:
        """Return failed tests' cases whose traceback has been dropped since."""
        now = _traceback_id()
        free = [case for case, then in self._held if then != now or now is None]
        self._held = [held for held in self._held if held[0] not in free]
        for case in free:
            case.failed = False
        return free

    def _abandon(self) -> None:
        """Close the account of a test that published no teardown report, as when interrupted."""
        assert self._test is not None  # noqa: S101  # the caller asked
        self._ledger.leave(self._test, self._watch.look(closely=True))
        self._verdicts.not_checked(self._test.owner, "the test was interrupted before its teardown")
        self._test = None

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Judge what is still due: fixtures of an interrupted run, and failed tests' left-overs."""
        result = yield
        if real.getpid() == self._pid:
            cases = [*self._due, *(case for case, _ in self._held)]
            self._due, self._held = [], []
            for case in cases:
                case.failed = False
            self._settle(cases)
            for case in cases:
                self._excuse_traceback(case)
            self._verdicts.finish(cases, session)
        return result

    def _excuse_traceback(self, case: Case) -> None:
        """Drop what only the last failure's traceback holds: it goes when the traceback does."""
        roots = [getattr(sys, "last_traceback", None)]
        for resource in held(roots, case.births) if case.births else ():
            del case.births[resource]


@dataclass(frozen=True, slots=True)
class LiveFixture:
    """A fixture between its set-up and its end."""

    account: Account
    policy: Policy
    fixturedef: Any
    request: Any

    def roots(self) -> list[object]:
        """Return the objects that the fixture keeps: its value, or what ``setUpClass`` filled."""
        result = getattr(self.fixturedef, "cached_result", None)
        value = result[0] if result is not None else None
        if value is None and self.account.owner.id in CLASS_SETUPS:
            return list(vars(self.request.cls).values())
        return [value]


def _drop_values(item: pytest.Item) -> None:
    """Let go of the fixtures' values, as pytest does itself when it has published the report."""
    values = getattr(item, "funcargs", None)
    if isinstance(values, dict):
        values.clear()


def _traceback_id() -> int | None:
    """Name the exception whose traceback Python keeps for post-mortem debugging."""
    error = getattr(sys, "last_value", None)
    return None if error is None else id(error)


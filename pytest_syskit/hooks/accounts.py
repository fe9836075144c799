"""The accounts of a run: whose moment it is, and when somebody's life ends.

One object per session that runs tests.  It opens an account for each test and each fixture wider
than a test, looks at the machine where one phase becomes the next, and brings to the docket whoever
has ended, at the one moment when nothing is alive but what was left: after the last finaliser, when
pytest is about to publish the teardown report.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import pytest

from ..detectors.watch import Watch
from ..host.real import real
from ..leaks.ledger import Account, Ledger
from .docket import Docket
from .leak_markers import policy_of
from .live_fixture import LiveFixture
from .owners import fixture_owner, test_owner
from .settings import Settings

_PASSING = (pytest.skip.Exception,)  # what ends a phase early and is no failure
_ALL_IN_ONE = "call"  # the phase of all that a test without fixtures makes: nothing else runs


class Accounts:
    """Keeps the accounts; nothing here happens in a forked child.

    Args:
        others_act: whether code of others runs between two tests, which may leave something that is
            not the next test's.
    """

    def __init__(
        self,
        settings: Settings,
        watch: Watch,
        ledger: Ledger,
        docket: Docket,
        tidy: Callable[[], object],
        *,
        others_act: bool,
    ) -> None:
        self._settings = settings
        self._watch = watch
        self._ledger = ledger
        self._docket = docket
        self._tidy = tidy
        self._others_act = others_act
        self._all_known = False  # whether the last look has seen all that there is
        self._pid = real.getpid()
        self._item: pytest.Item | None = None
        self._test: Account | None = None
        self._has_phases = True
        self._failed = False

    # -- one test ----------------------------------------------------------------------------------

    def begin(self, item: pytest.Item) -> bool:
        """Open a test's account, unless that of an attempt is open which nobody has reported.

        Returns:
            whether the test has phases that differ.
        """
        if real.getpid() != self._pid:
            return False
        self._failed = False
        if self._test is not None:
            if item is self._item:
                return self._has_phases
            self._close_unheard()
        self._tidy()
        self._open(item)
        return self._has_phases

    def _open(self, item: pytest.Item) -> None:
        self._item, self._test = item, Account(test_owner(item))
        self._has_phases = bool(getattr(item, "fixturenames", True))
        phase = "setup" if self._has_phases else _ALL_IN_ONE
        now = self._watch.seen() if self._all_known else self._watch.look()
        self._ledger.enter(self._test, phase, now)
        self._all_known = False

    def turn(self, phase: str) -> None:
        """Go on to the next phase."""
        if self._has_phases and self._test is not None and real.getpid() == self._pid:
            self._ledger.turn(self._test, phase, self._watch.look())

    def fail(self, error: BaseException) -> None:
        """Note that the traceback of an error keeps alive what the test made."""
        if not isinstance(error, _PASSING):
            self._failed = True

    def stumble(self, report: pytest.TestReport) -> None:
        """Note what the report of a phase tells that did not just pass."""
        if report.outcome != "skipped" or hasattr(report, "wasxfail"):
            self._failed = True
        if report.when == "setup":
            self.turn("teardown")  # there will be no call

    def hear(self, report: pytest.TestReport) -> None:
        """Judge the test and the fixtures that ended with it, by its last report."""
        item = self._item
        if self._test is None or item is None or report.nodeid != item.nodeid:
            return
        if real.getpid() == self._pid:
            test = self._leave()
            clear = self._docket.hear(item, test, report, failed=self._failed or report.failed)
            self._all_known = clear and not self._others_act

    def _leave(self) -> Account:
        assert self._test is not None  # noqa: S101  # asked by the callers
        test, self._test = self._test, None
        now = self._watch.look(closely=True)
        if self._watch.swapped:
            test.phase = "call"  # it was not seen when it happened: most things happen there
        self._ledger.leave(test, now)
        return test

    def _close_unheard(self) -> None:
        """Close the account of a test whose last report was never published."""
        if self._test is not None:
            owner = self._leave().owner
            self._docket.missed(owner, "it was interrupted before its teardown")

    # -- a whole test in a forked child ------------------------------------------------------------

    def begin_in_child(self, item: pytest.Item) -> None:
        """Go on in a forked child with a book of its own, in which nothing is booked yet."""
        self._pid = real.getpid()
        self._ledger.note(self._watch.look(closely=True))
        self._open(item)

    def judge_in_child(self, report: pytest.TestReport | None) -> None:
        """Judge the test by the report that its child sends home."""
        if report is not None:
            self.hear(report)

    # -- fixtures that outlive a test --------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
        """Charge a wide fixture with what its set-up makes."""
        if fixturedef.scope == "function" or real.getpid() != self._pid:
            return (yield)
        account = Account(fixture_owner(fixturedef, request))
        policy = policy_of(request.node, self._settings)
        self._docket.live[fixturedef] = LiveFixture(account, policy, fixturedef, request)
        self._ledger.enter(account, "setup", self._watch.look(closely=True))
        try:
            return (yield)
        finally:
            if real.getpid() == self._pid:
                self._ledger.leave(account, self._watch.look(closely=True))
            # Finalisers run last in, first out: this one runs before the fixture's own.
            fixturedef.addfinalizer(partial(self._begin_finish, account))

    def _begin_finish(self, account: Account) -> None:
        if real.getpid() == self._pid:
            now, test = self._watch.look(closely=True), self._test
            unseen = self._watch.swapped and test is not None and test.phase == "teardown"
            if test is not None and unseen:
                test.phase = "call"  # see _leave
            self._ledger.enter(account, "teardown", now)
            if test is not None and unseen:
                test.phase = "teardown"

    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        """Note that a wide fixture has ended; it is judged when its value has been dropped."""
        if fixturedef in self._docket.live and real.getpid() == self._pid:
            ended = self._docket.live.pop(fixturedef)
            self._ledger.leave(ended.account, self._watch.look(closely=True))
            self._docket.summon(ended)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, Any]:
        """Judge what is still due: fixtures of an interrupted run, and failed tests' left-overs."""
        result = yield
        if real.getpid() == self._pid:
            self._close_unheard()
            self._docket.close()
        return result

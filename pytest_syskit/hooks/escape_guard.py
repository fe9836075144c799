"""No forked child goes on as a second pytest.

    test ── os.fork() ──┬── parent: goes on
                        └── child: returns, or raises  ──▶  would tear down fixtures, run the rest

After every piece of user code the pid is compared with the one before it.  A child that comes out
leaves a record and ends at once; the parent's test becomes an error that names it.  Children that
begin a whole test themselves, as those of fork runners do, have the same pid before and after.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from typing import Any, NoReturn, Protocol

import pytest

from ..host.processes import children
from ..host.processes.escape_record import Escape, EscapeRecord
from ..host.processes.fork_place import PLACE
from ..host.processes.parentage import NOTES
from ..host.real import real
from ..leaks.owner import Owner
from . import error_reports
from .facts import Facts, attach

STATUS = 70  # EX_SOFTWARE of sysexits.h: an internal error of the program
_PAUSE = 0.01  # seconds between looks at a child that may be about to escape
_TURNS = 50  # half a second in all: a child needs a millisecond to fail


class Phases(Protocol):
    """Who wants to know where one phase of a test becomes the next."""

    def begin(self, item: pytest.Item) -> bool:
        """Hear that a test's set-up is about to begin; say whether its turns are of interest."""
        ...

    def turn(self, phase: str) -> object:
        """Hear that ``call`` or ``teardown`` is about to begin."""
        ...

    def fail(self, error: BaseException) -> object:
        """Hear what the call has ended with, if it did not just return."""
        ...


class EscapeGuard:
    """Watches over forks, and so knows whose code is running; costs a ``getpid`` before and after.

    The user's code runs in the call and in fixtures, whose finalisers are followed by a hook.  Only
    a conftest can have more in set-up and teardown, which has a guard of its own.
    """

    def __init__(
        self, deliver: Callable[[dict[str, Any]], object], phases: Phases | None = None
    ) -> None:
        self._deliver = deliver
        self._phases = self._turns = phases
        self._record = EscapeRecord()
        self._pid = real.getpid()
        self._phase_pid = 0  # of the process that began what is running now; 0 between tests
        self._test = ""
        self._forks = 0
        self._late: list[Escape] = []

    def moment(self) -> str:
        """Return the node id of the test that is running now; empty between tests."""
        return self._test if self._phase_pid else ""

    # -- in the child ------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_fixture_setup(self) -> Generator[None, Any, Any]:
        """Guard the set-up of each fixture."""
        outer, self._phase_pid = self._phase_pid, real.getpid()
        pid = self._phase_pid
        try:
            result = yield
        except BaseException as error:
            self.check(pid, error)
            raise
        else:
            self.check(pid)
            return result
        finally:
            self._phase_pid = outer

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Note in which process a test begins, which may be a child of somebody's fork runner."""
        self._phase_pid = real.getpid()
        self._test, self._forks = item.nodeid, NOTES.forks
        if self._phases is not None:
            self._turns = self._phases if self._phases.begin(item) else None

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        """Guard the test itself, as close to the user's code as a hook can be."""
        __tracebackhide__ = True  # nothing of ours belongs into a failing test's traceback
        self._phase_pid = pid = real.getpid()
        turns = self._turns
        if turns is not None:
            turns.turn("call")
        try:
            result = yield
        except BaseException as error:
            self.check(pid, error)
            if self._phases is not None:
                self._phases.fail(error)
                self._phases.turn("teardown")
            raise
        if real.getpid() != pid:
            self._leave("returned")
        if turns is not None:
            turns.turn("teardown")
        return result

    def pytest_fixture_post_finalizer(self) -> None:
        """Stop a child between the finalisers of two fixtures."""
        if self._phase_pid and real.getpid() != self._phase_pid:
            self._leave("returned")

    def check(self, pid: int, error: BaseException | None = None) -> None:
        """End this process if it is not the one that began, for which ``pid`` stands."""
        if real.getpid() != pid:
            self._leave("returned" if error is None else _told(error))

    def _leave(self, how: str) -> NoReturn:
        self._record.write(Escape(self._test, real.getpid(), how, PLACE.text))
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                continue  # closed by the child
        os._exit(STATUS)

    # -- in the parent -----------------------------------------------------------------------------

    def hear(self, report: pytest.TestReport) -> None:
        """Make the test an error from which a child escaped; to be called with its last report."""
        self._test_is_over()
        if not NOTES.forks or real.getpid() != self._pid:
            return
        if NOTES.forks != self._forks and report.nodeid == self._test:
            self._await_children()
        escapes = self._record.read()
        own = [escape for escape in escapes if escape.test == report.nodeid]
        self._late += [escape for escape in escapes if escape.test != report.nodeid]
        if own or self._late:
            self._publish(report, own)

    def _test_is_over(self) -> None:
        if self._phase_pid:
            self.check(self._phase_pid)
            self._phase_pid = 0

    def _await_children(self) -> None:
        """Give children of this test that are about to escape the moment they need."""
        for _ in range(_TURNS):
            alive = [c for c in children.children() if c.pid in NOTES.pids and c.state == "running"]
            if not any(children.argv(child.pid) == children.argv(self._pid) for child in alive):
                return  # those that called exec cannot come back
            real.sleep(_PAUSE)

    def _publish(self, report: pytest.TestReport, own: list[Escape]) -> None:
        facts, late = Facts(), self._late
        self._late = []
        for escape in [*own, *late]:
            owner = Owner("test", escape.test)
            facts.escaped_child(owner, escape.pid, escape.how)
            children.reap(escape.pid)  # it ended in our code, so nobody else waits for it
        if own:
            facts.error(Owner("test", report.nodeid))
            error_reports.fail(report, _statement(own), _text(report.nodeid, own))
        for escape in late:
            owner = Owner("test", escape.test)
            facts.error_report(owner, _statement([escape]), _text(escape.test, [escape]), [])
        attach(report, facts)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, Any]:
        """Tell of children that escaped after the last report, and clean up."""
        self._test_is_over()  # one that was interrupted has no last report
        result = yield
        if real.getpid() != self._pid:
            return result
        facts = Facts()
        for escape in [*self._late, *self._record.read()]:
            owner = Owner("test", escape.test)
            facts.escaped_child(owner, escape.pid, escape.how)
            facts.error_report(owner, _statement([escape]), _text(escape.test, [escape]), [])
        self._record.remove()
        self._deliver(facts.record())
        return result


def _told(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"raised SystemExit({error.code!r})"
    if isinstance(error, pytest.skip.Exception):
        return f"called pytest.skip({error.msg!r})"
    return f"raised {type(error).__name__}: {error}".partition("\n")[0]


def _statement(escapes: list[Escape]) -> str:
    number = len(escapes)
    return f"{number} forked {'child' if number == 1 else 'children'} escaped from the test"


def _text(test: str, escapes: list[Escape]) -> str:
    lines = [
        f"{test}: {_statement(escapes)} into pytest, and would have run the rest a second time"
    ]
    lines += [f"  process {e.pid}  {e.how}  forked at  {e.forked_at}" for e in escapes]
    return "\n".join(
        [*lines, "  end the child with os._exit() in a finally block, or use fork_runner"]
    )

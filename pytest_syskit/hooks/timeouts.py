"""Limits for set-up, call and teardown of each test, each with its own arming.

    pytest_runtest_setup ─▶ … other wrappers … ─▶ arm │ fixtures │ rest ─▶ …
    pytest_runtest_call  ─▶ … other wrappers … ─▶ arm │ the test │ rest ─▶ …

The limit is armed innermost: a signal in somebody's report hook would end the session.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from ..host import capabilities
from ..host.signals import timers
from ..host.signals.timers import timer_clock
from ..tools.timeouts.overrun import Overrun
from ..tools.timeouts.signal_timeout import require_main_thread
from ..tools.timeouts.signalled_limit import shield
from ..tools.timeouts.time_limit import TimeLimit
from .marker_arguments import WrongArguments
from .settings import SETTINGS
from .timeout_fixtures import WideFixtureLimits
from .timeout_marker import Limit, limit_of_test
from .timeout_telling import FRAMEWORK, TimeoutTelling
from .timeout_watch import StackWatch

_LIMIT = pytest.StashKey[Limit]()

shield(__name__)


def start(session: pytest.Session) -> str | None:
    """Guard the session's tests if any of them has a limit.

    Returns:
        Why there can be no limits on this platform although some were asked for, or ``None``.
    """
    config = session.config
    default = config.stash[SETTINGS].timeout
    try:
        found = [(item, limit_of_test(item, default)) for item in session.items]
    except WrongArguments:
        return None  # pytest ends the collection also after the usage error about this mark
    limited = [(item, limit) for item, limit in found if limit is not None]
    if not limited:
        return None
    if lack := capabilities.missing("alarm"):
        return lack
    for item, limit in limited:
        item.stash[_LIMIT] = limit
    guard = TimeoutGuard(config)
    config.pluginmanager.register(guard, "syskit-timeouts")
    config.pluginmanager.register(WideFixtureLimits(guard), "syskit-timeouts-of-fixtures")
    config.add_cleanup(guard.close)
    return None


def _limited(phase: str) -> Any:
    """Return the hook that limits a phase: a generator of its own, with none inside it."""

    @pytest.hookimpl(wrapper=True, trylast=True)
    def limited(self: TimeoutGuard, item: pytest.Item) -> Generator[None, Any, Any]:
        __tracebackhide__ = True
        limit = self.begin(item, phase)
        if limit is None:
            return (yield from self.telling.unlimited(phase))
        armed = self.arm(limit)
        armed.mild = phase == "teardown"
        try:
            result = yield
        except BaseException as error:
            self.judge(armed, phase, armed.rest(), error)
            raise
        else:
            overrun = armed.rest()
            if overrun is not None:
                self.judge(armed, phase, overrun, None)
            return result
        finally:
            if phase == "teardown":
                self.telling.test_ends()

    return limited


class TimeoutGuard:
    """Arms a limit around each phase of each test that has one.

    Between two phases, and from one limited test to the next, it rests: armed, but never due.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._watch = StackWatch()
        self._limit: Limit | None = None
        self.armed: TimeLimit | None = None
        self.telling = TimeoutTelling(config, self._watch)

    def close(self) -> None:
        """Give everything back at the end of the session."""
        self._drop()
        self._watch.close()

    # -- phases --------------------------------------------------------------------------------

    pytest_runtest_setup = _limited("setup")
    pytest_runtest_call = _limited("call")
    pytest_runtest_teardown = _limited("teardown")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Disarm: there is no limit after the last test."""
        self._drop()
        self._watch.call_off()

    def begin(self, item: pytest.Item, phase: str) -> Limit | None:
        """Take note of a phase, and return its limit, if it has one."""
        if phase == "setup" or self.telling.item is not item:
            self._test_begins(item)
        limit = self._limit
        if limit is None:
            return None
        if phase == "call":
            self.telling.children.call_begins()
        return limit if limit.scope in {"all", phase} else None

    def _test_begins(self, item: pytest.Item) -> None:
        self._limit = limit = item.stash.get(_LIMIT, None)
        self.telling.item = item
        if limit is None:
            self._drop()
            self._watch.call_off()
            return
        if self.armed is not None and timers.blocked(self.armed.clock.number):
            self._drop()  # an earlier test has left the signal blocked; arming unblocks it
        self.telling.test_begins()

    def arm(self, limit: Limit) -> TimeLimit:
        """Let the time of a phase begin."""
        armed = self.armed
        if armed is None or not _is_for(armed, limit) or not armed.restart():
            self._drop()
            armed = self.armed = self.new_limit(limit)
            armed.arm(None)
        if limit.clock == "real":
            self._watch.cover(limit.seconds + armed.interval)
        return armed

    def new_limit(self, limit: Limit) -> TimeLimit:
        """Return a limit that is not armed yet."""
        require_main_thread()
        return TimeLimit(
            timer_clock(limit.clock), limit.seconds, observe=self.telling.observe,
            announce=self.telling.announce, boundary=FRAMEWORK, polite=True,
        )  # fmt: skip

    def _drop(self) -> None:
        """Disarm the limit that rests."""
        armed, self.armed = self.armed, None
        if armed is not None:
            armed.disarm()

    def judge(
        self,
        armed: TimeLimit,
        phase: str,
        overrun: Overrun | None,
        error: BaseException | None,
    ) -> None:
        """Raise the time-out of a phase that is over its limit."""
        __tracebackhide__ = True
        item = self.telling.item
        if overrun is None or item is None or isinstance(error, pytest.exit.Exception):
            return
        self._drop()
        what = f"{item.nodeid} ({phase})"
        self.telling.raise_timeout(armed, what, phase, overrun, error)

    # -- debuggers -----------------------------------------------------------------------------

    def pytest_enter_pdb(self) -> None:
        """Stop the clock while a person thinks."""
        self._watch.call_off()
        if self.armed is not None:
            self.armed.pause()

    def pytest_leave_pdb(self) -> None:
        """Let the clock go on."""
        if self.armed is not None:
            self.armed.resume()


def _is_for(armed: TimeLimit, limit: Limit) -> bool:
    return armed.seconds == limit.seconds and armed.clock.name == limit.clock

"""Limits for set-up, call and teardown of each test, each with its own arming.

    pytest_runtest_setup ─▶ … other wrappers … ─▶ arm │ fixtures │ rest ─▶ …
    pytest_runtest_call  ─▶ … other wrappers … ─▶ arm │ the test │ rest ─▶ …

The limit is armed innermost: a signal in somebody's report hook would end the session.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from ..host import capabilities
from ..host.signals.timers import timer_clock
from ..host.signals.watchdog import StackWatchdog
from ..tools.timeouts.autopsy import autopsy
from ..tools.timeouts.signal_timeout import require_main_thread
from ..tools.timeouts.time_limit import TimeLimit, shield
from ..tools.timeouts.timeout_verdict import Overrun, raise_overrun
from .marker_arguments import WrongArguments
from .settings import SETTINGS
from .timeout_children import NewChildren
from .timeout_marker import Limit, limit_of_test
from .timeout_verdicts import Timeout, TimeoutReports, TimeoutVerdicts, Verdict

_LIMIT = pytest.StashKey[Limit]()
_FRAMEWORK = "pluggy"  # frames of this module and farther out are pytest's, not the test's

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
    config.add_cleanup(guard.close)
    return None


class TimeoutGuard:
    """Arms a limit around each phase of each test that has one."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._verdicts: TimeoutVerdicts | None = None
        self._armed: TimeLimit | None = None
        self._children = NewChildren()
        self._item: pytest.Item | None = None
        self._autopsy = ""
        self._watched = False
        self._watchdog: Any
        self._stderr, self._watchdog = _watchdog()

    def close(self) -> None:
        """Give everything back at the end of the session."""
        self._drop()
        if self._watchdog is not None:
            self._watchdog.close()
        if self._stderr is not None:
            os.close(self._stderr)

    # -- phases --------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Limit the set-up."""
        __tracebackhide__ = True
        limit = item.stash.get(_LIMIT, None)
        if limit is None:
            self._unwatch()
            return (yield)
        self._item = item
        if self._verdicts is not None:
            self._verdicts.forget(item)
        self._children.test_begins()
        return (yield from self._limited(item, "setup", limit))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Limit the call."""
        __tracebackhide__ = True
        limit = item.stash.get(_LIMIT, None)
        if limit is None:
            return (yield)
        self._children.call_begins()
        return (yield from self._limited(item, "call", limit))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Limit the teardown; what a test that took too long has started ends with it."""
        __tracebackhide__ = True
        limit = item.stash.get(_LIMIT, None)
        if limit is None:
            return (yield)
        try:
            return (yield from self._limited(item, "teardown", limit))
        finally:
            self._drop()
            self._item = None
            self._children.test_ends()

    def _limited(self, item: pytest.Item, phase: str, limit: Limit) -> Generator[None, Any, Any]:
        __tracebackhide__ = True
        if limit.scope not in {"all", phase}:
            return (yield)
        armed = self._arm(limit)
        armed.mild = phase == "teardown"
        try:
            result = yield
        except BaseException as error:
            self._judge(armed, item, phase, error)
            raise
        self._judge(armed, item, phase, None)
        return result

    def _arm(self, limit: Limit) -> TimeLimit:
        armed = self._armed
        if armed is None or armed.seconds != limit.seconds or not armed.restart():
            self._drop()
            armed = self._armed = self._new(limit)
            armed.arm(None)
        if self._watchdog is not None and limit.clock == "real":
            self._watched = True
            self._watchdog.cover(limit.seconds + armed.interval)
        return armed

    def _new(self, limit: Limit) -> TimeLimit:
        require_main_thread()
        return TimeLimit(
            timer_clock(limit.clock), limit.seconds, observe=self._observe,
            announce=self._announce, boundary=_FRAMEWORK, polite=True,
        )  # fmt: skip

    def _drop(self) -> None:
        """Disarm the limit that rests between two phases."""
        armed, self._armed = self._armed, None
        if armed is not None:
            armed.disarm()

    def _unwatch(self) -> None:
        """Call the watchdog off, which else runs on from one limited test to the next."""
        if self._watched:
            self._watched = False
            self._watchdog.disarm()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Call the watchdog off: there is no limit after the last test."""
        self._unwatch()

    def _judge(
        self, armed: TimeLimit, item: pytest.Item, phase: str, error: BaseException | None
    ) -> None:
        __tracebackhide__ = True
        overrun = armed.rest()
        if overrun is not None and not isinstance(error, pytest.exit.Exception):
            self._drop()
            self._raise(armed, f"{item.nodeid} ({phase})", phase, overrun, error)

    def _raise(
        self,
        armed: TimeLimit,
        what: str,
        phase: str,
        overrun: Overrun,
        error: BaseException | None,
    ) -> None:
        __tracebackhide__ = True
        try:
            raise_overrun(armed, overrun, error, f"{what} took longer than", Timeout)
        except Timeout as timeout:
            assert self._item is not None  # noqa: S101  # a phase of a test is being judged
            verdict = Verdict(self._item, phase, overrun.seconds, timeout)
            ended = self._children.end_those_of_the_call() if phase == "call" else ""
            verdict.sections = [text for text in (self._autopsy, ended) if text]
            self._autopsy = ""
            self._told().add(verdict)
            self._children.timed_out = True
            raise

    def _told(self) -> TimeoutVerdicts:
        """Return the reporting half, which listens to reports from the first time-out on."""
        if self._verdicts is None:
            self._verdicts = TimeoutVerdicts()
            register = self._config.pluginmanager.register
            register(self._verdicts, "syskit-timeout-verdicts")
            register(TimeoutReports(self._verdicts), "syskit-timeout-reports")
        return self._verdicts

    # -- fixtures that outlive the test --------------------------------------------------------

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_fixture_setup(
        self, fixturedef: Any, request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """Give the set-up of a wider fixture a limit of its own, at nobody else's expense."""
        outer, item = self._armed, self._item
        if fixturedef.scope == "function" or outer is None or item is None:
            return (yield)
        outer.pause()
        self._children.fixture_begins()
        own = self._new(Limit(outer.seconds, outer.clock.name))
        own.arm(None)
        what = f"set-up of {fixturedef.scope} fixture {fixturedef.argname} for {item.nodeid}"
        try:
            return (yield from self._fixture(fixturedef, request, own, what))
        finally:
            self._children.fixture_is_set_up()
            outer.resume()

    def _fixture(
        self, fixturedef: Any, request: pytest.FixtureRequest, own: TimeLimit, what: str
    ) -> Generator[None, Any, Any]:
        error: BaseException | None = None
        result = None
        try:
            result = yield
        except BaseException as raised:  # noqa: BLE001  # raised again below
            error = raised
        overrun = own.disarm()
        if overrun is not None:
            try:
                self._raise(own, what, "setup", overrun, error)
            except Timeout as timeout:
                # Without an outcome to remember, every later user would hang anew.
                key = fixturedef.cache_key(request)
                fixturedef.cached_result = (None, key, (timeout, timeout.__traceback__))
                raise
        if error is not None:
            raise error
        return result

    # -- when the time is over -----------------------------------------------------------------

    def _observe(self) -> None:
        self._autopsy = autopsy(boundary=_FRAMEWORK)

    def _announce(self, armed: TimeLimit) -> None:
        """Tell other plugins; then look after ourselves."""
        item = self._item
        if self._watched:
            self._watchdog.arm(armed.seconds + armed.interval)
        self._children.note_family()
        try:
            self._config.hook.pytest_syskit_timeout(
                item=item, seconds=armed.seconds, config=self._config
            )
        except Exception as error:  # noqa: BLE001  # somebody's hook must not hide the time-out
            self._autopsy += f"\na pytest_syskit_timeout hook failed: {error!r}"

    # -- debuggers -----------------------------------------------------------------------------

    def pytest_enter_pdb(self) -> None:
        """Stop the clock while a person thinks."""
        self._unwatch()
        if self._armed is not None:
            self._armed.pause()

    def pytest_leave_pdb(self) -> None:
        """Let the clock go on."""
        if self._armed is not None:
            self._armed.resume()


def _watchdog() -> tuple[int | None, StackWatchdog | None]:
    """Return a watchdog that writes to the true standard error, and that descriptor.

    Plugins are configured while pytest captures nothing; later, descriptor 2 is a temporary file.
    """
    try:
        stderr = os.dup(2)
    except OSError:
        return None, None  # a daemon without standard error
    try:
        return stderr, StackWatchdog(stderr)
    except (OSError, NotImplementedError):
        os.close(stderr)
        return None, None  # no POSIX timers here: Python code that never runs stays unexplained

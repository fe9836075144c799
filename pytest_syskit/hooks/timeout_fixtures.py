"""Limits for the set-up of fixtures that outlive the test that asks for them first."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from ..tools.timeouts.signalled_limit import shield
from .timeout_marker import Limit
from .timeout_verdicts import Timeout

if TYPE_CHECKING:
    from ..tools.timeouts.time_limit import TimeLimit
    from .timeouts import TimeoutGuard

shield(__name__)


class WideFixtureLimits:
    """Gives the set-up of a wider fixture a limit of its own, at nobody else's expense."""

    def __init__(self, guard: TimeoutGuard) -> None:
        self._guard = guard

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_fixture_setup(
        self, fixturedef: Any, request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """Pause the limit of the test meanwhile."""
        if fixturedef.scope == "function":
            return (yield)
        guard, telling = self._guard, self._guard.telling
        outer, item = guard.armed, telling.item
        if outer is None or item is None or outer.resting:
            return (yield)
        outer.pause()
        telling.children.fixture_begins()
        own = guard.new_limit(Limit(outer.seconds, outer.clock.name))
        own.arm(None)
        what = f"set-up of {fixturedef.scope} fixture {fixturedef.argname} for {item.nodeid}"
        try:
            return (yield from self._limited(fixturedef, request, own, what))
        finally:
            telling.children.fixture_is_set_up()
            outer.resume()

    def _limited(
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
                self._guard.telling.raise_timeout(own, what, "setup", overrun, error)
            except Timeout as timeout:
                # Without an outcome to remember, every later user would hang anew.
                key = fixturedef.cache_key(request)
                fixturedef.cached_result = (None, key, (timeout, timeout.__traceback__))
                raise
        if error is not None:
            raise error
        return result

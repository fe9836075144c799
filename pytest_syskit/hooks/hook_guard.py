"""No forked child comes out of a conftest's own hooks either.

Few projects have hooks of set-up and teardown besides fixtures; two wrappers more in every test
would cost all the others as much as the rest of the guard.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from ..host.real import real
from .escape_guard import EscapeGuard


class HookGuard:
    """Guards what a conftest does in set-up and teardown besides fixtures."""

    def __init__(self, guard: EscapeGuard) -> None:
        self._guard = guard

    @staticmethod
    def is_needed(config: pytest.Config) -> bool:
        """Say whether a conftest implements one of the two hooks."""
        hooks = (config.hook.pytest_runtest_setup, config.hook.pytest_runtest_teardown)
        plugins = [each.plugin for hook in hooks for each in hook.get_hookimpls()]
        return any(_is_conftest(plugin) for plugin in plugins)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> Generator[None, Any, Any]:
        """Guard the set-up."""
        return (yield from self._guarded())

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> Generator[None, Any, Any]:
        """Guard the teardown."""
        return (yield from self._guarded())

    def _guarded(self) -> Generator[None, Any, Any]:
        __tracebackhide__ = True  # see above
        pid = real.getpid()
        try:
            result = yield
        except BaseException as error:
            self._guard.check(pid, error)
            raise
        self._guard.check(pid)
        return result


def _is_conftest(plugin: object) -> bool:
    return str(getattr(plugin, "__file__", "")).endswith("conftest.py")

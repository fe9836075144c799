"""Plugins that run a test several times, such as pytest-rerunfailures: each attempt in a child.

Such a plugin calls pytest's ``runtestprotocol``, which it has imported; during its turn it calls
ours instead.  What it noted on the test while reports were made, it noted in the child, so it is
shown every report once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

import pytest

from ..tools.forking.remote_errors import unpack_error

Attempt = Callable[..., list[pytest.TestReport]]


class Repeaters:
    """The plugins of a session that run tests by ``runtestprotocol`` of the plugin ``runner``."""

    def __init__(self, config: pytest.Config) -> None:
        runner: Any = config.pluginmanager.get_plugin("runner")
        self._plugins: list[Any] = [
            plugin
            for plugin in config.pluginmanager.get_plugins()
            if isinstance(plugin, ModuleType)
            and plugin is not runner
            and vars(plugin).get("runtestprotocol") is runner.runtestprotocol
            and hasattr(plugin, "pytest_runtest_protocol")
        ]

    def __bool__(self) -> bool:
        return bool(self._plugins)

    def run(self, item: pytest.Item, nextitem: pytest.Item | None, attempt: Attempt) -> bool:
        """Offer a test to each plugin; ``True`` when one has run it, by our attempts."""
        for plugin in self._plugins:
            with _calling(plugin, attempt):
                if plugin.pytest_runtest_protocol(item=item, nextitem=nextitem):
                    return True
        return False

    def show(
        self, item: pytest.Item, report: pytest.TestReport, error: dict[str, Any] | None
    ) -> None:
        """Let the plugins note a report, with the exception that it came from."""
        when: Any = report.when
        call: pytest.CallInfo[None] = pytest.CallInfo.from_call(lambda: None, when=when)
        if error is not None:
            call.excinfo = pytest.ExceptionInfo.from_exception(_raised(unpack_error(error)))
        for plugin in self._plugins:
            note = getattr(plugin, "pytest_runtest_makereport", None)
            if note is not None:
                noting = note(item=item, call=call)
                next(noting)
                with suppress(StopIteration):
                    noting.send(report)


@contextmanager
def _calling(plugin: Any, attempt: Attempt) -> Iterator[None]:
    """Let a plugin call our attempt where it would call pytest's."""
    before, plugin.runtestprotocol = plugin.runtestprotocol, attempt
    try:
        yield
    finally:
        plugin.runtestprotocol = before


def _raised(error: BaseException) -> BaseException:
    """Give an exception the traceback without which there is no ``ExceptionInfo``."""
    try:
        raise error  # noqa: TRY301  # to catch it is the point
    except BaseException as raised:  # noqa: BLE001  # raised one line above
        return raised

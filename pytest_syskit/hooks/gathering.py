"""The controlling process: takes in the facts of all tests, wherever they ran."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .facts import Facts, attached, is_clean, says_something

GATHERING = pytest.StashKey["Gathering"]()


class Gathering:
    """Collects facts: from this process's own tests, and under xdist from the workers'.

    Where tests run, it hears each last report, takes the good news at once, and keeps the rest
    until everybody has seen that report: so the error of a fixture comes after its test's own.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.facts = Facts()
        self._waiting: dict[str, Any] = {}

    def hear(self, report: pytest.TestReport) -> None:
        """Take in the facts of a last report, which is about to be published."""
        if self._waiting:
            self._catch_up()
        record = attached(report)
        if is_clean(record):
            self.facts.tests_checked += 1
        elif record and says_something(record):
            self._waiting = record
            self._config.pluginmanager.register(_Afterwards(self._catch_up), "syskit-afterwards")
        elif record:
            self.take(record)

    def _catch_up(self) -> None:
        if self._waiting:
            record, self._waiting = self._waiting, {}
            self._config.pluginmanager.unregister(name="syskit-afterwards")
            self.take(record)

    def take(self, record: dict[str, Any]) -> None:
        """Add facts, tell other plugins of each leak, and publish the errors of fixtures."""
        self.facts.add(record)
        if "leaks" in record or "error_reports" in record:
            self._tell(record)

    def _tell(self, record: dict[str, Any]) -> None:
        from ..leaks.leak import Leak  # noqa: PLC0415  # most runs have no leak to tell of
        from ..leaks.owner import Owner  # noqa: PLC0415  # see above
        from . import error_reports  # noqa: PLC0415  # see above

        for leak in record.get("leaks", ()):
            value = Leak.from_record(leak)
            self._config.hook.pytest_syskit_leak(leak=value, config=self._config)
        for error in record.get("error_reports", ()):
            owner = Owner.from_record(error["owner"])
            report = error_reports.of_owner(owner, error["statement"], error["text"])
            report.user_properties += map(tuple, error["properties"])
            self._publish(report)

    def _publish(self, report: pytest.TestReport) -> None:
        manager = self._config.pluginmanager
        manager.register(_NoProgress(), "syskit-no-progress")
        try:
            self._config.hook.pytest_runtest_logreport(report=report)
        finally:
            manager.unregister(name="syskit-no-progress")


class FromWorkers:
    """Hears of the reports of xdist workers, and of what they hand over when they end."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the facts that ride on a report."""
        record = attached(report)
        if record:
            self._gathering.take(record)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what an xdist worker hands over when it ends."""
        output = getattr(node, "workeroutput", None) or {}  # a worker that crashed has none
        self._gathering.take(output.get("syskit", {}))


class _Afterwards:
    """Calls back when everybody has seen a test's last report, at the end at the latest."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self) -> None:
        """The ordinary moment."""
        self._call()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """For plugins that run tests without telling when one has ended."""
        self._call()


class _NoProgress:
    """Keeps the error of a fixture out of the progress, which counts tests."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self) -> tuple[str, str, str]:
        """Count it as an error, and show no letter."""
        return ("error", "", "")

"""The controlling process: takes in the facts of all tests, wherever they ran."""

from __future__ import annotations

from typing import Any

import pytest

from .facts import Facts, attached

GATHERING = pytest.StashKey["Gathering"]()


class Gathering:
    """Collects facts from reports and, under xdist, from workers that have ended."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.facts = Facts()
        self._publishing = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self) -> tuple[str, str, str] | None:
        """Keep the error of a fixture out of the progress, which counts tests."""
        return ("error", "", "") if self._publishing else None

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the facts that ride on a report."""
        record = attached(report)
        if record:
            self.take(record)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what an xdist worker hands over when it ends."""
        output = getattr(node, "workeroutput", None) or {}  # a worker that crashed has none
        self.take(output.get("syskit", {}))

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
        self._publishing = True
        try:
            self._config.hook.pytest_runtest_logreport(report=report)
        finally:
            self._publishing = False

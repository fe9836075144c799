"""The controlling process: takes in the facts of all tests, wherever they ran."""

from __future__ import annotations

from typing import Any

import pytest

from ..leaks.leak import Leak
from .facts import Facts, attached


class Gathering:
    """Collects facts from reports and, under xdist, from workers that have ended."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.facts = Facts()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the facts that ride on a report."""
        record = attached(report)
        if record:
            self.take(record)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what an xdist worker hands over when it ends."""
        self.take(getattr(node, "workeroutput", {}).get("syskit", {}))

    def take(self, record: dict[str, Any]) -> None:
        """Add facts, and tell other plugins of each leak."""
        self.facts.add(record)
        for leak in record.get("leaks", ()):
            value = Leak.from_record(leak)
            self._config.hook.pytest_syskit_leak(leak=value, config=self._config)

"""What a test that took too long looks like in the report."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import pytest

from ..tools.timeouts.timeout_verdict import SignalTimeout

PROPERTY = "syskit.timeout"
SECTION = "what was going on when the time was over"


class Timeout(SignalTimeout):
    """A phase of a test took longer than its limit.

    Python writes classes of ``builtins`` without their module, so that reports and summaries say
    ``Timeout: tests/test_a.py::test_b (call) took longer than 0.5 s``.
    """

    __module__ = "builtins"


@dataclass(slots=True)
class Verdict:
    """One phase that took too long, until its report is made."""

    item: pytest.Item
    phase: str
    seconds: float
    error: Timeout
    sections: list[str] = field(default_factory=list)


class TimeoutVerdicts:
    """Puts time-outs into reports: the error, a property, and a section with the autopsy."""

    def __init__(self) -> None:
        self._due: list[Verdict] = []

    def add(self, verdict: Verdict) -> None:
        """Take note of a phase whose report is yet to be made."""
        self._due.append(verdict)

    def forget(self, item: pytest.Item) -> None:
        """Forget what an earlier attempt at this test left, as a rerun is a test of its own."""
        self._due.clear()
        kept = [entry for entry in item.user_properties if entry[0] != PROPERTY]
        if len(kept) != len(item.user_properties):
            item.user_properties[:] = kept

    def _of(self, item: pytest.Item, when: str | None) -> Verdict | None:
        return next((v for v in self._due if v.item is item and v.phase == when), None)

    @pytest.hookimpl
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Let the time-out win over what ``unittest`` noted when the code was interrupted.

        A plain hook of a late plugin runs after unittest's, which goes first, and before pytest's.
        """
        verdict = self._of(item, call.when) if self._due else None
        if verdict is None or (call.excinfo is not None and call.excinfo.value is verdict.error):
            return
        error = verdict.error
        call.excinfo = pytest.ExceptionInfo.from_exc_info(
            (type(error), error, error.__traceback__)  # type: ignore[arg-type]  # it was raised
        )


def _add_section(report: Any, text: str) -> None:
    """Add to the error itself, which JUnit shows as well; it leaves out sections of reports."""
    if hasattr(report.longrepr, "addsection"):
        report.longrepr.addsection(SECTION, text)
    else:
        report.sections.append((SECTION, text))


class TimeoutReports:
    """The outer half of ``TimeoutVerdicts``: adds to reports that pytest has made."""

    def __init__(self, verdicts: TimeoutVerdicts) -> None:
        self._verdicts = verdicts

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, Any, Any]:
        """Add the property and the sections."""
        verdict = self._verdicts._of(item, call.when)  # noqa: SLF001  # the other half
        if verdict is not None:
            item.user_properties.append((PROPERTY, f"{verdict.phase} {verdict.seconds:g} s"))
        report = yield
        if verdict is not None:
            for text in verdict.sections:
                _add_section(report, text)
            report.syskit_timeout = {"phase": verdict.phase, "seconds": verdict.seconds}
        return report

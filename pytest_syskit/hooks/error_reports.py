"""Reports that carry our own text, in pytest's own form.

The text is given to pytest as a failure without traceback, so that terminal, JUnit, xdist and the
short summary treat it like any other error.
"""

from __future__ import annotations

from typing import Any

import pytest

from ..leaks.owner import Owner

SECTION = "syskit: left behind"


def fail(report: pytest.TestReport, statement: str, text: str) -> None:
    """Turn a report into an error; one that is an error already keeps its own text first."""
    if report.failed:
        report.sections.append((SECTION, text))
        return
    path, line, _ = report.location
    report.outcome = "failed"
    report.longrepr = _representation(statement, text, path, (line or 0) + 1)


def of_owner(owner: Owner, statement: str, text: str) -> pytest.TestReport:
    """Make an error report for an owner whose own report has gone out, or who has none.

    A fixture's is filed under the place where the fixture is defined.
    """
    path, _, name = owner.id.partition("::")
    line = "1"
    if owner.type == "fixture":
        path, _, line = (owner.where or "conftest.py:1").rpartition(":")
        name = f"fixture {owner.id}"
    nodeid = owner.id if owner.type == "test" else f"{path}::{owner.id}"
    shown = _representation(statement, text, path, int(line))
    return pytest.TestReport(nodeid, (path, int(line) - 1, name), {}, "failed", shown, "teardown")


def _representation(statement: str, text: str, path: str, line: int) -> Any:
    """Build what pytest builds for ``pytest.fail(pytrace=False)``, pointing at the owner."""
    try:
        pytest.fail(text, pytrace=False)
    except pytest.fail.Exception:
        shown = pytest.ExceptionInfo.from_current().getrepr(style="value")
    crash = shown.reprcrash
    if crash is not None:  # what JUnit and the short summary show
        crash.path, crash.lineno, crash.message = path, line, statement
    for entry in getattr(shown.reprtraceback, "reprentries", ()):
        entry.lines[:] = [text]
    return shown

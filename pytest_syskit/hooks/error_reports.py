"""Reports that carry our own text, in pytest's own form.

The text is given to pytest as a failure without traceback, so that terminal, JUnit, xdist and the
short summary treat it like any other error.
"""

from __future__ import annotations

from typing import Any

import pytest


def fail(report: pytest.TestReport, headline: str, text: str) -> None:
    """Turn a report into an error; one that is an error already keeps its own text first."""
    report.sections.append(("syskit: left behind", text))
    if not report.failed:
        report.outcome = "failed"
        report.longrepr = _representation(headline, text, *_place(report))
        report.sections.pop()


def error_report(
    nodeid: str, where: tuple[str, int], name: str, headline: str, text: str
) -> pytest.TestReport:
    """Make an error report of an owner that is no test.

    Args:
        nodeid: what the report is filed under.
        where: path and line (from 1) of the owner.
        name: what the error's headline in the terminal says.
        headline: the first line, for the short summary and for JUnit's message.
        text: the whole text.
    """
    path, line = where
    representation = _representation(headline, text, path, line)
    return pytest.TestReport(
        nodeid, (path, line - 1, name), {}, "failed", representation, "teardown"
    )


def _place(report: pytest.TestReport) -> tuple[str, int]:
    path, line, _ = report.location
    return path, (line or 0) + 1


def _representation(headline: str, text: str, path: str, line: int) -> Any:
    """Build what pytest builds for ``pytest.fail(pytrace=False)``, pointing at the owner."""
    try:
        pytest.fail(text, pytrace=False)
    except pytest.fail.Exception:
        info = pytest.ExceptionInfo.from_current()
        shown = info.getrepr(style="value")
    crash = shown.reprcrash
    if crash is not None:
        crash.path, crash.lineno, crash.message = path, line, headline
    for entry in getattr(shown.reprtraceback, "reprentries", ()):
        entry.lines[:] = [text]
    return shown

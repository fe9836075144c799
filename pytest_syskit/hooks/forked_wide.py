"""Fixtures wider than a forked test: set up and torn down in the parent, heard as the test's own.

What they write and log is captured as that of the test that they are set up or torn down for.
pytest has no public way to set them up alone.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest


def set_up_wider(item: pytest.Item) -> None:
    """Set up collectors and wide fixtures; a failure is cached, and the child reports it."""
    if _skipped(item):
        return
    try:
        with _heard(item, "setup"):
            _set_up(item)
    except (KeyboardInterrupt, pytest.exit.Exception):
        raise
    except BaseException:  # noqa: BLE001, S110  # the child meets it again, where it is reported
        pass


def _set_up(node: Any) -> None:
    state = node.session._setupstate  # noqa: SLF001  # see above
    if not hasattr(node, "_initrequest"):
        state.setup(node.parent)  # an item of another kind, without fixtures
        return
    if not node._request:  # noqa: SLF001  # used up by an earlier attempt
        node._initrequest()  # noqa: SLF001  # see above
    # Its own set-up may do more than fixtures, as that of pytest-asyncio, and is the child's.
    node.setup = partial(_fill, node)
    try:
        state.setup(node)
    finally:
        del node.setup
        state.teardown_exact(node.parent)
        node._request, node.funcargs = False, None  # noqa: SLF001  # the child begins anew


def _fill(node: Any) -> None:
    for name in _wider(node, node.fixturenames):
        node._request.getfixturevalue(name)  # noqa: SLF001  # see above


def _wider(node: Any, names: list[str]) -> list[str]:
    definitions = node._fixtureinfo.name2fixturedefs  # noqa: SLF001  # see above
    return [n for n in names if n in definitions and definitions[n][-1].scope != "function"]


def _skipped(item: pytest.Item) -> bool:
    """Say whether marks keep the test from running: then nothing is set up for it."""
    marks: Any = item.config.pluginmanager.get_plugin("skipping")
    try:
        if marks is None or marks.evaluate_skip_marks(item):
            return marks is not None
        xfail = marks.evaluate_xfail_marks(item)
    except Exception:  # noqa: BLE001  # a wrong condition: the child meets it, and reports it
        return True
    return xfail is not None and not xfail.run and not item.config.getoption("runxfail", False)


def tear_down_wider(
    item: pytest.Item, nextitem: pytest.Item | None
) -> tuple[pytest.TestReport | None, list[tuple[str, str]]]:
    """Tear down what the next test does not need; return a report if that failed, and the output.

    Like pytest, it tears down everything if the session is about to stop.
    """
    session: Any = item.session
    following = None if session.shouldfail or session.shouldstop else nextitem
    own: Any = item
    before, own._report_sections = own._report_sections, []  # noqa: SLF001  # see above
    with _heard(item, "teardown"):
        call = pytest.CallInfo.from_call(
            lambda: session._setupstate.teardown_exact(following),  # noqa: SLF001  # see above
            when="teardown",
            reraise=(KeyboardInterrupt, pytest.exit.Exception),
        )
    output = drained(item.config)
    sections = [(f"Captured {key} {when}", text) for when, key, text in own._report_sections]  # noqa: SLF001
    sections += [(f"Captured {name} teardown", text) for name, text in output if text]
    own._report_sections = before  # noqa: SLF001  # see above
    if call.excinfo is None:
        return None, sections
    _note_xfail(item)
    return item.ihook.pytest_runtest_makereport(item=item, call=call), sections


def _note_xfail(item: pytest.Item) -> None:
    """Let pytest know that a test is expected to fail; what it noted at set-up is in the child."""
    marks: Any = item.config.pluginmanager.get_plugin("skipping")
    with contextlib.suppress(Exception):  # a wrong condition: the child has met it, and reports it
        if marks is not None and not marks.evaluate_skip_marks(item):
            item.stash[marks.xfailed_key] = marks.evaluate_xfail_marks(item)


def add_failure(report: pytest.TestReport, wide: pytest.TestReport) -> bool:
    """Let a test's last report tell of the failure of wide fixtures; say whether it can.

    pytest raises one group of all errors of a teardown.  Those of the test are in another process,
    so its report tells of one after the other.
    """
    if report.passed:
        report.outcome, report.longrepr = wide.outcome, wide.longrepr
        if hasattr(wide, "wasxfail"):
            report.wasxfail = wide.wasxfail
        return True
    add: Any = getattr(report.longrepr, "addsection", None)
    if add is not None and (report.failed or report.outcome == wide.outcome):
        add("then, in the teardown of wider fixtures", wide.longreprtext)
        return True
    return False


def add_sections(report: pytest.TestReport, sections: list[tuple[str, str]]) -> None:
    """Add output to a report, to what is there under the same title if there is."""
    for title, text in sections:
        for number, (known, before) in enumerate(report.sections):
            if known == title:
                report.sections[number] = (title, before + text)
                break
        else:
            report.sections.append((title, text))


def drained(config: pytest.Config) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return what pytest's capture holds, and let it hold nothing."""
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    out, err = "", ""
    if capture is not None and capture.is_globally_capturing():
        out, err = capture.read_global_capture()
    return ("stdout", out), ("stderr", err)


@contextlib.contextmanager
def _heard(item: pytest.Item, when: str) -> Iterator[None]:
    """Capture output, which stays in pytest's capture until somebody reads it, and log."""
    capture: Any = item.config.pluginmanager.get_plugin("capturemanager")
    hearing = capture is not None and capture.is_globally_capturing()
    with _logged(item, when):
        if hearing:
            capture.resume_global_capture()
        try:
            yield
        finally:
            if hearing:
                capture.suspend_global_capture(in_=False)


@contextlib.contextmanager
def _logged(item: pytest.Item, when: str) -> Iterator[None]:
    plugin: Any = item.config.pluginmanager.get_plugin("logging-plugin")
    formatter = getattr(plugin, "formatter", None)
    if formatter is None:
        yield
        return
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
        item.add_report_section(when, "log", text.getvalue().strip())

"""Reports between a forked child and its parent."""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from typing import Any

import pytest

from ..tools.forking.fork_results import ForkResult, Raised

# Whose hooks for reports publish nothing: without these, the child would lose its captured log.
_SILENT = ("pytest_syskit", "_pytest.logging", "_pytest.main")


class StandIn:
    """Answers for a plugin without taking part in any hook: terminal, JUnit and their like."""

    def __init__(self, plugin: object) -> None:
        self._plugin = plugin

    def __getattr__(self, name: str) -> object:
        if name.startswith("pytest_"):
            raise AttributeError(name)
        return getattr(self._plugin, name)


class Recorder:
    """Keeps in the child what the parent is to publish, and keeps others from publishing it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._reports: list[Any] = []
        self.warnings: list[dict[str, Any]] = []
        manager = config.pluginmanager
        for plugin in [
            each.plugin for each in config.hook.pytest_runtest_logreport.get_hookimpls()
        ]:
            if not type(plugin).__module__.startswith(_SILENT):
                name = manager.get_name(plugin)
                manager.unregister(plugin)
                manager.register(StandIn(plugin), name)
        manager.register(self, "syskit-recorder")

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Keep reports that are published inside a phase, as those of subtests are."""
        self._reports.append(report)

    def keep_warnings(self, caught: Iterable[Any], nodeid: str) -> None:
        """Keep the warnings that can travel; the parent's list of them lives in the parent."""
        for message in caught:
            message.source = None  # the object that was not closed stays in the child
            warning = {"warning_message": message, "when": "runtest", "nodeid": nodeid}
            if _travels(message):
                self.warnings.append({**warning, "location": None})

    def take(self, reports: Iterable[pytest.TestReport]) -> None:
        """Add the reports of the phases, in front of whose calls subtests stand."""
        setup, *rest = reports
        self._reports = [setup, *self._reports, *rest]

    def teardown(self) -> pytest.TestReport | None:
        """Return the last report, on which the test is judged."""
        last = self._reports[-1] if self._reports else None
        return last if getattr(last, "when", None) == "teardown" else None

    def serialised(self) -> list[dict[str, Any]]:
        """Return the reports as pytest itself sends them over process borders."""
        hook = self._config.hook.pytest_report_to_serializable
        for report in self._reports:
            report.user_properties = [_property(each) for each in report.user_properties]
        return [hook(config=self._config, report=report) for report in self._reports]


def _property(pair: tuple[str, object]) -> tuple[str, object]:
    name, value = pair
    return name, value if _travels(value) else repr(value)


def _travels(value: object) -> bool:
    try:
        pickle.loads(pickle.dumps(value))  # noqa: S301  # our own bytes
    except Exception:  # noqa: BLE001  # whatever the user's __reduce__ raises
        return False
    return True


def crash_report(item: pytest.Item, result: ForkResult) -> list[pytest.TestReport]:
    """Return the reports of a test whose child never came to report."""
    if isinstance(result, Raised):
        text = f"the forked child could not report:\n{result.traceback_text}"
    else:
        text = f"the forked child {result.describe()}"
    call = pytest.CallInfo.from_call(lambda: pytest.fail(text, pytrace=False), when="call")
    report = item.ihook.pytest_runtest_makereport(item=item, call=call)
    report.duration = result.duration
    report.sections += _output(item, result)
    mark = item.get_closest_marker("xfail")
    if mark is not None and not mark.kwargs.get("raises"):
        report.outcome, report.wasxfail = "skipped", mark.kwargs.get("reason", "")
    done = pytest.CallInfo.from_call(lambda: None, when="teardown")
    return [report, item.ihook.pytest_runtest_makereport(item=item, call=done)]


def _output(item: pytest.Item, result: ForkResult) -> list[tuple[str, str]]:
    """Return what the child wrote, also what pytest's capture had swallowed by then."""
    capture: Any = item.config.pluginmanager.get_plugin("capturemanager")
    captured = (
        capture.read_global_capture()
        if capture is not None and capture.is_globally_capturing()
        else ("", "")
    )
    pairs = [("stdout", captured[0] + result.stdout), ("stderr", captured[1] + result.stderr)]
    return [(f"Captured {name} call", text) for name, text in pairs if text]

"""Reports between a forked child and its parent."""

from __future__ import annotations

import pickle
from collections.abc import Generator, Iterable
from types import ModuleType
from typing import Any

import pytest

from ..tools.forking.fork_results import ForkResult, Raised
from ..tools.forking.remote_errors import pack_error
from .forked_wide import drained

# Whose hooks for reports publish nothing: without these, the child would lose its captured log.
_SILENT = ("pytest_syskit", "_pytest.logging", "_pytest.main")


class Recorder:
    """Keeps in the child what the parent is to publish, and keeps others from publishing it.

    Attributes:
        warnings: what was warned of.
        errors: phase -> the exception that it ended with, packed, if these are to be kept.
    """

    def __init__(self, config: pytest.Config, *, keep_errors: bool = False) -> None:
        self._config = config
        self._reports: list[Any] = []
        self._keep_errors = keep_errors
        self.warnings: list[dict[str, Any]] = []
        self.errors: dict[str, dict[str, Any]] = {}
        for hook in config.hook.pytest_runtest_logreport.get_hookimpls():
            if not _home(hook.plugin).startswith(_SILENT):
                _mute(hook)
        config.pluginmanager.register(self, "syskit-recorder")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
        """Keep the exception of a phase, for those in the parent who decide by it."""
        report = yield
        if self._keep_errors and call.excinfo is not None:
            self.errors[call.when] = pack_error(call.excinfo.value)
        return report

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


def _home(plugin: object) -> str:
    """Return the name of the module that a plugin is, or is from."""
    return plugin.__name__ if isinstance(plugin, ModuleType) else type(plugin).__module__


def _mute(hook: Any) -> None:
    """Let one hook of a plugin do nothing more in this process, and leave it its others."""

    def nothing() -> Generator[None, Any, Any]:
        return (yield)

    wraps = hook.wrapper or hook.hookwrapper
    hook.function = nothing if wraps else lambda: None
    hook.argnames = hook.kwargnames = ()


def _failed_subtests_key(config: pytest.Config) -> Any:
    """Return where pytest 9 counts the subtests of a test that failed, ``None`` before."""
    return getattr(config.pluginmanager.get_plugin("subtests"), "failed_subtests_key", None)


def failed_subtests(item: pytest.Item) -> int:
    """Return how many subtests of a test have failed in this process."""
    key = _failed_subtests_key(item.config)
    return 0 if key is None else item.config.stash[key].get(_identity(item), 0)


def count_failed_subtests(item: pytest.Item, number: int) -> None:
    """Note failed subtests in this process: pytest fails a test that passed but for them."""
    key = _failed_subtests_key(item.config)
    if key is not None and number:
        item.config.stash[key][_identity(item)] += number


def _identity(item: pytest.Item) -> Any:
    return getattr(item, "id", item.nodeid)  # a node has an id from pytest 9.1 on


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
    make = item.ihook.pytest_runtest_makereport
    setup = make(item=item, call=_passed("setup"))  # others prepare to note what follows
    call = pytest.CallInfo.from_call(lambda: pytest.fail(text, pytrace=False), when="call")
    report = make(item=item, call=call)
    report.duration = result.duration
    report.sections += _output(item, result)
    mark = item.get_closest_marker("xfail")
    if mark is not None and not mark.kwargs.get("raises"):
        report.outcome, report.wasxfail = "skipped", mark.kwargs.get("reason", "")
    return [setup, report, make(item=item, call=_passed("teardown"))]


def _passed(when: Any) -> pytest.CallInfo[None]:
    return pytest.CallInfo.from_call(lambda: None, when=when)


def _output(item: pytest.Item, result: ForkResult) -> list[tuple[str, str]]:
    """Return what the child wrote, also what pytest's capture had swallowed by then."""
    (_, out), (_, err) = drained(item.config)
    pairs = [("stdout", out + result.stdout), ("stderr", err + result.stderr)]
    return [(f"Captured {name} call", text) for name, text in pairs if text]

"""Nobody leaves pytest by the back door.

``os._exit(0)`` in a test ends a plain run with status 0 and no summary, and the tests after it
never run.  Called in the pytest process itself while a test runs, it is an error of that test
instead.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Generator
from types import FrameType
from typing import Any

import pytest

from ..host.processes.exits import Doors
from ..host.processes.fork_place import place_of
from ..host.real import real
from . import error_reports

_STDLIB = sysconfig.get_path("stdlib")
_BETWEEN = ("coverage", "pytest_syskit")  # their frames lie between the caller and us


class BackDoor:
    """Stands before ``os._exit`` and ``exec`` while a test runs."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._pid = real.getpid()
        self._test = ""
        self._attempts: list[str] = []
        self._doors = Doors(self._refuse)
        self._doors.watch()
        config.add_cleanup(self._doors.restore)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Know whose moment it is."""
        self._test = item.nodeid
        try:
            return (yield)
        finally:
            self._test = ""

    def _refuse(self, call: str, caller: FrameType) -> None:
        if not self._test or real.getpid() != self._pid:
            return  # a forked child goes where it likes
        frame = _first_of_interest(caller)
        if frame is None or self._is_plugin(frame):
            return  # pytest-timeout ends the process on purpose
        self._attempts.append(f"{call}  called at  {place_of(frame)}")
        pytest.fail(
            f"{call} in the pytest process itself would have ended the whole run here; "
            "call it in a forked child (fork_runner does)"
        )

    def _is_plugin(self, frame: FrameType) -> bool:
        path = frame.f_code.co_filename
        plugins = self._config.pluginmanager.get_plugins()
        files = {getattr(plugin, "__file__", None) for plugin in plugins}
        return path in files and not path.endswith("conftest.py")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Make the test an error also if it swallowed ours."""
        if not self._attempts or report.nodeid != self._test:
            return
        if report.failed:
            self._attempts.clear()  # told already, with its traceback
        elif report.when == "teardown":
            attempts, self._attempts = self._attempts, []
            lines = [
                f"{self._test} tried to leave pytest by the back door",
                *map("  {}".format, attempts),
            ]
            lines.append(
                "  call it in a forked child (fork_runner does), or replace it in the test"
            )
            error_reports.fail(report, "tried to leave pytest by the back door", "\n".join(lines))


def _first_of_interest(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame that is no library between the user's code and the call."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        path = frame.f_code.co_filename
        library = path.startswith(_STDLIB) and "site-packages" not in path
        if not library and name.partition(".")[0] not in _BETWEEN:
            return frame
        frame = frame.f_back
    return None

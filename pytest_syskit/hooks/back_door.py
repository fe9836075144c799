"""Nobody leaves pytest by the back door.

``os._exit(0)`` in a test ends a plain run with status 0 and no summary, and the tests after it
never run.  Called in the pytest process itself while a test runs, it is an error of that test
instead.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Callable
from types import FrameType

import pytest

from ..host.processes.exits import Doors
from ..host.processes.fork_place import place_of
from ..host.real import real
from . import error_reports

_STDLIB = sysconfig.get_path("stdlib")
# Between the phases of a test, hooks that hear of its outcome may end the run on purpose.
_REPORTING = {"pytest_runtest_makereport", "pytest_exception_interact", "pytest_runtest_logreport"}
_BETWEEN = ("coverage", "pytest_syskit")  # their frames lie between the caller and us


class BackDoor:
    """Stands before ``os._exit`` and ``exec`` while a test runs.

    It hears of reports from the first attempt on: hardly any run has one.

    Args:
        config: whose plugins may end the process on purpose.
        moment: tells which test is running now, as a node id; empty between tests.
    """

    def __init__(self, config: pytest.Config, moment: Callable[[], str]) -> None:
        self._config = config
        self._moment = moment
        self._pid = real.getpid()
        self._test = ""
        self._attempts: list[str] = []

    def close(self) -> None:
        """Shut the doors for the length of the session."""
        doors = Doors(self._refuse)
        doors.watch()
        self._config.add_cleanup(doors.restore)

    def _refuse(self, call: str, caller: FrameType) -> None:
        test = self._moment()
        if not test or real.getpid() != self._pid:
            return  # a forked child goes where it likes
        frame = _first_of_interest(caller)
        if frame is None or self._is_plugin(frame) or _reports(frame):
            return  # pytest-timeout ends the process on purpose
        self._note(test, f"{call}  called at  {place_of(frame)}")
        worker = hasattr(self._config, "workerinput")
        pytest.fail(
            f"{call} in the pytest process itself would have ended "
            f"{'this worker of pytest-xdist' if worker else 'the whole run here'}; "
            "call it in a forked child (fork_runner does)"
        )

    def _note(self, test: str, attempt: str) -> None:
        if test != self._test:
            self._test, self._attempts = test, []
        self._attempts.append(attempt)
        if not self._config.pluginmanager.is_registered(self):
            self._config.pluginmanager.register(self, "syskit-back-door")

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


def _reports(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_name not in _REPORTING:
        frame = frame.f_back
    return frame is not None


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

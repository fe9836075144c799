"""Whole tests in forked children.

    parent: collectors and wide fixtures are set up ──┬──▶ waits ──▶ publishes reports ──▶ teardown
    child:            set-up, call, teardown of the test alone ──▶ reports, serialised by pytest

A fixture wider than the test is set up in the parent and used by all children; a child gets the
test's parent as "next item", so that it tears down nothing that others still use.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import pytest

from ..tools.forking.fork_results import ForkResult, Returned
from ..tools.forking.fork_runner import ForkRunner
from .accounts import Accounts
from .fork_marker import Isolation, isolation_of
from .forked_reports import Recorder, crash_report
from .settings import SETTINGS
from .wider_teardown import tear_down_wider

_NO_LIMIT = 7 * 24 * 3600.0  # seconds: a test without a limit ends by itself or not at all


class Outcome(NamedTuple):
    """What a child sends: its reports and warnings, and how it wants the session to go on."""

    reports: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    ending: tuple[str, ...] | None


class ForkedTests:
    """Runs the tests that ask for it in forked children."""

    def __init__(self, config: pytest.Config, *, every_test: bool) -> None:
        self._config = config
        self._every_test = every_test
        self._runner = ForkRunner(timeout=_NO_LIMIT)
        self._phases: Any = config.pluginmanager.get_plugin("runner")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run one test in a child, if it asks for it."""
        isolation = isolation_of(item, every_test=self._every_test)
        if isolation is None:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        _set_up_wider_fixtures(item)
        result = self._fork(item, isolation)
        ending = self._publish(item, result)
        tear_down_wider(item, nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        _obey(ending)
        return True

    def _fork(self, item: pytest.Item, isolation: Isolation) -> ForkResult:
        tmp = getattr(self._config, "_tmp_path_factory", None)
        if tmp is not None:
            tmp.getbasetemp()  # one base directory for all children, made by the parent
        limit = isolation.timeout * self._times() if isolation.timeout else _NO_LIMIT
        return self._runner.run(self._live, item, timeout=limit, user=isolation.user)

    def _times(self) -> int:
        """Return how often the child runs the test; the limit is that of one run."""
        return self._config.stash[SETTINGS].repeat

    def _run(self, item: pytest.Item) -> list[pytest.TestReport]:
        repeated: Any = self._config.pluginmanager.get_plugin("syskit-repeated-tests")
        if repeated is not None:
            reports: list[pytest.TestReport] = repeated.run(item)
        else:
            reports = self._phases.runtestprotocol(item, log=False, nextitem=item.parent)
        return reports

    def _live(self, item: pytest.Item) -> Outcome:
        """Run in the child: the test alone."""
        recorder = Recorder(self._config)
        accounts: Any = self._config.pluginmanager.get_plugin("syskit-accounts")
        if isinstance(accounts, Accounts):
            accounts.begin_in_child(item)
        ending: tuple[str, ...] | None = None
        try:
            with warnings.catch_warnings(record=True) as caught:
                recorder.take(self._run(item))
            recorder.keep_warnings(caught, item.nodeid)
        except KeyboardInterrupt:
            ending = ("interrupt",)
        except pytest.exit.Exception as error:
            ending = ("exit", str(error.msg), str(error.returncode or ""))
        if isinstance(accounts, Accounts):
            accounts.judge_in_child(recorder.teardown())
        self._sample(recorder.teardown())
        return Outcome(recorder.serialised(), recorder.warnings, ending)

    def _sample(self, report: pytest.TestReport | None) -> None:
        """Let the sample of the timeline be the child's, if one is wanted."""
        sampler: Any = self._config.pluginmanager.get_plugin("syskit-sampler")
        if sampler is not None and report is not None:
            sampler.take(report)

    def _publish(self, item: pytest.Item, result: ForkResult) -> tuple[str, ...] | None:
        if not isinstance(result, Returned):
            for report in crash_report(item, result):
                item.ihook.pytest_runtest_logreport(report=report)
            return None
        outcome = Outcome(*result.value)
        for warning in outcome.warnings:
            self._config.hook.pytest_warning_recorded.call_historic(kwargs=warning)
        for data in outcome.reports:
            hook = self._config.hook.pytest_report_from_serializable
            item.ihook.pytest_runtest_logreport(report=hook(config=self._config, data=data))
        return outcome.ending


def _set_up_wider_fixtures(item: pytest.Item) -> None:
    """Set up collectors and wide fixtures; a failure is cached, and the child reports it.

    The test asks for its wide fixtures alone, and is torn down again without them.  pytest has no
    public way to do so.
    """
    node: Any = item
    state = node.session._setupstate  # noqa: SLF001  # see above
    names = getattr(node, "fixturenames", None)
    try:
        if names is not None:
            node.fixturenames = _wider(node, names)
        state.setup(node)
    except (KeyboardInterrupt, pytest.exit.Exception):
        raise
    except BaseException:  # noqa: BLE001, S110  # the child meets it again, where it is reported
        pass
    finally:
        if names is not None:
            node.fixturenames = names
        state.teardown_exact(node.parent)


def _wider(node: Any, names: list[str]) -> list[str]:
    definitions = node._fixtureinfo.name2fixturedefs  # noqa: SLF001  # see above
    return [n for n in names if n in definitions and definitions[n][-1].scope != "function"]


def _obey(ending: tuple[str, ...] | None) -> None:
    """Let the session end as the child wanted it to."""
    if ending == ("interrupt",):
        raise KeyboardInterrupt
    if ending is not None:
        pytest.exit(ending[1], returncode=int(ending[2]) if ending[2] else None)

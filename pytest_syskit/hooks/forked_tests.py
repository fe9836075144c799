"""Whole tests in forked children.

    parent: collectors and wide fixtures are set up ──┬──▶ waits ──▶ publishes reports ──▶ teardown
    child:            set-up, call, teardown of the test alone ──▶ reports, serialised by pytest

A fixture wider than the test is set up in the parent and used by all children; a child gets the
test's parent as "next item", so that it tears down nothing that others still use.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, NamedTuple

import pytest

from ..tools.forking.fork_results import ForkResult, Returned
from ..tools.forking.fork_runner import ForkRunner
from .accounts import Accounts
from .fork_marker import Isolation, isolation_of
from .forked_reports import Recorder, count_failed_subtests, crash_report, failed_subtests
from .forked_reruns import Repeaters
from .forked_wide import add_failure, add_sections, drained, set_up_wider, tear_down_wider
from .settings import BASELINE, SETTINGS

_NO_LIMIT = 7 * 24 * 3600.0  # seconds: a test without a limit ends by itself or not at all


class Outcome(NamedTuple):
    """What a child sends: its reports and warnings, and how it wants the session to go on.

    ``errors`` are the exceptions of the phases that failed, packed, by the name of the phase.
    """

    reports: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    errors: dict[str, dict[str, Any]]
    failed_subtests: int
    ending: tuple[str, ...] | None


class ForkedTests:
    """Runs the tests that ask for it in forked children."""

    def __init__(self, config: pytest.Config, *, every_test: bool) -> None:
        self._config = config
        self._every_test = every_test
        self._runner = ForkRunner(timeout=_NO_LIMIT)
        self._phases: Any = config.pluginmanager.get_plugin("runner")
        self._repeaters = Repeaters(config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        """Run one test in a child, or each attempt in one, if it asks for it."""
        isolation = isolation_of(item, every_test=self._every_test)
        if isolation is None:
            return None

        def attempt(*_: object, **__: object) -> list[pytest.TestReport]:
            reports, ending = self._attempt(item, isolation)
            _obey(ending)
            return reports

        if self._repeaters and self._repeaters.run(item, nextitem, attempt):
            _end_wider(item, nextitem, None)
            return True
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports, ending = self._attempt(item, isolation)
        _publish(item, nextitem, reports)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        _obey(ending)
        return True

    def _attempt(
        self, item: pytest.Item, isolation: Isolation
    ) -> tuple[list[pytest.TestReport], tuple[str, ...] | None]:
        """Run a test in a child; return its reports, and how the session is to go on."""
        accounts: Any = self._config.pluginmanager.get_plugin("syskit-accounts")
        if isinstance(accounts, Accounts):
            accounts.begin(item)
        set_up_wider(item)
        result = self._fork(item, isolation)
        if not isinstance(result, Returned):
            return crash_report(item, result), None
        drained(self._config)  # the child has told it
        _pass_on(result)
        outcome = Outcome(*result.value)
        return self._arrivals(item, outcome), outcome.ending

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
        self._know_streams()
        recorder = Recorder(self._config, keep_errors=bool(self._repeaters))
        accounts: Any = self._config.pluginmanager.get_plugin("syskit-accounts")
        if isinstance(accounts, Accounts):
            accounts.begin_in_child(item)
        ending: tuple[str, ...] | None = None
        already = failed_subtests(item)
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
        failed = failed_subtests(item) - already
        return Outcome(recorder.serialised(), recorder.warnings, recorder.errors, failed, ending)

    def _know_streams(self) -> None:
        """Let 1 and 2 be what they will be between the phases: the child's are no leak."""
        capture: Any = self._config.pluginmanager.get_plugin("capturemanager")
        if capture is not None and capture.is_globally_capturing():
            capture.resume_global_capture()
            capture.suspend_global_capture(in_=False)
        self._config.stash[BASELINE].changes()

    def _sample(self, report: pytest.TestReport | None) -> None:
        """Let the sample of the timeline be the child's, if one is wanted."""
        sampler: Any = self._config.pluginmanager.get_plugin("syskit-sampler")
        if sampler is not None and report is not None:
            sampler.take(report)

    def _arrivals(self, item: pytest.Item, outcome: Outcome) -> list[pytest.TestReport]:
        """Return the reports of a child, after telling those who must know of what it met."""
        for warning in outcome.warnings:
            self._config.hook.pytest_warning_recorded.call_historic(kwargs=warning)
        count_failed_subtests(item, outcome.failed_subtests)
        hook = self._config.hook.pytest_report_from_serializable
        reports = [hook(config=self._config, data=data) for data in outcome.reports]
        if self._repeaters:
            for report in reports:
                self._repeaters.show(item, report, outcome.errors.get(report.when))
        return reports


def _publish(
    item: pytest.Item, nextitem: pytest.Item | None, reports: list[pytest.TestReport]
) -> None:
    """Publish the reports; the last one when what is wider than the test has ended, too."""
    for report in reports[:-1]:
        item.ihook.pytest_runtest_logreport(report=report)
    _end_wider(item, nextitem, reports[-1] if reports else None)


def _end_wider(
    item: pytest.Item, nextitem: pytest.Item | None, last: pytest.TestReport | None
) -> None:
    """Tear down what the next test does not need, and publish the last report with what came of it.

    A failure becomes that of the test's own last report, as far as it can.
    """
    failed, sections = tear_down_wider(item, nextitem)
    if last is not None and failed is not None and add_failure(last, failed):
        failed = None
    for report in (last, failed):
        if report is not None:
            add_sections(report, sections)
            item.ihook.pytest_runtest_logreport(report=report)


def _pass_on(result: Returned) -> None:
    """Write what a child wrote that pytest did not capture, where it would have gone."""
    for stream, text in ((sys.stdout, result.stdout), (sys.stderr, result.stderr)):
        if text:
            encoding = getattr(stream, "encoding", None) or "utf-8"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            stream.flush()


def _obey(ending: tuple[str, ...] | None) -> None:
    """Let the session end as the child wanted it to."""
    if ending == ("interrupt",):
        raise KeyboardInterrupt
    if ending is not None:
        pytest.exit(ending[1], returncode=int(ending[2]) if ending[2] else None)

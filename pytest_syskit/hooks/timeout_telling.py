"""What is done about a test that takes too long: look, tell, end its children, raise."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from ..tools.timeouts.autopsy import autopsy
from ..tools.timeouts.overrun import Overrun
from ..tools.timeouts.timeout_verdict import raise_overrun
from .timeout_children import NewChildren
from .timeout_verdicts import Timeout, TimeoutReports, TimeoutVerdicts, Verdict

if TYPE_CHECKING:
    from ..tools.timeouts.time_limit import TimeLimit
    from .timeout_watch import StackWatch

FRAMEWORK = "pluggy"  # frames of this module and farther out are pytest's, not the test's


class TimeoutTelling:
    """Collects what there is to say about one time-out, and says it."""

    def __init__(self, config: pytest.Config, watch: StackWatch) -> None:
        self._config = config
        self._watch = watch
        self._verdicts: TimeoutVerdicts | None = None
        self._autopsy = ""
        self.children = NewChildren()
        self.item: pytest.Item | None = None

    def test_begins(self) -> None:
        """Start with a clean sheet, as a rerun is a test of its own."""
        if self._verdicts is not None and self.item is not None:
            self._verdicts.forget(self.item)
        self.children.test_begins()

    def test_ends(self) -> None:
        """End what a test that took too long has started."""
        self.item = None
        self.children.test_ends()

    def unlimited(self, phase: str) -> Generator[None, Any, Any]:
        """Let a phase pass that has no limit; what the test has started ends all the same."""
        try:
            return (yield)
        finally:
            if phase == "teardown":
                self.test_ends()

    def observe(self) -> None:
        """Look, in a helper thread, while the test still hangs."""
        self._autopsy = autopsy(boundary=FRAMEWORK)

    def announce(self, armed: TimeLimit) -> None:
        """Tell other plugins; then look after ourselves."""
        self._watch.put_off(armed.seconds + armed.interval)
        self.children.note_family()
        try:
            self._config.hook.pytest_syskit_timeout(
                item=self.item, seconds=armed.seconds, config=self._config
            )
        except Exception as error:  # noqa: BLE001  # somebody's hook must not hide the time-out
            self._autopsy += f"\na pytest_syskit_timeout hook failed: {error!r}"

    def raise_timeout(
        self,
        armed: TimeLimit,
        what: str,
        phase: str,
        overrun: Overrun,
        error: BaseException | None,
    ) -> None:
        """Raise the verdict, unless ``error`` has a right to pass (``raise_overrun``)."""
        __tracebackhide__ = True
        try:
            raise_overrun(armed, overrun, error, f"{what} took longer than", Timeout)
        except Timeout as timeout:
            assert self.item is not None  # noqa: S101  # a phase of a test is being judged
            verdict = Verdict(self.item, phase, overrun.seconds, timeout)
            ended = self.children.end_those_of_the_call() if phase == "call" else ""
            verdict.sections = [text for text in (self._autopsy, ended) if text]
            self._autopsy = ""
            self._told().add(verdict)
            self.children.timed_out = True
            self._watch.call_off()  # nothing hangs any more, and the report may take its time
            raise

    def _told(self) -> TimeoutVerdicts:
        """Return the reporting half, which listens to reports from the first time-out on."""
        if self._verdicts is None:
            self._verdicts = TimeoutVerdicts()
            register = self._config.pluginmanager.register
            register(self._verdicts, "syskit-timeout-verdicts")
            register(TimeoutReports(self._verdicts), "syskit-timeout-reports")
        return self._verdicts

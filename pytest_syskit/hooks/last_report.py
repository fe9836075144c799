"""The last report of a test, and who has a say on it before anyone else sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

Voice = Callable[[pytest.TestReport], object]


class LastReport:
    """Calls the voices in turn, when a test has been torn down and its report is published.

    That is the one moment when nothing is alive but what was left: all finalisers have run.

    Args:
        voices: who is heard at the last report, in their order.
        stumble: hears of each earlier report that did not just pass.
    """

    def __init__(self, voices: Sequence[Voice], stumble: Voice | None) -> None:
        self._voices = voices
        self._stumble = stumble

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Let everyone speak, in their order."""
        if report.when == "teardown":
            for voice in self._voices:
                voice(report)
        elif report.outcome != "passed" and self._stumble is not None:
            self._stumble(report)

"""Tearing down what is wider than a test, when the test itself has been torn down alone."""

from __future__ import annotations

from typing import Any

import pytest


def tear_down_wider(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Tear down what the next test does not need; only a failure is told.

    pytest has no public way to do so.
    """
    session: Any = item.session
    following = None if session.shouldfail or session.shouldstop else nextitem
    call = pytest.CallInfo.from_call(
        lambda: session._setupstate.teardown_exact(following),  # noqa: SLF001  # see above
        when="teardown",
        reraise=(KeyboardInterrupt, pytest.exit.Exception),
    )
    if call.excinfo is not None:
        report = item.ihook.pytest_runtest_makereport(item=item, call=call)
        item.ihook.pytest_runtest_logreport(report=report)

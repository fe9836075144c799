"""``--syskit-leak-trace``: the lines of code that made each descriptor and process.

Imported when it is asked for.  The trace runs from the first test to the end of the session, in
forked tests too, and is asked when a leak is judged.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Generator
from typing import Any

import pluggy
import pytest

from ..detectors.watch import Watch
from ..host.code_places import Places, Stack
from ..host.trace.birth_trace import BirthTrace
from ..leaks.resource import Resource
from .facts import Facts

# Where their code is; pytest's own has no public name, but public classes live there.
_RUNNER = tuple(os.path.dirname(inspect.getfile(each)) for each in (pytest.Item, pytest, pluggy))


def start(config: pytest.Config, watch: Watch, deliver: Callable[[dict[str, Any]], object]) -> None:
    """Begin to trace in this process."""
    trace = BirthTrace(Places(str(config.rootpath), _RUNNER))
    tracing = LeakTrace(trace, deliver)
    watch.origins |= {"fd": tracing.of_descriptor, "process": tracing.of_process}
    config.pluginmanager.register(tracing, "syskit-leak-trace")
    config.add_cleanup(trace.stop)


class LeakTrace:
    """Keeps the trace going from phase to phase, and says when it was not."""

    def __init__(self, trace: BirthTrace, deliver: Callable[[dict[str, Any]], object]) -> None:
        self._trace = trace
        self._deliver = deliver
        self._facts = Facts()
        self._before = ""
        self._depth = 0
        self._note("", trace.start())
        trace.sleep()

    def _note(self, test: str, reason: str | None) -> None:
        if reason is not None:
            self._facts.not_traced(test, reason)

    def _traced(self, test: str) -> Generator[None, Any, Any]:
        """Trace what runs inside; a fixture that is set up within a phase changes nothing."""
        __tracebackhide__ = True
        self._depth += 1
        if self._depth == 1:
            self._note(self._before, self._trace.wake())
            self._before = test
        try:
            return (yield)
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._trace.sleep()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Trace set-up."""
        return (yield from self._traced(item.nodeid))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Trace the test."""
        return (yield from self._traced(item.nodeid))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Trace teardown."""
        return (yield from self._traced(item.nodeid))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(self, request: Any) -> Generator[None, Any, Any]:
        """Trace a wide fixture that is set up before the phases of a test that will be forked."""
        return (yield from self._traced(getattr(request.node, "nodeid", "")))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, Any, Any]:
        """End the trace, and tell of its gaps."""
        result = yield
        self._note(self._before, self._trace.wake())
        self._trace.stop()
        self._deliver(self._facts.record())
        return result

    def of_descriptor(self, resource: Resource) -> Stack | None:
        """Return where a descriptor was made; one from before the tests, where it was replaced."""
        fd, *identity = resource.key
        known: Any = None if "change" in resource.detail else tuple(identity)
        replaced = resource.detail.get("change", "replaced") == "replaced"
        return self._trace.descriptor(fd, known) if replaced and isinstance(fd, int) else None

    def of_process(self, resource: Resource) -> Stack | None:
        """Return where a process was made."""
        pid, started = resource.key
        return self._trace.process(int(str(pid)), float(str(started)))

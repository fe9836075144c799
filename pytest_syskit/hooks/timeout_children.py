"""The child processes of a test that took too long."""

from __future__ import annotations

from ..host import children
from ..host.process_tree import end_tree, reap_child
from ..tools.autopsy import process_lines

_GRACE = 0.3  # seconds between TERM and KILL: the test has had its time


def _now() -> frozenset[tuple[int, float]]:
    if children.none():  # a microsecond; true for almost every test
        return frozenset()
    try:
        return frozenset((child.pid, child.started) for child in children.children())
    except OSError:
        return frozenset()  # children cannot be listed here, so none will be ended


class NewChildren:
    """Tells the children of this test from those of others: by who existed before.

    Those born while a fixture that outlives the test was set up are the fixture's, not the test's.
    """

    def __init__(self) -> None:
        self._before_test: frozenset[tuple[int, float]] = frozenset()
        self._before_call: frozenset[tuple[int, float]] = frozenset()
        self._before_fixture: frozenset[tuple[int, float]] = frozenset()
        self.timed_out = False

    def test_begins(self) -> None:
        """Note who exists already."""
        self.timed_out = False
        self._before_test = self._before_call = _now()

    def fixture_begins(self) -> None:
        """Note who exists before a wider fixture is set up."""
        self._before_fixture = _now()

    def fixture_is_set_up(self) -> None:
        """Count who was born since as the fixture's."""
        self._before_test |= _now() - self._before_fixture

    def call_begins(self) -> None:
        """Note what the set-up has started."""
        self._before_call = _now()

    def end_those_of_the_call(self) -> str:
        """End what the call has started, not what fixtures will end themselves; say what."""
        # Not reaped: Popen objects of the test may still ask for the status.
        return _end(_now() - self._before_call - self._before_test, reap=False)

    def test_ends(self) -> None:
        """End whatever a test that took too long has left; nobody is there to wait for it."""
        if self.timed_out:
            _end(_now() - self._before_test, reap=True)


def _end(born: frozenset[tuple[int, float]], *, reap: bool) -> str:
    if not born:
        return ""
    pids = sorted(pid for pid, _ in born)
    lines = [line for pid in pids for line in process_lines(pid)]
    end_tree(pids, _GRACE, reap=reap_child if reap else None)
    return "\n".join(["ended what the test had started:", *lines])

"""The child processes of a test that took too long."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..host.processes import children
from ..host.processes.process_tree import descendants, end_tree, reap_child
from ..host.real import real
from ..tools.timeouts.autopsy import process_lines

if TYPE_CHECKING:
    from typing import TypeAlias

    Births: TypeAlias = frozenset[tuple[int, float]]

_DOUBT = 0.02  # seconds: start times are told in hundredths, and rounded
_GRACE = 0.3  # seconds between TERM and KILL: the test has had its time


def _now() -> Births:
    if children.none():  # a microsecond; true for almost every test
        return frozenset()
    try:
        return frozenset((child.pid, child.started) for child in children.children())
    except OSError:
        return frozenset()  # children cannot be listed here, so none will be ended


class NewChildren:
    """Tells the children of this test from those of others, asking once per test.

    Who was born in the call is known exactly, by who existed before it.  Who was born in the set-up
    is told by age, to a hundredth of a second; in doubt a child is not the test's.  Those born
    while a fixture that outlives the test was set up are the fixture's.
    """

    def __init__(self) -> None:
        self._began = 0.0
        self._before_call: Births | None = None
        self._of_fixtures: Births = frozenset()
        self._before_fixture: Births = frozenset()
        self._family: Births = frozenset()
        self.timed_out = False

    def test_begins(self) -> None:
        """Note the time."""
        self.timed_out = False
        self._began = real.monotonic()
        self._before_call, self._of_fixtures = None, frozenset()
        self._family = frozenset()

    def fixture_begins(self) -> None:
        """Note who exists before a wider fixture is set up."""
        self._before_fixture = _now()

    def fixture_is_set_up(self) -> None:
        """Count who was born since as the fixture's."""
        self._of_fixtures |= _now() - self._before_fixture

    def call_begins(self) -> None:
        """Note who exists before the call."""
        self._before_call = _now()

    def note_family(self) -> None:
        """Note the descendants of the test's children, before anyone ends a child of its own.

        ``subprocess.run`` kills its child when a limit passes, which makes orphans of the rest.
        """
        before = self._before_call
        roots = self._since_setup() if before is None else _now() - before
        family = [p.pid for pid, _ in roots - self._of_fixtures for p in descendants(pid)]
        found = [child for pid in family if (child := children.look_up(pid)) is not None]
        self._family |= frozenset((child.pid, child.started) for child in found)

    def _since_setup(self) -> Births:
        lasted = real.monotonic() - self._began
        return frozenset(birth for birth in _now() if _age(birth) < lasted - _DOUBT)

    def _left_of_family(self) -> Births:
        return frozenset(birth for birth in self._family if _lives(birth))

    def end_those_of_the_call(self) -> str:
        """End what the call has started, not what fixtures will end themselves; say what."""
        before = self._before_call or frozenset()
        # Not reaped: Popen objects of the test may still ask for the status.
        born = (_now() - before - self._of_fixtures) | self._left_of_family()
        return _end(born, reap=False)

    def test_ends(self) -> None:
        """End whatever a test that took too long has left; nobody is there to wait for it."""
        if not self.timed_out:
            return
        in_call = frozenset() if self._before_call is None else _now() - self._before_call
        born = in_call.union(self._since_setup()) - self._of_fixtures
        _end(born | self._left_of_family(), reap=True)


def _age(birth: tuple[int, float]) -> float:
    child = children.look_up(birth[0])
    return math.inf if child is None else children.age(child)


def _lives(birth: tuple[int, float]) -> bool:
    child = children.look_up(birth[0])
    return child is not None and child.started == birth[1] and child.state != "zombie"


def _end(born: Births, *, reap: bool) -> str:
    if not born:
        return ""
    pids = sorted(pid for pid, _ in born)
    lines = [line for pid in pids for line in process_lines(pid)]
    end_tree(pids, _GRACE, reap=reap_child if reap else None)
    return "\n".join(["ended what the test had started:", *lines])

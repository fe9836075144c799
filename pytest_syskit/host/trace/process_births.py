"""Which child processes have appeared since the last look, and the stack that each was given.

The kernel keeps the children of each thread apart, so a new child of the calling thread was made by
it; only what a thread inherits must be told from that: children of another thread that has ended,
and adopted orphans.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from .. import libc
from ..code_places import Stack
from ..processes import children, parentage, proc
from ..real import real

_LIVES = 1000  # ended children remembered for the sake of their orphans, the youngest first


@dataclass(slots=True)
class Life:
    """A child of ours, from its start to when it was waited for, in clock ticks since boot."""

    pid: int
    started: int
    stack: Stack | None = None
    ended: int | None = None


class ProcessBirths:
    """The children as they were at the last look; one thread looks at a time."""

    def __init__(self) -> None:
        self._fast = children.fast()
        self._known: dict[int, Life] = {}
        self._inherited: set[int] = set()
        self._past: list[Life] = []
        self._looked: dict[int, int] = {}

    def moved(self) -> bool:
        """Say whether a look is due."""
        return not children.none() or bool(self._known or self._inherited)

    def look(self, thread: int, *, can_fork: bool) -> list[int]:
        """Return the children that the calling thread has made since it looked last.

        Args:
            thread: the calling thread.
            can_fork: whether what it has done since can have made a process.
        """
        pids = proc.read_own_children() if self._fast else children.pids()
        since, self._looked[thread] = self._looked.get(thread, 0), _now() if self._fast else 0
        fresh = [pid for pid in pids if pid not in self._known and pid not in self._inherited]
        made = [pid for pid in fresh if self._is_made(pid, since, can_fork=can_fork)]
        if not (self._known.keys() | self._inherited) <= set(pids):
            self._bury(set(children.pids()))
        return made

    def _is_made(self, pid: int, since: int, *, can_fork: bool) -> bool:
        """Book a new child; say whether it is this thread's doing."""
        child = children.look_up(pid)
        if child is None:
            return False  # waited for by another thread meanwhile
        noted = can_fork or pid in parentage.NOTES.pids
        # A start is told to the tick, so one just before the last look may be one just after.
        if (self._fast and child.started + 1 < since) or (not noted and _adopts()):
            self._inherited.add(pid)
            return False
        self._known[pid] = Life(pid, int(child.started))
        return True

    def note(self, pid: int, stack: Stack | None) -> None:
        """Say where a new child was made."""
        self._known[pid].stack = stack

    def _bury(self, alive: set[int]) -> None:
        self._inherited &= alive
        for pid in self._known.keys() - alive:
            life = self._known.pop(pid)
            life.ended = _now() if self._fast else None
            self._past.append(life)
        del self._past[:-_LIVES]

    def of(self, pid: int, started: float) -> Stack | None:
        """Return where a child was made; for an orphan, where its first ancestor was."""
        life = self._known.get(pid)
        if life is not None and life.started == int(started):
            return life.stack
        return self._of_ancestor(pid, int(started)) if self._fast else None

    def _of_ancestor(self, pid: int, started: int) -> Stack | None:
        """Find the one child of ours that leads its session, or was there when it was born."""
        older = [one for one in (*self._past, *self._known.values()) if one.started <= started]
        leaders = _leaders(pid)
        named = [life for life in older if life.pid in leaders]
        there = [life for life in older if life.ended is None or life.ended >= started]
        found = named or there
        return found[0].stack if len(found) == 1 else None


def _leaders(pid: int) -> set[int]:
    """Return the leaders of a process's session and group: its ancestors, if children of ours."""
    try:
        facts = proc.read_stat(pid)
    except OSError:
        return set()  # it has ended
    return {facts.session, facts.group}


def _now() -> int:
    return int(real.clock_gettime(time.CLOCK_BOOTTIME) * proc.clock_ticks())


def _adopts() -> bool:
    """Say whether orphans may become children of this process."""
    try:
        return real.getpid() == 1 or libc.is_subreaper()
    except OSError:
        return False  # not Linux: nobody but process 1 adopts

"""Which of our children we started ourselves, and which were handed to us.

As a subreaper this process becomes the parent of every orphaned descendant:

    pytest ── sh ── sleep          sh ends ──▶   pytest ── sleep     (adopted)

The kernel keeps no record of the first parent.  So every fork that runs Python's fork hooks is
noted at once, ``posix_spawn`` is noted where it is called, and the objects of ``subprocess`` and
``multiprocessing`` are asked.  A child that nobody here knows of was adopted.
"""

from __future__ import annotations

import functools
import gc
import os
import sys
from collections.abc import Callable
from typing import Any

from ..real import real
from . import children, proc

_SPAWNERS = ("posix_spawn", "posix_spawnp")


class ForkNotes:
    """What this process forked; one per process, for fork hooks cannot be taken back."""

    def __init__(self) -> None:
        self.forks = 0
        self.pids: set[int] = set()
        self._users = 0

    def note_fork(self) -> None:
        """Run in the parent after each fork: the newest child not noted yet is this thread's own.

        The kernel appends new children to the list, and behind them those of a thread that ends:
        they were noted when that thread forked.  An orphan that is handed to us in the few
        microseconds before we read would be taken for the new one.
        """
        self.forks += 1
        if not self._users:
            return
        try:
            own = proc.read_own_children()
        except OSError:
            return  # no /proc, or no descriptor left to read it with
        newest = next((pid for pid in reversed(own) if pid not in self.pids), None)
        if newest is not None:
            self.pids.add(newest)

    def start(self) -> None:
        """Begin to note; may be nested."""
        self._users += 1
        if self._users == 1:
            for name in _SPAWNERS:
                if hasattr(os, name):
                    setattr(os, name, self._noting(getattr(os, name)))

    def stop(self) -> None:
        """Undo one :meth:`start`."""
        self._users -= 1
        if self._users == 0:
            self.pids.clear()
            for name in _SPAWNERS:
                original = getattr(getattr(os, name, None), "__wrapped__", None)
                if original is not None:
                    setattr(os, name, original)

    def _noting(self, spawn: Callable[..., int]) -> Callable[..., int]:
        @functools.wraps(spawn)
        def noted(*args: Any, **kwargs: Any) -> int:
            pid = spawn(*args, **kwargs)
            self.pids.add(pid)
            return pid

        return noted

    def forget(self, alive: set[int]) -> None:
        """Drop pids that are no children any more, before their numbers are used again."""
        self.pids &= alive


NOTES = ForkNotes()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=NOTES.note_fork)


def started_here(pid: int) -> bool:
    """Say whether this process started the child ``pid`` itself.

    What C code starts without Python's fork hooks is unknown to us, and so taken for adopted.
    """
    return pid in NOTES.pids or pid in _multiprocessing_pids() or _popen(pid) is not None


def adopted(pid: int, session: int) -> bool:
    """Say whether the child ``pid`` was another's before it became ours."""
    return foreign_session(pid, session) or not started_here(pid)


def foreign_session(pid: int, session: int) -> bool:
    """Say whether its session proves a child adopted.

    A child of ours lives in our session, or leads its own; any other session is a stranger's.
    """
    return session > 0 and session not in {pid, real.getsid(0)}


def _multiprocessing_pids() -> set[int]:
    """Return the pids of all multiprocessing processes not joined yet, without importing it."""
    module = sys.modules.get("multiprocessing.process")
    processes = list(getattr(module, "_children", ()))
    return {p.pid for p in processes if p.pid is not None}


def collect(pid: int) -> None:
    """Take the status of an ended child through whoever waits for it, so that it is not lost."""
    popen = _popen(pid)
    if popen is not None:
        popen.poll()
    elif pid in _multiprocessing_pids():
        sys.modules["multiprocessing.process"].active_children()  # joins those that have ended
    else:
        children.reap(pid)


def popen_argv(pid: int) -> list[str]:
    """Return the command line that ``subprocess`` was given for a child; empty if unknown."""
    arguments = getattr(_popen(pid), "args", [])
    parts = arguments if isinstance(arguments, list | tuple) else [arguments]
    return [os.fsdecode(part) for part in parts if isinstance(part, str | bytes | os.PathLike)]


def _popen(pid: int) -> Any:
    """Find the ``Popen`` of a pid; one that was dropped while running waits in ``_active``."""
    module = sys.modules.get("subprocess")
    if module is None:
        return None
    everything = [*(getattr(module, "_active", None) or ()), *gc.get_objects()]
    # The type is asked, not the object: a proxy would run user code to answer isinstance().
    found = (each for each in everything if issubclass(type(each), module.Popen))
    return next((each for each in found if getattr(each, "pid", None) == pid), None)

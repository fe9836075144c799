"""The trace as others use it: begun, resumed, ended, and asked.

A forked child is not traced, until it is told to go on: then it is a process of its own, with a
book of its own.
"""

from __future__ import annotations

import os

from ..code_places import Places, Stack
from ..descriptors.descriptors import Identity
from ..real import real
from .birth_watch import BirthWatch
from .event_source import EventSource, event_source


class BirthTrace:
    """Knows for descriptors and children of this process which lines of code have made them."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._pid = 0
        self._watch: BirthWatch | None = None
        self._source: EventSource | None = None

    def start(self) -> str | None:
        """Begin in this process; return what is in the way of it, or of a part of it."""
        self._pid = real.getpid()
        self._watch = BirthWatch(self._places)
        self._source = event_source(self._watch, self._places)
        if self not in _RUNNING:
            _RUNNING.append(self)
        return self._source.start()

    def wake(self) -> str | None:
        """Trace this thread, in a forked child too; return who had ended the trace meanwhile."""
        if real.getpid() != self._pid:
            return self.start()
        if self._watch is None or self._source is None:
            return None
        ended = self._source.resume()
        self._watch.wake()
        return ended

    def sleep(self) -> None:
        """Trace other threads only: the test runner is busy with itself in this one."""
        if self._watch is not None:
            self._watch.sleep()

    def stop(self) -> None:
        """End it; what is known stays known."""
        if self._source is not None:
            self._source.stop()
        if self in _RUNNING:
            _RUNNING.remove(self)

    def descriptor(self, fd: int, identity: Identity | None = None) -> Stack | None:
        """Return where a descriptor was made.

        Args:
            fd: its number.
            identity: what it led to; whatever it leads to now if that is not known.
        """
        return self._watch.descriptor(fd, identity) if self._watch is not None else None

    def process(self, pid: int, started: float) -> Stack | None:
        """Return where a child was made; for an orphan, where its first ancestor was."""
        return self._watch.process(pid, started) if self._watch is not None else None

    def fork_begins(self) -> None:
        """Run before each fork, in the thread that forks."""
        if self._watch is not None:
            self._watch.fork_begins()

    def fork_ends(self) -> None:
        """Run after it, in the parent."""
        if self._watch is not None:
            self._watch.fork_ends()


_RUNNING: list[BirthTrace] = []


def _begin_fork() -> None:
    for trace in _RUNNING:
        trace.fork_begins()


def _end_fork() -> None:
    for trace in _RUNNING:
        trace.fork_ends()


def _fall_silent() -> None:
    """Run in each forked child: what it makes is its own business."""
    for trace in _RUNNING:
        trace.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_begin_fork, after_in_parent=_end_fork, after_in_child=_fall_silent)

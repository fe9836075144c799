"""Threads that are still alive."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..host.state.identities import Identities
from ..host.state.python_threads import PythonThreads, stack_of
from ..host.state.thread_starts import ThreadStarts
from ..host.user_frames import lines_of
from ..leaks.resource import Resource, Snapshot
from .runner_limits import is_watchdog


class ThreadDetector:
    """Finds the threads of Python, daemons among them, by the identity of their object.

    Threads that C code or ``_thread.start_new_thread`` started are not seen.
    """

    kind = "thread"
    unchanged: Callable[[bool], bool]

    def __init__(self) -> None:
        self._identities = Identities()
        self._threads = PythonThreads(self._identities)
        self._starts = ThreadStarts(self._identities)
        self.unchanged = self._threads.stands

    @property
    def swapped(self) -> bool:
        """Whether a change that is to be read shows to close looks only."""
        return self._threads.stands(False)

    def start(self) -> None:
        """Begin to note where threads are started."""
        self._starts.start()

    def stop(self) -> None:
        """Note no more."""
        self._starts.stop()

    def snapshot(self) -> Snapshot:
        """Return the threads that are alive, the main one and the runner's own aside."""
        present = [each for each in self._threads.read() if not is_watchdog(each)]
        return frozenset(
            Resource(self.kind, (id(each), self._identities.number(each))) for each in present
        )

    def describe(self, resource: Resource) -> Resource:
        """Add name, what it is doing now, and where it was started."""
        thread = self._identities.holder(_number(resource))
        if not isinstance(thread, threading.Thread) or not thread.is_alive():
            return resource.told("thread  ended meanwhile", {"state": "gone"})
        stack = lines_of(stack_of(thread))
        detail = {
            "name": thread.name,
            "daemon": thread.daemon,
            "native_id": thread.native_id,
            "stack": list(stack),
        }
        daemon = "daemon, " if thread.daemon else ""
        place = f"at {stack[-1]}" if stack else "at no line of Python"
        return resource.told(f"thread {thread.name!r}  {daemon}{place}", detail)

    def created_at(self, resource: Resource) -> tuple[str, ...]:
        """Return the lines of code that started it, innermost last; empty if they are not known."""
        return self._starts.lines(_number(resource))

    def reclaim(self, resource: Resource) -> None:
        """Do nothing: a thread cannot be ended from outside."""


def _number(resource: Resource) -> int:
    number = resource.key[1]
    assert isinstance(number, int)  # noqa: S101  # made in snapshot
    return number

"""A value of the process that differs from what it was when the watch began.

The working directory, the umask, a variable, a handler, a timer: none of them is made and none can
be closed.  What is left behind is a value, and putting the first one back makes it vanish.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Mapping
from typing import Any, Protocol

from ..leaks.resource import NotObservable, Resource, Snapshot


class State(Protocol):
    """Named values of this process; a name that is missing, or ``None``, is a value not set."""

    def stands(self, closely: bool, /) -> bool:
        """Say at little cost whether all is as it was read last."""
        ...

    def read(self) -> Mapping[str, Hashable]:
        """Return all values (raises ``OSError`` when they cannot be read)."""
        ...

    def write(self, name: str, value: Any, /) -> None:
        """Set one value."""
        ...


class StateDetector:
    """Finds values that are not the first ones: key = (name, value).

    A kind says in :meth:`tell` how a change reads.
    """

    kind = ""
    unchanged: Callable[[bool], bool]

    def __init__(self, state: State) -> None:
        self.unchanged = state.stands  # not a method of our own: this is asked several times a test
        self._state = state
        self._first: Mapping[str, Hashable] = {}
        self._now: Mapping[str, Hashable] | None = None
        self._last: Snapshot = frozenset()
        self._before: dict[Resource, Hashable] = {}
        with contextlib.suppress(OSError):  # then the first look that succeeds sees the first value
            self._first = self._now = state.read()

    @property
    def swapped(self) -> bool:
        """Whether a change that is to be read shows to close looks only."""
        return self._state.stands(False)

    def tell(self, name: str, before: Any, now: Any) -> tuple[str, dict[str, Any]]:
        """Return label and detail of a change."""
        raise NotImplementedError

    def snapshot(self) -> Snapshot:
        """Return the values that differ from the first ones (raises ``NotObservable``)."""
        try:
            now = self._state.read()
        except OSError as error:
            raise NotObservable(str(error)) from error
        if self._now is None:
            self._first = now
        if now != self._now:
            self._last = frozenset(self._changes(now))
            self._before = {r: b for r, b in self._before.items() if r in self._last}
        self._now = now
        return self._last

    def _changes(self, now: Mapping[str, Hashable]) -> list[Resource]:
        names = dict.fromkeys([*self._first, *now])
        return [
            Resource(self.kind, (name, now.get(name)))
            for name in names
            if now.get(name) != self._first.get(name)
        ]

    def describe(self, resource: Resource) -> Resource:
        """Tell what is and what was; the resource may bring what was ``before`` in its detail."""
        name, value = _parts(resource)
        if resource not in self._last:
            return resource.told(f"{self.kind} {name}  put back meanwhile", {"state": "gone"})
        before = resource.detail.get("before", self._first.get(name))
        self._before[resource] = before
        label, detail = self.tell(name, before, value)
        return resource.told(label, detail)

    def reclaim(self, resource: Resource) -> None:
        """Put back what its owner found, if the value is still the one that was left.

        What cannot be put back stays: the directory is gone, or the handler, or we are not in the
        main thread.
        """
        name, value = _parts(resource)
        with contextlib.suppress(OSError, ValueError, LookupError):  # see above
            if self._state.read().get(name) == value:
                self._state.write(name, self._before.get(resource, self._first.get(name)))


def _parts(resource: Resource) -> tuple[str, Hashable]:
    name, value = resource.key
    return str(name), value

"""Numbers for objects: the address of one that has gone may become the address of another."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

_MANY = 256  # entries, after which those of objects that have gone are swept out


class Identities:
    """Gives each object a number for its life, without keeping it alive."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Callable[[], Any], int]] = {}
        self._next = itertools.count(1)
        self._sweep_at = _MANY

    def number(self, each: object) -> int:
        """Return the object's number, in the order in which objects were first asked for."""
        known = self._known.get(id(each))
        if known is not None and known[0]() is each:
            return known[1]
        if len(self._known) >= self._sweep_at:
            self._known = {
                key: entry for key, entry in self._known.items() if entry[0]() is not None
            }
            self._sweep_at = max(_MANY, 2 * len(self._known))
        number = next(self._next)
        self._known[id(each)] = _reference(each), number
        return number

    def holder(self, number: int) -> Any | None:
        """Return the object that has a number, or ``None`` when it has gone."""
        found = (reference for reference, known in self._known.values() if known == number)
        return next((reference() for reference in found), None)


def _reference(each: object) -> Callable[[], Any]:
    try:
        return weakref.ref(each)
    except TypeError:
        return lambda: each  # a type without weak references; it has to be kept

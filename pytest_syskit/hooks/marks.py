"""The marks of a test, in the order in which they count."""

from __future__ import annotations

import pytest

_INHERITED = pytest.StashKey[tuple[pytest.Mark, ...]]()


def marks_of(node: pytest.Item | pytest.Collector) -> tuple[pytest.Mark, ...]:
    """Return every mark that holds for a test, the closest first.

    Within one node the mark that was added last is closest: a mark of a ``pytest.param`` comes
    before the function's own, a derived class's before its base's.  (``iter_markers`` of pytest
    has these two the other way round.)  What parents carry is read once and remembered.
    """
    parent = node.parent
    if parent is None:
        return tuple(reversed(node.own_markers))
    inherited = parent.stash.get(_INHERITED, None)
    if inherited is None:
        inherited = parent.stash[_INHERITED] = marks_of(parent)
    return (*reversed(node.own_markers), *inherited) if node.own_markers else inherited

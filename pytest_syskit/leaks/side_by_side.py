"""Telling first-use cost from leaks of every use, over the runs of one test.

What several runs left is laid side by side: the first of a label in each run is one finding, the
second is another, and so on::

    run 1: x x y     x: every time (3 of 3)
    run 2: x         x: the first time only (1 of 3)
    run 3: x         y: the first time only (1 of 3)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import replace

from .leak import Leak
from .plain_labels import PlainLabels
from .repeats import Repeats


def lay_side_by_side(runs: Sequence[Iterable[Leak]], plain: PlainLabels) -> list[Leak]:
    """Return one finding for each thing that the runs left, with the runs that left it.

    A finding is told as it was the first time; it is a leak if it was one in any run.  What a
    single run left stays as it is.
    """
    if len(runs) == 1:
        return list(runs[0])
    found: dict[Hashable, list[tuple[int, Leak]]] = {}
    for number, leaks in enumerate(runs, 1):
        seen: Counter[Hashable] = Counter()
        for leak in leaks:
            label = _signature(leak, plain)
            seen[label] += 1
            found.setdefault((label, seen[label]), []).append((number, leak))
    return [_joined(each, len(runs)) for each in found.values()]


def _signature(leak: Leak, plain: PlainLabels) -> Hashable:
    resource = leak.resource
    label = plain.label(resource.kind, resource.label, resource.detail)
    return resource.kind, label, leak.phase, leak.created_at


def _joined(found: list[tuple[int, Leak]], of: int) -> Leak:
    leaks = [leak for _, leak in found]
    told = next((leak for leak in leaks if leak.verdict == "leak"), leaks[0])
    repeats = Repeats(tuple(number for number, _ in found), of)
    return replace(told, repeats=repeats)

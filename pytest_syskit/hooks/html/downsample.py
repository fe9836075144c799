"""From as many samples as there were tests to as many columns as a screen has room for."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ...leaks.owner import Owner
from .samples import MEASURES, Series


@dataclass(frozen=True, slots=True)
class Column:
    """Neighbouring tests of one process.

    Attributes:
        first, last: positions of the tests, counted from 0.
        highest: the maximum of each measure over these tests.
        owners: who left something behind here.
    """

    first: int
    last: int
    highest: tuple[int, ...]
    owners: list[Owner] = field(default_factory=list)


def columns(series: Series, most: int, owners: Iterable[Owner] = ()) -> list[Column]:
    """Cut a series into at most ``most`` columns: no maximum and no owner is lost."""
    total = len(series)
    number = min(total, most)
    measures: list[Sequence[int]] = [series.of(measure) for measure in range(len(MEASURES))]
    bounds = [i * total // number for i in range(number + 1)]
    found = [_column(measures, *each) for each in itertools.pairwise(bounds)]
    for position, owner in series.positions(dict.fromkeys(owners)):
        found[_index(position, number, total)].owners.append(owner)
    return found


def _column(measures: list[Sequence[int]], start: int, stop: int) -> Column:
    return Column(start, stop - 1, tuple(max(measure[start:stop]) for measure in measures))


def _index(position: int, number: int, total: int) -> int:
    """Return the column whose tests include a position: the inverse of the cut above."""
    return ((position + 1) * number - 1) // total


def merged(cut: list[Column], most: int) -> list[Column]:
    """Join neighbouring columns until there are at most ``most``: for a table, or for marks."""
    number = min(len(cut), most)
    return [
        _join(cut[i * len(cut) // number : (i + 1) * len(cut) // number]) for i in range(number)
    ]


def _join(group: list[Column]) -> Column:
    highest = tuple(map(max, zip(*(each.highest for each in group), strict=True)))
    owners = list(dict.fromkeys(owner for each in group for owner in each.owners))
    return Column(group[0].first, group[-1].last, highest, owners)

"""The chart of one process that ran tests: words, drawing, and the same as a table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...leaks.owner import Owner
from .culprits import Culprits
from .downsample import Column, merged
from .drawing import Scale, drawing
from .markup import Html, plural, tag
from .samples import MEASURES, Series

_WORDS = ("Open descriptors", "Children", "Threads")
_ROWS = 50  # of a table: a longer one is not read but searched
_NAMED = 3  # owners named in one row of it


@dataclass(frozen=True, slots=True)
class Chart:
    """One process: its samples, cut into columns, and the scales that all charts share."""

    worker: str
    series: Series
    cut: list[Column]
    scales: list[Scale]
    culprits: Culprits

    def figure(self) -> Html:
        """Return everything about this process."""
        name = f"chart-{self.worker or 'run'}"
        drawn = drawing(self.cut, self.scales, self._tests, self.culprits, name)
        ends = ("test 1", f"test {len(self.series):,}")
        return tag(
            "figure",
            tag("figcaption", *self._caption(), id=name),
            tag("div", *self._words(), drawn, class_="plot"),
            tag("p", *(tag("span", end) for end in ends), class_="axis"),
            tag("p", class_="readout", aria_hidden="true"),
            tag("details", tag("summary", "The same as a table"), self._table()),
            class_="chart",
        )

    def _tests(self, column: Column) -> str:
        if column.first == column.last:
            return self.series.tests[column.first]
        return f"tests {column.first + 1:,} to {column.last + 1:,}"

    def _caption(self) -> Iterator[Html | str]:
        if self.worker:
            yield tag("b", f"{self.worker} ")
        here = {owner for column in self.cut for owner in column.owners}
        guilty = sum(self.culprits.guilty[owner] for owner in here)
        yield f"{plural(len(self.series), 'test')}, "
        yield f"{plural(guilty, 'owner') if guilty else 'nobody'} left something behind"

    def _words(self) -> Iterator[Html]:
        for measure, word in enumerate(_WORDS):
            counts = self.series.of(measure)
            low, high, last = min(counts), max(counts), counts[-1]
            span = f"always {low:,}" if low == high else f"{low:,} to {high:,}, {last:,} at the end"
            said = tag("span", tag("b", word), f" {span}")
            yield tag("p", said, class_=f"band {MEASURES[measure]}")

    def _table(self) -> Html:
        head = tag("tr", *(tag("th", each, scope="col") for each in ("Tests", *_WORDS, "Left by")))
        rows = [self._row(column) for column in merged(self.cut, _ROWS)]
        table = tag("table", tag("thead", head), tag("tbody", *rows))
        label = f"Timeline {self.worker} as a table"
        return tag("div", table, class_="scroll", tabindex="0", role="region", aria_label=label)

    def _row(self, column: Column) -> Html:
        numbers = [tag("td", f"{number:,}") for number in column.highest]
        owners = [self._link(owner) for owner in column.owners[:_NAMED]]
        if len(column.owners) > _NAMED:
            owners.append(tag("div", f"and {len(column.owners) - _NAMED:,} more"))
        return tag("tr", tag("th", self._tests(column), scope="row"), *numbers, tag("td", *owners))

    def _link(self, owner: Owner) -> Html:
        note = None if self.culprits.guilty[owner] else " (allowed)"
        return tag("div", tag("a", str(owner), href=self.culprits.address(owner)), note)

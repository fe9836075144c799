"""The timeline: what was open after each test, one chart for each process that ran tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .chart import Chart
from .culprits import Culprits
from .downsample import columns
from .drawing import Scale
from .markup import Html, join, plural, tag
from .samples import MEASURES, Series

_COLUMNS = 600  # over all charts: more steps than a page has pixels show nothing more
_FEWEST = 60  # columns of a chart, however many there are
_OPEN = 8  # charts shown at once; those of more workers are folded


def timeline(all_series: Mapping[str, Series], culprits: Culprits) -> Html:
    """Return the charts of all processes, or why there is none."""
    told = {worker: series for worker, series in sorted(all_series.items()) if len(series)}
    if not told:
        return tag("p", "No test was watched, so there is no line to draw.", class_="note")
    every = list(told.values())
    scales = [_scale(every, measure) for measure in range(len(MEASURES))]
    most = max(_FEWEST, _COLUMNS // len(told))
    figures = [
        Chart(worker, series, columns(series, most, culprits.guilty), scales, culprits).figure()
        for worker, series in told.items()
    ]
    legend = _legend(downsampled=any(len(series) > most for series in every))
    return join([legend, _charts(figures[:_OPEN]), _folded(figures[_OPEN:])])


def _charts(figures: Sequence[Html]) -> Html:
    return tag("div", *figures, class_="charts")


def _folded(figures: Sequence[Html]) -> Html | None:
    if not figures:
        return None
    return tag("details", tag("summary", plural(len(figures), "more worker")), _charts(figures))


def _legend(*, downsampled: bool) -> Html:
    thinned = " Each step is the highest of the tests it stands for." if downsampled else ""
    return tag(
        "p",
        "What was open in the process that runs the tests, after each test had been judged, in the "
        f"order in which they ran.{thinned} ",
        tag("span", tag("span", "", class_="key leak"), " left something behind", class_="legend"),
        " ",
        tag("span", tag("span", "", class_="key allowed"), " was allowed to", class_="legend"),
        class_="note",
    )


def _scale(all_series: Sequence[Series], measure: int) -> Scale:
    """Return the lowest and the highest value over all processes: charts can be compared."""
    values = [series.of(measure) for series in all_series]
    return min(map(min, values)), max(map(max, values))

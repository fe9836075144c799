"""The drawing of a chart: three lines, and a mark where something was left behind.

The SVG is stretched to the width of the page, so it holds lines alone; words stand above it in
HTML, where they keep their size.  One unit across is one column; down, units are pixels::

      0 ┬ words
     26 ├ descriptors ┐
     90 ┼             │ a vertical line through all three where a test left something
    116 ├ children    │
    152 ┼             │
    178 ├ threads     │
    214 ┼             ┘
    236 ┴ marks, each a link to the story
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

from ...leaks.owner import Owner
from .culprits import Culprits
from .downsample import Column
from .markup import Html, plural, tag
from .samples import MEASURES

_HEIGHT = 250
_BANDS = ((26, 90), (116, 152), (178, 214))
_MARGIN = 4  # of a band, above its highest and below its lowest value
_STEM = 22  # where the line of a mark begins
_MARK = 236
_MIDDLE = 0.5  # of the height: where a measure that never changes is drawn
_MARKS = 100  # of a chart: a finger, and who walks with the Tab key, need room

Scale = tuple[int, int]


def drawing(
    cut: Sequence[Column],
    scales: Sequence[Scale],
    name: Callable[[Column], str],
    culprits: Culprits,
    label: str,
) -> Html:
    """Return the drawing.

    Args:
        cut: the columns.
        scales: the lowest and highest value of each measure.
        name: says which tests a column stands for.
        culprits: whose marks lead where.
        label: the id of the element that names the drawing.
    """
    return tag(
        "svg",
        *(
            part
            for measure in range(len(MEASURES))
            for part in _line(cut, measure, scales[measure])
        ),
        *(_hit(at, column, name(column)) for at, column in enumerate(cut)),
        *_marks(cut, culprits),
        viewBox=f"0 0 {len(cut)} {_HEIGHT}",
        preserveAspectRatio="none",
        role="group",
        aria_labelledby=label,
    )


def _line(cut: Sequence[Column], measure: int, scale: Scale) -> Iterator[Html]:
    """Yield the ground that a line stands on, and the line, which goes in steps."""
    heights = [_height(column.highest[measure], scale, _BANDS[measure]) for column in cut]
    path = [f"M0 {heights[0]}"]
    for at, (before, height) in enumerate(itertools.pairwise(heights), 1):
        if height != before:
            path.append(f"H{at}V{height}")
    path.append(f"H{len(cut)}")
    yield tag("path", class_="ground", d=f"M0 {_BANDS[measure][1]}H{len(cut)}")
    yield tag("path", class_=f"line {MEASURES[measure]}", d=Html("".join(path)))


def _height(value: int, scale: Scale, band: tuple[int, int]) -> float:
    (low, high), (top, bottom) = scale, band
    share = (value - low) / (high - low) if high > low else _MIDDLE
    return round(bottom - _MARGIN - share * (bottom - top - 2 * _MARGIN), 1)


def _hit(at: int, column: Column, name: str) -> Html:
    """Return what a pointer meets on a column; its title tells the numbers."""
    said = tag("title", f"{name}: {_numbers(column)}")
    return tag("rect", said, class_="hit", x=at, y=0, width=1, height=_HEIGHT)


def _numbers(column: Column) -> str:
    most = "at most " if column.first != column.last else ""
    fds, children, threads = column.highest
    parts = (plural(fds, "descriptor"), plural(children, "child", "children"))
    return f"{most}{', '.join(parts)}, {plural(threads, 'thread')}"


def _marks(cut: Sequence[Column], culprits: Culprits) -> Iterator[Html]:
    per = max(1, -(-len(cut) // _MARKS))
    for start in range(0, len(cut), per):
        group = cut[start : start + per]
        owners = list(dict.fromkeys(owner for column in group for owner in column.owners))
        if owners:
            first = next(at for at, column in enumerate(group, start) if column.owners)
            yield _mark(first + 0.5, owners, culprits)


def _mark(at: float, owners: list[Owner], culprits: Culprits) -> Html:
    """Return a link to the first story of a place; a full dot for a leak, a ring if allowed."""
    guilty = [owner for owner in owners if culprits.guilty[owner]]
    first = (guilty or owners)[0]
    more = f" and {len(owners) - 1:,} more" if len(owners) > 1 else ""
    said = f"{first}{more}: {'left something behind' if guilty else 'was allowed to'}"
    return tag(
        "a",
        tag("title", said),
        tag("path", class_="stem", d=f"M{at} {_STEM}V{_MARK}"),
        tag("path", class_="dot", d=f"M{at} {_MARK}h0"),
        None if guilty else tag("path", class_="dot core", d=f"M{at} {_MARK}h0"),
        href=culprits.address(first),
        class_=f"mark {'leak' if guilty else 'allowed'}",
        aria_label=said,
    )

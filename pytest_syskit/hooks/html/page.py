"""The whole page, from the values of the JSON report and the samples of the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...leaks.leak import Leak
from .culprits import Culprits
from .filters import filters
from .markup import Html, tag
from .overview import headline, overview
from .remarks import machine, remarks
from .samples import Series
from .sections import Section, section
from .stories import stories
from .style import head
from .timeline import timeline


@dataclass(frozen=True, slots=True)
class Run:
    """What a page says about the run itself.

    Attributes:
        project: the name of the directory that was tested.
        when: the time of writing, as in ``2026-01-31 12:00 UTC``.
        versions: of whatever ran, as words.
    """

    project: str
    when: str
    versions: Sequence[str]


def page(content: Mapping[str, Any], series: Mapping[str, Series], run: Run) -> str:
    """Return the page.

    Args:
        content: the values of the JSON report.
        series: the samples of each process that ran tests.
        run: what else to say about the run.
    """
    leaks = [Leak.from_record(record) for record in content["leaks"]]
    sections = list(_sections(content, leaks, series))
    opening = (
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"{run.project}: {headline(content, leaks)}"),
        head(),
    )
    body = (
        tag("a", "Skip to the leaks", class_="skip", href="#leaks"),
        _banner(run),
        _contents(sections),
        tag("main", overview(content, leaks), *(each.markup for each in sections)),
        _footer(run),
    )
    document = tag("html", tag("head", *opening), tag("body", *body), lang="en")
    return f"<!DOCTYPE html>\n{document}\n"


def _sections(
    content: Mapping[str, Any], leaks: Sequence[Leak], series: Mapping[str, Series]
) -> Iterator[Section]:
    culprits = Culprits.of(leaks)
    yield section("timeline", "Timeline", timeline(series, culprits))
    yield section("leaks", "Leaks", *_leaks(culprits))
    yield from remarks(content)
    yield machine(content)


def _leaks(culprits: Culprits) -> Iterator[Html]:
    if not culprits.told:
        yield tag("p", "Nothing was left behind.", class_="empty")
        return
    yield filters([leak for leaks in culprits.told.values() for leak in leaks])
    yield tag("p", "No leak fits the filter.", id="none", class_="empty", hidden=True)
    yield tag("div", stories(culprits), id="stories")


def _banner(run: Run) -> Html:
    toggle = tag(
        "button", "Dark", type="button", id="theme", aria_pressed="false", aria_label="Dark colours"
    )
    name = tag("p", tag("b", run.project), " ", tag("span", "leak report", class_="quiet"))
    return tag("header", name, tag("p", tag("time", run.when), class_="quiet when"), toggle)


def _contents(sections: Sequence[Section]) -> Html:
    names = [("summary", "Summary"), *((each.name, each.title) for each in sections)]
    links = [tag("li", tag("a", title, href=f"#{name}")) for name, title in names]
    return tag("nav", tag("ul", *links), aria_label="Sections")


def _footer(run: Run) -> Html:
    return tag("footer", tag("p", "Written by ", ", ".join(run.versions), "."))

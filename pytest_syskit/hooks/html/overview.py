"""The first screen: what was found, in one sentence and a few numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...leaks import wording
from ...leaks.leak import Leak
from .markup import Html, plural, tag

_POLICIES = {
    "off": "nothing was watched, except where a test asked for it",
    "warn": "leaks are listed, outcomes stay as they were",
    "fail": "each leak is an error of its owner",
}


def headline(content: Mapping[str, Any], leaks: Sequence[Leak]) -> str:
    """Say the result of the run in one sentence."""
    guilty = _guilty(leaks)
    if guilty:
        owners = len({leak.owner for leak in guilty})
        return f"{plural(len(guilty), 'leak')} by {plural(owners, 'owner')}"
    if content["escaped_children"]:
        return f"{plural(len(content['escaped_children']), 'child', 'children')} escaped"
    if content["tests_checked"]:
        return "Nothing was left behind"
    return "No test was checked"


def overview(content: Mapping[str, Any], leaks: Sequence[Leak]) -> Html:
    """Return the summary: headline, kinds, numbers."""
    guilty = _guilty(leaks)
    return tag(
        "section",
        tag("h1", headline(content, leaks), class_="bad" if guilty else "good"),
        tag("p", _sentence(content, guilty), class_="lead"),
        tag("dl", *_tiles(content, leaks, guilty), class_="tiles"),
        id="summary",
        aria_label="Summary",
    )


def _guilty(leaks: Sequence[Leak]) -> list[Leak]:
    return [leak for leak in leaks if leak.verdict == "leak"]


def _sentence(content: Mapping[str, Any], guilty: Sequence[Leak]) -> str:
    policy = content["policy"]
    watched = ", ".join(content["kinds"])
    was = "was" if len(guilty) == 1 else "were"
    found = f"{wording.enumerate_kinds(guilty)} {was} still there when the owner had ended. "
    return f"{found if guilty else ''}Watched: {watched}. Policy {policy}: {_POLICIES[policy]}."


def _tiles(
    content: Mapping[str, Any], leaks: Sequence[Leak], guilty: Sequence[Leak]
) -> Iterator[Html]:
    owners = len({leak.owner for leak in guilty})
    yield _tile("Tests checked", content["tests_checked"], None)
    yield _tile("Leaks", len(guilty), "leaks", bad=True)
    yield _tile("Owners", owners, "leaks", bad=True)
    yield _tile("Allowed", len(leaks) - len(guilty), "leaks")
    yield _tile("Not checked", len(content["not_checked"]), "not-checked", bad=True)
    yield _tile("Stale rules", len(content["stale_rules"]), "stale")
    yield _tile("Unused allowances", len(content["unused_allowances"]), "unused")
    yield _tile("Escaped children", len(content["escaped_children"]), "escaped", bad=True)


def _tile(name: str, number: int, section: str | None, *, bad: bool = False) -> Html:
    tone = "zero" if not number else "bad" if bad else ""
    shown = f"{number:,}"
    value = tag("a", shown, href=f"#{section}") if number and section else shown
    return tag("div", tag("dt", name), tag("dd", value), class_=f"tile {tone}".rstrip())

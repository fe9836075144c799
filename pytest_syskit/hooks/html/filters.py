"""The form that narrows the list of leaks; it shows only where its script runs."""

from __future__ import annotations

from collections.abc import Iterable

from ...leaks.leak import Leak
from .markup import Html, plural, tag

_FEWEST = 2  # choices that a group needs to be of any use


def filters(leaks: Iterable[Leak]) -> Html:
    """Return the form, with the words that these leaks have."""
    leaks = list(leaks)
    owners = len({leak.owner for leak in leaks})
    return tag(
        "form",
        tag("label", "Search", for_="search"),
        tag(
            "input", type="search", id="search", autocomplete="off", aria_describedby="search-hint"
        ),
        tag(
            "p",
            "Owners, labels, command lines and stacks. ",
            tag("kbd", "/"),
            " goes here, ",
            tag("kbd", "Esc"),
            " shows everything again.",
            id="search-hint",
            class_="hint",
        ),
        _group("Kind", "kind", [leak.resource.kind for leak in leaks]),
        _group("Verdict", "verdict", [leak.verdict for leak in leaks]),
        _group("Owner", "owner", [leak.owner.type for leak in leaks]),
        tag(
            "p",
            tag(
                "output",
                f"{plural(len(leaks), 'leak')} of {plural(owners, 'owner')}",
                id="count",
                role="status",
                aria_live="polite",
                for_="search",
            ),
            tag("button", "Show everything", type="reset", id="everything", hidden=True),
            class_="result",
        ),
        id="filter",
        role="search",
        aria_label="Filter the leaks",
    )


def _group(legend: str, name: str, values: list[str]) -> Html | None:
    words = sorted(set(values))
    if len(words) < _FEWEST:
        return None
    choices = (_choice(name, word, values.count(word)) for word in words)
    return tag("fieldset", tag("legend", legend), *choices)


def _choice(name: str, word: str, number: int) -> Html:
    box = tag("input", type="checkbox", name=name, value=word, checked=True)
    return tag("label", box, tag("span", word, " ", tag("small", f"{number:,}")), class_="choice")

"""A section of the page: a heading that the contents lead to, and what stands below it."""

from __future__ import annotations

from typing import NamedTuple

from .markup import Html, tag


class Section(NamedTuple):
    """One section; ``name`` is its anchor."""

    name: str
    title: str
    markup: Html


def section(name: str, title: str, *body: str | None) -> Section:
    """Build a section with its heading."""
    heading = tag("h2", title, id=f"{name}-title")
    markup = tag("section", heading, *body, id=name, tabindex="-1", aria_labelledby=f"{name}-title")
    return Section(name, title, markup)


def note(text: str) -> Html:
    """Return a line of explanation below a heading."""
    return tag("p", text, class_="note")

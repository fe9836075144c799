"""Markup that cannot be broken by what it shows: text is escaped unless it is markup already."""

from __future__ import annotations

import html
from collections.abc import Iterable

from ...leaks.encodable import printable

_WIDEST = 2000  # characters of one value: a command line may be two million long
_EMPTY = ("br", "hr", "input", "link", "meta")
_SHAPES = ("path", "rect")


class Html(str):
    """Markup that is ready; every other string is text."""

    __slots__ = ()


def text(value: object) -> Html:
    """Return a value as text of the page: escaped, printable, and not endless."""
    whole = str(value)
    shown = printable(whole[:_WIDEST])
    if len(whole) > _WIDEST:
        shown += f"… and {len(whole) - _WIDEST:,} more characters"
    return Html(html.escape(shown))


def join(parts: Iterable[str | None]) -> Html:
    """Join markup and text; ``None`` is nothing."""
    return Html("".join(p if isinstance(p, Html) else text(p) for p in parts if p is not None))


def tag(name: str, /, *children: str | None, **attributes: object) -> Html:
    """Return an element.

    Args:
        name: of the element.
        children: text, which is escaped, and markup, which is not.
        attributes: ``class_`` and ``data_kind`` stand for ``class`` and ``data-kind``; ``True`` is
            an attribute without value, ``False`` and ``None`` leave it out.
    """
    opening = "".join([name, *(_attribute(*each) for each in attributes.items())])
    if name in _EMPTY:
        return Html(f"<{opening}>")
    if name in _SHAPES and not children:
        return Html(f"<{opening}/>")
    return Html(f"<{opening}>{join(children)}</{name}>")


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    spelled = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {spelled}"
    return f' {spelled}="{value if isinstance(value, Html) else text(value)}"'


def plural(number: int, one: str, many: str | None = None) -> str:
    """Say a number of things, as in ``1,000 tests``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"

"""Colours, style sheet and script: everything that the page needs is in the page.

The colours come from the palette of Okabe and Ito, which people of every colour vision can tell
apart, darkened on paper and lightened on black until text in them has a contrast of 4.5 or more.
Form says the same as colour: a leak is a full dot, what is allowed a ring.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources

from .markup import Html, tag

# name -> on paper, in the dark
COLOURS = {
    "paper": ("#fcfbf8", "#15171a"),
    "sheet": ("#ffffff", "#1d2024"),
    "ink": ("#1b1d20", "#e9e7e2"),
    "quiet": ("#5a5f66", "#a2a7ae"),
    "rule": ("#e0ddd5", "#33373d"),
    "leak": ("#a83c00", "#ff9d66"),
    "leak-ground": ("#fdf0e8", "#38241a"),
    "allowed": ("#005f96", "#7cc4f2"),
    "allowed-ground": ("#e9f3fa", "#17293a"),
    "good": ("#00684c", "#53d3ac"),
    "line": ("#3d4249", "#c9ccd1"),
    "focus": ("#0050d8", "#8ab8ff"),
}


def style() -> str:
    """Return the style sheet, its colours in front."""
    light = _variables(0, "light")
    dark = _variables(1, "dark")
    return (
        f":root{{{light}}}\n"
        f'@media (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{{dark}}}}}\n'
        f':root[data-theme="dark"]{{{dark}}}\n'
        f"@media print{{:root:root:root{{{light}}}}}\n" + _part("page.css")
    )


def script() -> str:
    """Return the script; without it the page shows everything."""
    return _part("page.js")


def head() -> Html:
    """Return policy, style and script.

    The policy lets nothing be loaded, and no script run but this one: whatever a label holds, it
    stays text.
    """
    sheet, code = style(), script()
    policy = (
        f"default-src 'none'; style-src '{_digest(sheet)}'; script-src '{_digest(code)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return Html(
        tag("meta", http_equiv="Content-Security-Policy", content=policy)
        + tag("link", rel="icon", href="data:,")
        + tag("style", Html(sheet))
        + tag("script", Html(code))
    )


def _variables(column: int, scheme: str) -> str:
    pairs = "".join(f"--{name}:{both[column]};" for name, both in COLOURS.items())
    return f"color-scheme:{scheme};{pairs}"


def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

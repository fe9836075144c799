"""Texts that can be written, sent and shown, whatever bytes the names of files hold.

A name that is no UTF-8 reaches Python with surrogates in it.  JUnit's file, xdist's wire and most
terminals take none, and a control character in a label would steer the terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def printable(text: str) -> str:
    """Return one line: what cannot be shown is spelled as in a Python literal."""
    safe = encodable(text)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in safe)


def encodable(value: Any) -> Any:
    """Return a JSON value whose texts are all valid in UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {encodable(key): encodable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [encodable(each) for each in value]
    return value

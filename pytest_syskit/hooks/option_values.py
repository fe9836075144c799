"""What options take, whether from the command line, an ini file or the environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..leaks.kinds import KINDS

MODES = ("off", "warn", "fail")
REAPING = ("never", "leaked")
REPORTS = (".json", ".html")

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


class Refused(ValueError):
    """A value that an option does not take; its text says what it takes."""


def one_of(*choices: str) -> Callable[[Any], str]:
    """Return a parser of one of some words."""

    def parse(value: Any) -> str:
        if value not in choices:
            raise Refused(f"takes one of {', '.join(choices)}")
        return str(value)

    return parse


def seconds(value: Any) -> float:
    """Read a length of time."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < float("inf"):
        raise Refused("takes a number of seconds, 0 or more")
    return number


def times(value: Any) -> int:
    """Read how often."""
    text = str(value).strip()
    if not text.isdecimal() or int(text) < 1:
        raise Refused("takes a whole number, 1 or more")
    return int(text)


def path(value: Any) -> str:
    """Read the path of a file."""
    if not str(value).strip():
        raise Refused("takes the path of a file")
    return str(value)


def switch(value: Any) -> bool:
    """Read whether something is on."""
    text = str(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise Refused("takes true or false")
    return text in _TRUE


def words_of(value: Any) -> list[str]:
    """Return the words of a value: a text with commas or spaces, or several."""
    parts = value if isinstance(value, list | tuple) else [value]
    return [word for part in parts for word in str(part).replace(",", " ").split()]


def kinds(value: Any) -> tuple[str, ...]:
    """Read kinds of leaks."""
    words = words_of(value)
    if unknown := [word for word in words if word not in {*KINDS, "all"}]:
        raise Refused(f"does not know {unknown[0]!r}; it takes {', '.join(KINDS)} or all")
    if not words:
        raise Refused(f"takes at least one of {', '.join(KINDS)}, or all")
    return KINDS if "all" in words else tuple(dict.fromkeys(words))


def lines(value: Any) -> tuple[str, ...]:
    """Read lines, of a text or as they come."""
    parts = value if isinstance(value, list | tuple) else str(value).splitlines()
    return tuple(line.strip() for line in parts if str(line).strip())


def report_paths(value: Any) -> tuple[str, ...]:
    """Read where reports go; the name tells the form."""
    paths = value if isinstance(value, list | tuple) else [value]
    for each in paths:
        if not str(each).endswith(REPORTS):
            raise Refused(f"takes a path that ends in {' or '.join(REPORTS)}")
    return tuple(map(str, paths))

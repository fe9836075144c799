"""The machine-readable report; its form is part of the public interface."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..host import capabilities
from .facts import Facts
from .settings import Settings

FORMAT = 1


def content(facts: Facts, settings: Settings, stale: list[str]) -> dict[str, Any]:
    """Return the report as JSON values."""
    return {
        "format": FORMAT,
        "policy": settings.leaks,
        "kinds": list(settings.leak_kinds),
        "capabilities": {name: capabilities.missing(name) is None for name in capabilities.names()},
        "tests_checked": facts.tests_checked,
        "not_checked": facts.lists["not_checked"],
        "leaks": facts.lists["leaks"],
        "escaped_children": facts.lists["escaped_children"],
        "stale_rules": stale,
        "unused_allowances": facts.lists["unused_allowances"],
        **({"baseline": facts.baseline} if facts.baseline else {}),
    }


def write(path: str, facts: Facts, settings: Settings, stale: list[str]) -> None:
    """Write the report to a file."""
    text = json.dumps(content(facts, settings, stale), indent=1)
    Path(path).write_text(text + "\n", encoding="utf-8")

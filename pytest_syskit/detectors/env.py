"""Environment variables that were set, changed or removed."""

from __future__ import annotations

import re
from typing import Any

from ..host.state.environment_variables import EnvironmentVariables
from .state import StateDetector

_MASK = "***"
_SECRET = re.compile("TOKEN|SECRET|PASS|KEY|AUTH|CREDENTIAL", re.IGNORECASE)  # in a name
_IN_URL = re.compile(r"(?<=://)[^/@\s]*(?=@)")  # user and password in a value
_WIDTH = 60  # characters of a value that fit beside another in a report line


class EnvDetector(StateDetector):
    """Finds variables that differ from the first ones; values of secrets are not shown.

    What pytest, pytest-xdist and coverage set for the run is left out, and so is what C code sets
    behind Python's back.
    """

    kind = "env"

    def __init__(self) -> None:
        super().__init__(EnvironmentVariables())

    def tell(self, name: str, before: Any, now: Any) -> tuple[str, dict[str, Any]]:
        """Return both values, masked where the name speaks of a secret."""
        was, after = _masked(name, before), _masked(name, now)
        words = f"{'deleted' if after is None else _shown(after)} ("
        words += "was not set)" if was is None else f"was {_shown(was)})"
        return f"env {name}  {words}", {"name": name, "before": was, "after": after}


def _masked(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    return _MASK if _SECRET.search(name) else _IN_URL.sub(_MASK, value)


def _shown(value: str) -> str:
    if value == _MASK:
        return value
    return repr(value if len(value) <= _WIDTH else value[: _WIDTH - 1] + "…")

"""The environment variables of this process, as Python code and children see them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

# pytest, pytest-xdist and this plugin; coverage and pytest-cov: set by the run, not by a test.
OF_THE_RUN = ("PYTEST_", "SYSKIT_", "COVERAGE_", "COV_CORE_")


class EnvironmentVariables:
    """The variables by name; what C code sets behind Python's back is not seen."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}
        self._moment = next(iter(_encoded({"PYTEST_CURRENT_TEST": ""})))

    def stands(self, _closely: bool) -> bool:
        """Say whether all variables are as they were read last; pytest sets one in each phase."""
        table, known, moment = _table(), self._known, self._moment
        if moment in table:
            known[moment] = table[moment]
        else:
            known.pop(moment, None)
        return table == known

    def read(self) -> dict[str, str | None]:
        """Return name and value of each variable that does not belong to the run itself."""
        self._known = dict(_table())
        texts = ((_text(name), _text(value)) for name, value in self._known.items())
        return {name: value for name, value in texts if not name.startswith(OF_THE_RUN)}

    def write(self, name: str, value: str | None) -> None:
        """Set a variable, or remove it."""
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _table() -> dict[Any, Any]:
    """Return what ``os.environ`` keeps: comparing it is twenty times as fast as copying it.

    A test may have put any mapping in its place.
    """
    environ: Mapping[str, str] = os.environ
    table = getattr(environ, "_data", None)
    return table if isinstance(table, dict) else _encoded(environ)


def _encoded(variables: Mapping[str, str]) -> dict[Any, Any]:
    """Return variables in the form of that table: bytes, except on Windows."""
    if not os.supports_bytes_environ:
        return dict(variables)
    return {os.fsencode(name): os.fsencode(value) for name, value in variables.items()}


def _text(raw: Any) -> str:
    return os.fsdecode(raw)

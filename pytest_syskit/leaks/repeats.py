"""How often a test that ran several times left something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_WORDS = {"every": "every time", "first": "the first time only", "some": "sometimes"}


@dataclass(frozen=True, slots=True)
class Repeats:
    """In which of its runs a test left something; runs are counted from 1."""

    runs: tuple[int, ...]
    of: int

    @property
    def when(self) -> str:
        """``every`` time, the ``first`` time only, or ``some`` times."""
        if len(self.runs) == self.of:
            return "every"
        return "first" if self.runs == (1,) else "some"

    def __str__(self) -> str:
        return f"{_WORDS[self.when]} ({len(self.runs)} of {self.of})"

    def record(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"when": self.when, "runs": list(self.runs), "of": self.of}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Repeats:
        """Read the JSON form back."""
        return cls(tuple(record["runs"]), record["of"])

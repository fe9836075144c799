"""Who is responsible for a resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True, unsafe_hash=True)
class Owner:
    """A test, or a fixture that outlives the test; nobody changes one.

    It is not frozen, for one is made for each test, and a frozen one costs four times as much.

    Attributes:
        type: ``"test"`` or ``"fixture"``.
        id: the node id of a test, the name of a fixture.
        scope: ``"function"`` for tests; the scope of the fixture otherwise.
        where: ``path:line`` of a fixture's function.
        user: a test that used a fixture, where that is known; no part of its identity.
    """

    type: Literal["test", "fixture"]
    id: str
    scope: str = "function"
    where: str | None = None
    user: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        if self.type == "test":
            return self.id
        place = f", {self.where}" if self.where else ""
        return f"fixture {self.id} ({self.scope}{place})"

    def record(self) -> dict[str, str]:
        """Return the JSON form."""
        known = {"type": self.type, "id": self.id, "scope": self.scope}
        return known | ({"where": self.where} if self.where else {})

    @classmethod
    def from_record(cls, record: Mapping[str, str]) -> Owner:
        """Read the JSON form back."""
        kind: Literal["test", "fixture"] = "fixture" if record["type"] == "fixture" else "test"
        return cls(kind, record["id"], record["scope"], record.get("where"))

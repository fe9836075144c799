"""A fixture wider than a test, between its set-up and its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..leaks.ledger import Account
from .leak_markers import Policy
from .owners import CLASS_SETUPS


@dataclass(frozen=True, slots=True)
class LiveFixture:
    """Its account, the policy for its leaks, and what pytest knows of it."""

    account: Account
    policy: Policy
    fixturedef: Any
    request: Any

    def roots(self) -> list[object]:
        """Return the objects that the fixture keeps: its value, or what ``setUpClass`` filled."""
        result = getattr(self.fixturedef, "cached_result", None)
        value = result[0] if result is not None else None
        if value is None and self.account.owner.id in CLASS_SETUPS:
            return list(vars(self.request.cls).values())
        return [value]

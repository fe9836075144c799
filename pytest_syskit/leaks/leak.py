"""What remained, whose it was, and what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from .owner import Owner
from .repeats import Repeats
from .resource import Resource

Verdict = Literal["leak", "allowed"]


@dataclass(frozen=True, slots=True)
class Leak:
    """A resource that outlived its owner.

    Attributes:
        resource: what remained.
        owner: whose it was.
        phase: when it was born: ``"setup"``, ``"call"`` or ``"teardown"`` of its owner.
        verdict: ``"leak"``, or ``"allowed"`` when somebody said that it is meant to stay.
        reason: why it is allowed.
        created_at: the lines of code that made it, innermost last, when they were traced.
        worker: the xdist worker in which it happened.
        repeats: in which of its runs the test left it, when it ran more than once.
    """

    resource: Resource
    owner: Owner
    phase: str
    verdict: Verdict = "leak"
    reason: str | None = None
    created_at: tuple[str, ...] | None = None
    worker: str | None = None
    repeats: Repeats | None = None

    def allowed(self, reason: str) -> Leak:
        """Return the same finding, excused."""
        return replace(self, verdict="allowed", reason=reason)

    def record(self) -> dict[str, Any]:
        """Return the JSON form."""
        record = {
            "owner": self.owner.record(),
            "kind": self.resource.kind,
            "label": self.resource.label,
            "phase": self.phase,
            "verdict": self.verdict,
            "reason": self.reason,
            "detail": dict(self.resource.detail),
            "created_at": list(self.created_at) if self.created_at else None,
            "worker": self.worker,
        }
        return record | ({"repeats": self.repeats.record()} if self.repeats else {})

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Leak:
        """Read the JSON form back; the key is the label, for the number means nothing elsewhere."""
        stack, repeats = record["created_at"], record.get("repeats")
        return cls(
            Resource(record["kind"], (record["label"],), record["label"], record["detail"]),
            Owner.from_record(record["owner"]),
            record["phase"],
            record["verdict"],
            record["reason"],
            tuple(stack) if stack else None,
            record["worker"],
            Repeats.from_record(repeats) if repeats else None,
        )

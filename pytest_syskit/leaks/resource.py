"""What can be left behind, and what finds it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from .encodable import encodable, printable


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that must not outlive its owner.

    Attributes:
        kind: the detector's word for it, such as ``"fd"``.
        key: what tells this one from every other of its kind, also when a number is used again.
        label: one line for people; empty until :meth:`Detector.describe` fills it in.
        detail: the same for programs (JSON values only).

    Two resources are equal when kind and key are; label and detail may be filled in later.
    """

    kind: str
    key: tuple[Hashable, ...]
    label: str = field(default="", compare=False)
    detail: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def told(self, label: str, detail: Mapping[str, Any]) -> Resource:
        """Return the same resource with its description, in texts that can be written and sent."""
        return replace(self, label=printable(label), detail=encodable(detail))


Snapshot = frozenset[Resource]


class NotObservable(Exception):  # a condition of the machine, not a bug
    """A detector cannot see its resources now; the text follows "not checked, because"."""


class Detector(Protocol):
    """Finds one kind of resource.

    A detector may also offer ``unchanged(closely: bool) -> bool``: a cheap answer to whether its
    last snapshot still holds.  Without it, every look takes a new snapshot.  One that has
    ``created_at(resource) -> tuple[str, ...]`` tells the lines of code that made a resource.
    """

    kind: str

    def snapshot(self) -> Snapshot:
        """Return all resources of this kind that exist now (raises :class:`NotObservable`)."""
        ...

    def describe(self, resource: Resource) -> Resource:
        """Return the resource with label and detail; it may have gone meanwhile."""
        ...

    def reclaim(self, resource: Resource) -> None:
        """End or close the resource; called after the verdict, only when the user asked for it."""
        ...

"""All detectors at once: one snapshot, taken as cheaply as the moment allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..leaks.resource import Detector, NotObservable, Resource, Snapshot

Origin = Callable[[Resource], "tuple[str, ...] | None"]


class Watch:
    """Asks every detector and joins the answers.

    As long as nothing changes, the same snapshot object is returned, so that callers can compare
    with ``is``.

    Attributes:
        trouble: kind -> why it could not be observed, since :meth:`take_trouble` was last called.
        origins: kind -> who else knows the lines of code that made a resource.
        swapped: whether the last change was one that only a close look sees: something was replaced
            under its number, at some moment since the close look before.
    """

    def __init__(self, detectors: Iterable[Detector]) -> None:
        self.detectors: dict[str, Any] = {detector.kind: detector for detector in detectors}
        self.trouble: dict[str, str] = {}
        self.origins: dict[str, Origin] = {}
        self.swapped = False
        self._questions = tuple((_unchanged(d), d) for d in self.detectors.values())
        self._disturbances = [d.disturbances for d in self.detectors.values() if _guards(d)]
        self._parts: dict[str, Snapshot] = {}
        self._joined: Snapshot = frozenset()

    def look(self, *, closely: bool = False) -> Snapshot:
        """Return everything that exists now.

        Args:
            closely: also notice what a count alone does not show; for the moments that decide.
        """
        stale = [detector for unchanged, detector in self._questions if not unchanged(closely)]
        return self._look_anew(stale) if stale else self._joined

    def seen(self) -> Snapshot:
        """Return what the last look returned."""
        return self._joined

    def _look_anew(self, stale: list[Detector]) -> Snapshot:
        self.swapped = any(getattr(detector, "swapped", False) for detector in stale)
        if any([self._renew(detector) for detector in stale]):
            self._joined = frozenset().union(*self._parts.values())
        return self._joined

    def _renew(self, detector: Detector) -> bool:
        try:
            part = detector.snapshot()
        except (NotObservable, OSError) as error:
            self.trouble[detector.kind] = str(error)
            return False  # what was seen last stands; the owner is reported as not checked
        if part == self._parts.get(detector.kind):
            return False
        self._parts[detector.kind] = part
        return True

    def take_trouble(self) -> dict[str, str]:
        """Return what could not be observed since the last call."""
        trouble, self.trouble = self.trouble, {}
        return trouble

    def disturbances(self) -> list[Resource]:
        """Return what was there before the tests and was closed or replaced since last asked."""
        return [change for ask in self._disturbances for change in ask()]

    def describe(self, resource: Resource) -> Resource:
        """Let the resource's own detector describe it."""
        told: Resource = self.detectors[resource.kind].describe(resource)
        return told

    def created_at(self, resource: Resource) -> tuple[str, ...] | None:
        """Return the lines of code that made a resource, if somebody knows them."""
        ask = getattr(self.detectors.get(resource.kind), "created_at", None)
        ask = self.origins.get(resource.kind, ask)
        return (ask(resource) or None) if ask is not None else None

    def reclaim(self, resource: Resource) -> None:
        """Let the resource's own detector end or close it."""
        self.detectors[resource.kind].reclaim(resource)


def _guards(detector: Any) -> bool:
    return hasattr(detector, "disturbances")


def _unchanged(detector: Detector) -> Callable[[bool], bool]:
    """Return the detector's cheap question; one that has none always takes a new snapshot."""
    question: Callable[[bool], bool] = getattr(detector, "unchanged", lambda _closely: False)
    return question

"""From what remained to verdicts: what is expected, ignored, allowed, and what is a leak."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from ..detectors import infrastructure
from ..detectors.watch import Watch
from ..host.processes import waiting_room
from ..host.real import real
from ..leaks.kinds import KINDS
from ..leaks.leak import Leak
from ..leaks.ledger import Account
from ..leaks.resource import Resource
from ..leaks.rules import Allowance
from ..leaks.settling import settle
from .leak_markers import Policy
from .settings import KNOWN_LEAKS, Settings

_PAUSE = 0.02  # seconds between looks: a dying process needs about one millisecond


@dataclass(slots=True, eq=False)
class Case:
    """One account whose owner's life has ended.

    Attributes:
        births: what was born under it and is still there, with the phase of birth.
        disturbed: what was there before the tests and was closed or replaced under it.
        failed: whether the test failed: its traceback keeps objects alive, so it is judged later.
        was_held: whether this is that later time.
    """

    account: Account
    policy: Policy
    births: dict[Resource, str]
    allowances: tuple[Allowance, ...] = ()
    failed: bool = False
    was_held: bool = False
    disturbed: tuple[Resource, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.births or self.disturbed)


class Judge:
    """Decides about what is left, and remembers which rules were of use."""

    def __init__(self, config: pytest.Config, settings: Settings, watch: Watch) -> None:
        self._config = config
        self._settings = settings
        self._watch = watch
        worker = getattr(config, "workerinput", {})
        self._worker = worker.get("workerid")
        self.rule_hits: dict[str, int] = {}
        self.known = config.stash.get(KNOWN_LEAKS, None)

    def settle(self, cases: list[Case]) -> None:
        """Drop from the cases whatever goes by itself within the grace."""
        suspects = [resource for case in cases for resource in case.births]
        grace = max((case.policy.grace for case in cases), default=0.0)
        left = set(settle(suspects, self._look, self._steps(suspects, grace)))
        for case in cases:
            case.births = {r: phase for r, phase in case.births.items() if r in left}

    def _look(self) -> frozenset[Resource]:
        return self._watch.look(closely=True)

    def _steps(self, suspects: list[Resource], grace: float) -> Iterator[Callable[[], object]]:
        yield lambda: None  # another thread may just have been at work
        yield lambda: gc.collect(1)  # young cycles, in microseconds
        yield gc.collect
        if waiting_room.may_still_end(suspects):
            for _ in range(round(grace / _PAUSE)):
                yield lambda: real.sleep(_PAUSE)

    def verdicts(self, case: Case) -> list[Leak]:
        """Return the findings of a settled case, allowed ones included."""
        births = sorted(case.births.items(), key=lambda birth: _order(birth[0]))
        told = [(self._describe(case, resource), phase) for resource, phase in births]
        told += [(resource, "call") for resource in case.disturbed]
        findings = [self._finding(case, resource, phase) for resource, phase in told if resource]
        found = [leak for leak in findings if leak is not None]
        return found if self.known is None else self.known.excuse(found)

    def _describe(self, case: Case, resource: Resource) -> Resource | None:
        """Describe what nobody has claimed, and what has not gone at the last moment."""
        if infrastructure.reason_to_stay(resource) is not None:
            return None
        told = self._watch.describe(resource)
        if told.detail.get("state") == "gone" or told.detail.get("what") == "closed":
            return None
        hook = self._config.hook.pytest_syskit_expected
        owner = case.account.owner
        return None if hook(resource=told, owner=owner, config=self._config) else told

    def _finding(self, case: Case, resource: Resource, phase: str) -> Leak | None:
        if case.policy.mode == "off" or not _watches(case.policy, resource.kind):
            return None
        if self._is_ignored(resource):
            return None
        stack = self._watch.created_at(resource)
        leak = Leak(resource, case.account.owner, phase, created_at=stack, worker=self._worker)
        for allowance in case.allowances:
            if allowance.covers(resource.kind, resource.label):
                return leak.allowed(allowance.reason)
        return leak

    def _is_ignored(self, resource: Resource) -> bool:
        for rule in self._settings.leak_ignore:
            if rule.covers(resource.kind, resource.label):
                self.rule_hits[rule.text] = self.rule_hits.get(rule.text, 0) + 1
                return True
        return False


def _watches(policy: Policy, kind: str) -> bool:
    """Say whether a policy asks for a kind; kinds of other plugins' detectors always are."""
    return kind in policy.kinds or kind not in KINDS


def _order(resource: Resource) -> tuple[str, int, str]:
    """Sort by kind, then by number or name."""
    first = resource.key[0]
    return (resource.kind, first, "") if isinstance(first, int) else (resource.kind, 0, str(first))

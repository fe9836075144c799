"""The book: who was born when, and under whom.

One rule does the work.  Whatever has appeared since the last look belongs to whoever stands on top
of the stack of accounts::

    test_a ─ enter ──┬───────────────────────────┬── leave
                     │ fixture db ─ enter … leave│        births here are db's, not test_a's

so the set-up of an inner fixture is subtracted from the outer one without any arithmetic, and what
appears while nobody is entered belongs to nobody and is never held against anyone.
"""

from __future__ import annotations

from dataclasses import dataclass

from .owner import Owner
from .resource import Resource, Snapshot


@dataclass(slots=True, eq=False)
class Account:
    """One life of an owner; a fixture that is set up twice has two."""

    owner: Owner
    phase: str = "setup"


@dataclass(frozen=True, slots=True)
class Birth:
    """Under which account a resource appeared, and in which phase of it."""

    account: Account
    phase: str


class Ledger:
    """Book-keeping over snapshots that others take; pure, and indifferent to what is booked."""

    def __init__(self, present: Snapshot = frozenset()) -> None:
        self._present = present
        self._stack: list[Account] = []
        self._births: dict[Resource, Birth] = {}

    def note(self, now: Snapshot) -> None:
        """Book what has come and gone since the last look."""
        if now is self._present:  # the common case: detectors return the same object
            return
        for resource in self._present - now:
            self._births.pop(resource, None)
        if self._stack:
            top = self._stack[-1]
            for resource in now - self._present:
                self._births[resource] = Birth(top, top.phase)
        self._present = now

    def enter(self, account: Account, phase: str, now: Snapshot) -> None:
        """Begin to charge ``account``; whatever appeared before this moment is not its."""
        self.note(now)
        account.phase = phase
        self._stack.append(account)

    def turn(self, account: Account, phase: str, now: Snapshot) -> None:
        """Go on to the next phase of an account that is entered."""
        self.note(now)
        account.phase = phase

    def leave(self, account: Account, now: Snapshot) -> None:
        """Stop charging ``account``, and anyone entered inside it who never left."""
        self.note(now)
        if account in self._stack:
            del self._stack[self._stack.index(account) :]

    def is_clear(self, account: Account) -> bool:
        """Say whether nothing that was born under ``account`` is still there."""
        return not self._births or not self.audit(account)

    def audit(self, account: Account) -> dict[Resource, str]:
        """Return what was born under ``account`` and is still there, with its phase of birth."""
        return {r: birth.phase for r, birth in self._births.items() if birth.account is account}

    def transfer(self, resource: Resource, account: Account) -> None:
        """Charge a resource to another account, as when a fixture turns out to hold it."""
        if resource in self._births:
            self._births[resource] = Birth(account, self._births[resource].phase)

    def close(self, resource: Resource) -> None:
        """Strike a resource off: it has been judged, and is nobody's from now on."""
        self._births.pop(resource, None)

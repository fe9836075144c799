"""The book: who was born when, and under whom.

One rule does the work.  Whatever has appeared since the last look belongs to whoever stands on top
of the stack of accounts::

    test_a ─ enter ──┬───────────────────────────┬── leave
                     │ fixture db ─ enter … leave│        births here are db's, not test_a's

so the set-up of an inner fixture is subtracted from the outer one without any arithmetic, and what
appears while nobody is entered belongs to nobody and is never held against anyone.

A *value*, such as the working directory, is not made but set, and one that is set again is the old
one come back::

    fixture in_x:  chdir(x)          test_a:  chdir(y) … chdir(x)      x is still the fixture's
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

from .kinds import VALUES
from .owner import Owner
from .resource import Resource, Snapshot

START = object()  # stands for the value at the start of the watch, which no snapshot shows


@dataclass(slots=True, eq=False)
class Account:
    """One life of an owner; a fixture that is set up twice has two."""

    owner: Owner
    phase: str = "setup"
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Birth:
    """Under which account a resource appeared, in which phase, and in place of which value."""

    account: Account
    phase: str
    before: object = START


@dataclass(frozen=True, slots=True)
class _Absence:
    """A value that is not there at present: whose it was, and in whose time it went."""

    birth: Birth | None
    during: Account | None

    def may_return(self) -> bool:
        """Say whether the value would still be the old one if it came back."""
        return self.is_owned() or (self.during is not None and not self.during.ended)

    def is_owned(self) -> bool:
        """Say whether the account under which the value was set is still open."""
        return self.birth is not None and not self.birth.account.ended


class Ledger:
    """Book-keeping over snapshots that others take; pure, and indifferent to what is booked."""

    def __init__(self, present: Snapshot = frozenset()) -> None:
        self._present = present
        self._stack: list[Account] = []
        self._births: dict[Resource, Birth] = {}
        self._away: dict[Resource, _Absence] = {}

    def note(self, now: Snapshot) -> None:
        """Book what has come and gone since the last look."""
        if now is self._present:  # the common case: detectors return the same object
            return
        top = self._stack[-1] if self._stack else None
        replaced = self._see_off(self._present - now, top)
        for resource in now - self._present:
            if not self._is_back(resource, top) and top is not None:
                before = replaced.get((resource.kind, resource.key[0]), START)
                self._births[resource] = Birth(top, top.phase, before)
        self._present = now

    def _see_off(
        self, gone: Iterable[Resource], top: Account | None
    ) -> dict[tuple[str, Hashable], object]:
        """Strike off what has gone; return the values that the present account found."""
        found: dict[tuple[str, Hashable], object] = {}
        for resource in gone:
            birth = self._births.pop(resource, None)
            if resource.kind in VALUES:
                self._away[resource] = _Absence(birth, top)
                is_own = birth is not None and birth.account is top
                name, value = resource.key
                found[resource.kind, name] = birth.before if birth and is_own else value
        return found

    def _is_back(self, resource: Resource, top: Account | None) -> bool:
        """Give a value that was away to whom it belonged before, which may be nobody."""
        absence = self._away.pop(resource, None)
        if absence is None:
            return False
        as_found = top is not None and absence.during is top
        if absence.birth is not None and (as_found or absence.is_owned()):
            self._births[resource] = absence.birth
            return True
        return as_found

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
        """Stop charging ``account``, and anyone entered inside it who never left.

        A fixture that leaves after its set-up comes back for its teardown; all others have ended.
        """
        self.note(now)
        stack = self._stack
        if stack and stack[-1] is account:
            stack.pop()
        elif account in stack:
            del stack[stack.index(account) :]
        account.ended = account.owner.type == "test" or account.phase == "teardown"
        if account.ended and self._away:
            self._away = {r: absence for r, absence in self._away.items() if absence.may_return()}

    def is_clear(self, account: Account) -> bool:
        """Say whether nothing that was born under ``account`` is still there."""
        return not self._births or not self.audit(account)

    def audit(self, account: Account) -> dict[Resource, str]:
        """Return what was born under ``account`` and is still there, with its phase of birth.

        A value tells in its detail what stood there ``before``, unless that was the first one.
        """
        return {
            r if birth.before is START else replace(r, detail={"before": birth.before}): birth.phase
            for r, birth in self._births.items()
            if birth.account is account
        }

    def transfer(self, resource: Resource, account: Account) -> None:
        """Charge a resource to another account, as when a fixture turns out to hold it."""
        if resource in self._births:
            birth = self._births[resource]
            self._births[resource] = Birth(account, birth.phase, birth.before)

    def close(self, resource: Resource) -> None:
        """Strike a resource off: it has been judged, and is nobody's from now on."""
        self._births.pop(resource, None)

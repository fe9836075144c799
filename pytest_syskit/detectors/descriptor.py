"""Open descriptors of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from ..host.descriptors import descriptor_facts, descriptors
from ..host.descriptors.held_listing import HeldListing
from ..host.descriptors.quick_stat import same_files
from ..leaks.resource import NotObservable, Resource, Snapshot
from .baseline import Baseline

STANDARD = (0, 1, 2)  # input, output, error: pytest swaps what is behind them in every phase
_STREAM: descriptors.Identity = (0, 0, 1, 0, "")  # stands for whatever is behind a standard stream
_VERIFIED = 64  # newest descriptors whose identity is checked when the count is unchanged


class DescriptorDetector:
    """Finds descriptors by number and by what is behind the number.

    The cheap look compares the count; the close one also verifies that what is behind the 64
    highest numbers is still the same, which costs about a microsecond each.  A descriptor below
    those that is closed, and whose number is taken again within one test, goes unnoticed.

    Args:
        baseline: what was open before the tests.
        listing: what tells how many are open, where the kernel does.
        outputs_heal: whether somebody puts standard output and error right after each phase, as
            pytest does when it captures descriptors; then a close look need not verify them.

    Attributes:
        swapped: whether the last change was one that only a close look sees.
    """

    kind = "fd"

    def __init__(
        self,
        baseline: Baseline | None = None,
        listing: HeldListing | None = None,
        *,
        outputs_heal: bool = False,
    ) -> None:
        self._known: dict[int, descriptors.Identity] = {}
        self._typed: list[tuple[int, int, int]] = []
        self._all_stand: Callable[[], bool] | None = None
        self._anonymous: list[tuple[int, descriptors.Identity]] = []
        self._last: Snapshot = frozenset()
        self._count = -1
        self._listed = True
        self._counts = descriptors.counts()
        self._listing = listing
        self._ask_count = listing.count if listing is not None else descriptors.count
        self.swapped = False
        self._baseline = baseline or Baseline()
        self._guarded = self._baseline.identities()
        self._verified_streams = STANDARD[:1] if outputs_heal else STANDARD
        self._disturbed = False

    def unchanged(self, closely: bool) -> bool:
        """Say whether the last snapshot still holds, without making a new one."""
        quickly = self._all_stand if closely else None
        if quickly is not None and quickly() and _are_same(self._anonymous):
            return True
        try:
            if not self._counts or self._ask_count() != self._count:
                self.swapped = False
                return False
        except OSError:
            return False  # no /proc here any more: the snapshot says so
        if not closely:
            return True
        if self._listed and self._stands():
            if self._all_stand is not None:
                self._choose()  # the directory has been opened anew
            return True
        self.swapped = True
        return False

    def _stands(self) -> bool:
        """Verify identities; to be asked only while pytest captures nothing."""
        if same_files(self._typed) and _are_same(self._anonymous):
            return True
        # A snapshot leaves the streams out.
        streams = [(fd, self._guarded[fd]) for fd in STANDARD if fd in self._guarded]
        self._disturbed |= not _are_same(streams)
        return False

    def disturbances(self) -> list[Resource]:
        """Return descriptors from before the tests that were closed or replaced since last asked.

        To be asked between tests only: during a phase, pytest's capture swaps the standard streams.
        """
        if not self._disturbed:
            return []
        self._disturbed = False
        changes = self._baseline.changes()
        self._guarded = self._baseline.identities()
        self._choose()
        return changes

    def _choose(self) -> None:
        """Choose what a close look verifies: guarded standard streams, and the newest others."""
        streams = [(fd, self._guarded[fd]) for fd in self._verified_streams if fd in self._guarded]
        newest = [item for item in self._known.items() if item[0] not in STANDARD][-_VERIFIED:]
        chosen = [*streams, *newest]
        self._typed = [(fd, each[0], each[1]) for fd, each in chosen if each[2]]
        self._anonymous = [(fd, each) for fd, each in chosen if not each[2]]
        self._all_stand = None
        if self._listing is not None and self._listed:
            self._all_stand = self._listing.comparison(self._count, self._typed)

    def snapshot(self) -> Snapshot:
        """Return the open descriptors (raises ``NotObservable``)."""
        try:
            before = self._ask_count() if self._counts else -1
            found = self._read()
            after = self._ask_count() if self._counts else -1
        except OSError as error:
            raise NotObservable(f"open descriptors cannot be listed: {error}") from error
        if found != self._known or self._count < 0:
            self._disturbed |= any(map(self._is_missing(found), self._guarded.items()))
            self._known = found
            self._last = frozenset(map(self._resource, found.items()))
        self._count = after if before == after else -1
        # A thread in accept() has a number already, which becomes a descriptor at any moment.
        self._listed = after == len(found) + (self._listing is not None)
        self._choose()
        return self._last

    @staticmethod
    def _is_missing(
        found: dict[int, descriptors.Identity],
    ) -> Callable[[tuple[int, descriptors.Identity]], bool]:
        return lambda each: found.get(each[0]) not in {each[1], _STREAM}

    def _read(self) -> dict[int, descriptors.Identity]:
        found: dict[int, descriptors.Identity] = {}
        own = self._listing.fd if self._listing is not None else -1
        for fd in descriptors.numbers(max(self._known, default=0)):
            if fd == own:
                continue
            if fd in STANDARD:
                found[fd] = _STREAM
                continue
            try:
                found[fd] = descriptors.identity(fd)
            except OSError:
                continue  # closed by another thread between the listing and the look
        return found

    def _resource(self, item: tuple[int, descriptors.Identity]) -> Resource:
        fd, identity = item
        return Resource(self.kind, (fd, *identity))

    def describe(self, resource: Resource) -> Resource:
        """Add what the descriptor is, where it leads and how it was opened."""
        fd = _number(resource)
        try:
            facts = descriptor_facts.describe(fd)
        except OSError:
            return resource.told(f"fd {fd}  closed meanwhile", {"fd": fd, "what": "closed"})
        detail = {
            "fd": fd,
            "what": facts.what,
            "target": facts.target,
            "mode": facts.mode,
            "inheritable": facts.inheritable,
        }
        return resource.told(_label(facts), detail)

    def reclaim(self, resource: Resource) -> None:
        """Close the descriptor, if the number still leads to the same open file."""
        fd = _number(resource)
        if descriptors.same(fd, self._known.get(fd, (0, 0, 0, 0, ""))):
            descriptors.close(fd)


def _are_same(known: Iterable[tuple[int, descriptors.Identity]]) -> bool:
    return all([descriptors.same(fd, identity) for fd, identity in known])


def _number(resource: Resource) -> int:
    number = resource.key[0]
    assert isinstance(number, int)  # noqa: S101  # made in _resource
    return number


def _name(facts: descriptor_facts.DescriptorFacts) -> str:
    if facts.what == "file":
        return facts.target or "file"
    if facts.target.startswith((facts.what, "anon_inode:")):
        return facts.target if facts.what == "pipe" else facts.what
    return f"{facts.what}  {facts.target}".rstrip()


def _label(facts: descriptor_facts.DescriptorFacts) -> str:
    notes = [descriptor_facts.MODE_WORDS[facts.mode]] if facts.what != "socket" else []
    notes += [f"at byte {facts.offset}"] if facts.offset else []
    notes += ["inherited by children"] if facts.inheritable else []
    notes = [note for note in notes if note]
    return f"fd {facts.fd}  {_name(facts)}" + (f" ({', '.join(notes)})" if notes else "")

"""Which descriptors have appeared since the last look, and the stack that each was given.

Looking costs one ``stat`` while nothing has changed, where the kernel tells the number of open
descriptors at once, and a listing elsewhere.  The kernel counts a number from when it is given
away, and lists it from when it leads somewhere; between the two it is *reserved*::

    accept() ── number 7 is counted ──── waits … a client comes ── number 7 is listed ── returns
"""

from __future__ import annotations

import itertools

from ..code_places import Stack
from ..descriptors import descriptors
from ..descriptors.descriptors import Identity

_TRIES = 3  # between counting and listing another thread may open something; thrice is bad luck


class DescriptorBirths:
    """The table as it was at the last look; the caller sees to it that one thread looks at a time.

    Attributes:
        reserved: numbers that lead nowhere yet, with the thread that waits for each if it is known.
        mixed: whether the last look has missed numbers too: while one goes and one comes, the count
            stays, so that what is new may have come long before.
        puzzled: whether the last look may have found a number that had been given away before.
    """

    def __init__(self) -> None:
        self.reserved: dict[int, int | None] = {}
        self.puzzled = False
        self.mixed = False
        self._pending = 0
        self._unplaced = 0  # numbers that lead nowhere, of which it is not known which they are
        self._counts = descriptors.counts()
        self._count = -1
        self._known: dict[int, Identity] = {}
        self._stacks: dict[int, tuple[Identity, Stack]] = {}

    def moved(self) -> bool:
        """Say whether a look is due."""
        if not self._counts or descriptors.count() != self._count:
            return True
        return bool(self.reserved) and any(map(descriptors.is_open, self.reserved))

    def look(self, *, closely: bool = False) -> list[int]:
        """Return the numbers that lead to something new.

        Args:
            closely: also notice another open file behind a number that was in use before.
        """
        self.puzzled = False
        listed = self._listed()
        gone = self._known.keys() - listed
        self.mixed = bool(gone)
        for fd in gone:
            del self._known[fd]
            self._stacks.pop(fd, None)
        asked = listed if closely else [fd for fd in listed if fd not in self._known]
        return sorted(fd for fd in asked if self._is_new(fd))

    def _listed(self) -> set[int]:
        for _ in range(_TRIES):
            total = descriptors.count() if self._counts else -1
            listed = set(descriptors.numbers(max(self._known, default=0)))
            if not self._counts or descriptors.count() == total:
                break
        self._count = total
        self._reserve(max(total - len(listed), 0), listed)
        return listed

    def _reserve(self, number: int, listed: set[int]) -> None:
        """Keep account of ``number`` numbers that lead nowhere: the kernel gives away the lowest.

        Which those are is lost when events were missed, or when a call has failed.
        """
        waiting = self.reserved.keys() - listed
        self._pending = number
        if len(waiting) + self._unplaced > number:
            for fd in waiting:
                del self.reserved[fd]
            self.puzzled, self._unplaced = True, number
        elif self._unplaced:
            self._unplaced = number - len(waiting)
        else:
            free = (fd for fd in itertools.count() if fd not in listed and fd not in waiting)
            self.reserved |= dict.fromkeys(itertools.islice(free, number - len(waiting)))

    def catch_up(self) -> None:
        """Take what there is for old: events were missed, and nobody knows who has made it."""
        before = set(self.reserved)
        self.look(closely=True)
        if self.puzzled or self.reserved.keys() != before or before & self._known.keys():
            self._unplaced, self.reserved = self._pending, {}

    def _is_new(self, fd: int) -> bool:
        try:
            identity = descriptors.identity(fd)
        except OSError:
            return False  # closed by another thread since it was listed
        if self._known.get(fd) == identity:
            return False
        self._known[fd] = identity
        self._stacks.pop(fd, None)
        return True

    def mode(self, fd: int) -> int:
        """Return the file type of a known number, as in ``st_mode``."""
        return self._known[fd][2]

    def note(self, fd: int, stack: Stack | None) -> None:
        """Say where a new number was made; unknown if nobody can tell."""
        if stack is not None:
            self._stacks[fd] = self._known[fd], stack

    def of(self, fd: int, identity: Identity | None = None) -> Stack | None:
        """Return where the open file behind a number was made, if it is still the one we know."""
        known, stack = self._stacks.get(fd, (None, None))
        if identity is None:  # asked for whatever is behind the number now
            return stack if known is not None and descriptors.same(fd, known) else None
        return stack if known == identity else None

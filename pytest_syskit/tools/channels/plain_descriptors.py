"""Blocking descriptors that code under test got, and that are closed with their end."""

from __future__ import annotations

from ...host.descriptors.descriptors import Identity, identity, same
from ...host.real import real


class PlainDescriptors:
    """Descriptors given to code that may close them, or has closed them long ago."""

    def __init__(self) -> None:
        self._given: dict[int, Identity] = {}

    def add(self, fd: int) -> int:
        """Remember a descriptor, and return it."""
        self._given[fd] = identity(fd)
        return fd

    def open_one(self) -> int | None:
        """Return one that is open still, or ``None``."""
        return next((fd for fd, known in self._given.items() if same(fd, known)), None)

    def close(self) -> None:
        """Close what is still what it was: a closed number may be another file's by now."""
        while self._given:
            fd, known = self._given.popitem()
            if same(fd, known):
                real.close(fd)

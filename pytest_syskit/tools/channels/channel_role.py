"""What an end is, and what a read is after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Role:
    """How an end is called, and what it may do.

    Attributes:
        channel: ``"fifo"``, ``"pipe"``, ``"socket"``, ``"pty"``.
        side: this end, such as ``"reader"``.
        other: the end that faces it.
        ending: a whole clause for the end of the stream.
        reads: whether it can read.
        writes: whether it can write.
    """

    channel: str
    side: str
    other: str
    ending: str
    reads: bool = True
    writes: bool = True

    def __str__(self) -> str:
        return f"{self.channel} {self.side}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a read is after.

    Attributes:
        name: such as ``"10 bytes"``.
        missing: how many bytes may be taken next; 0 when the read has what it wants.
        total: how many bytes are wanted, where that is known.
        to_the_end: whether the end of the stream is what is wanted.
    """

    name: str
    missing: Callable[[bytearray], int]
    total: int | None = None
    to_the_end: bool = False

"""Two ends that belong together, and are closed together."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from ...host.descriptors.stream import Stream
from .channel_end import ChannelEnd
from .channel_role import Role
from .deadline import Deadline, checked_seconds


class ChannelPair:
    """A reader, a writer, and whatever further ends were opened.

    Attributes:
        reader: gets what the writer sends.
        writer: sends what the reader gets.
        timeout: seconds that each call on an end may take unless it says otherwise.
    """

    reader: ChannelEnd
    writer: ChannelEnd

    def __init__(self, timeout: float) -> None:
        self.timeout = checked_seconds(timeout)
        self.ends: list[ChannelEnd] = []

    def add(self, role: Role, opener: Callable[[Deadline], Stream]) -> ChannelEnd:
        """Make one more end that is closed with the pair."""
        end = ChannelEnd(role, opener, timeout=self.timeout, facing=self.facing(role))
        self.ends.append(end)
        return end

    def facing(self, role: Role) -> Callable[[], list[ChannelEnd]]:
        """Return a function that lists the ends which face one of that role."""
        return lambda: [end for end in self.ends if end.role.side == role.other]

    def close(self) -> None:
        """Close all ends of this process; never blocks, and twice does no harm."""
        with ExitStack() as closing:  # every end gets its turn, though one should fail
            for end in self.ends:
                closing.callback(end.close, "its pair was closed")


def opened(stream: Stream) -> Callable[[Deadline], Stream]:
    """Return an opener for an end that is open already."""
    return lambda _limit: stream

"""Two connected UNIX stream sockets."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...host.descriptors.stream import SocketStream, socket_streams
from ...host.real import real
from .channel_end import DEFAULT_TIMEOUT, ChannelEnd
from .channel_pair import ChannelPair
from .channel_role import Role

_LEFT = Role("socket", "left end", "right end", "the right end was closed")
_RIGHT = Role("socket", "right end", "left end", "the left end was closed")


class SocketEnd(ChannelEnd):
    """One of the two; it reads and writes."""

    def __init__(
        self,
        role: Role,
        stream: SocketStream,
        timeout: float,
        facing: Callable[[], list[ChannelEnd]],
    ) -> None:
        super().__init__(role, lambda _limit: stream, timeout=timeout, facing=facing)
        self._socket_stream = stream
        self._copies: list[socket.socket] = []

    def finish_writing(self) -> None:
        """Tell the other end that nothing more will come; this one goes on reading."""
        self._writable(self._limit(None))
        self._socket_stream.finish_writing()

    def as_socket(self) -> socket.socket:
        """Return a blocking ``socket.socket`` of this end, for code that takes one.

        It is closed with this end.
        """
        copy = socket.socket(fileno=real.dup(self.fd))
        self._copies.append(copy)
        return copy

    def close(self, reason: str = "close() was called") -> None:
        """Close this process's descriptors; once is enough, twice does no harm."""
        for copy in self._copies:
            copy.close()
        super().close(reason)


class SocketPair(ChannelPair):
    """What :func:`socket_pair` gives; both ends read and write.

    Attributes:
        left: the same as ``.reader``.
        right: the same as ``.writer``.
    """

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout)
        left, right = socket_streams()
        self.left = self.reader = self._end(_LEFT, left)
        self.right = self.writer = self._end(_RIGHT, right)

    def _end(self, role: Role, stream: SocketStream) -> SocketEnd:
        end = SocketEnd(role, stream, self.timeout, self.facing(role))
        end.open()
        self.ends.append(end)
        return end


@contextmanager
def socket_pair(*, timeout: float = DEFAULT_TIMEOUT) -> Iterator[SocketPair]:
    """Connect two UNIX stream sockets whose ends never wait longer than ``timeout`` seconds.

    Both ends read and write: ``.left`` (also ``.reader``) and ``.right`` (also ``.writer``).
    ``end.finish_writing()`` closes one direction, ``end.as_socket()`` gives code under test a
    socket object and ``end.blocking()`` a plain descriptor, ``end.handed_over()`` gives the end to
    a child.  No network is involved, and plugins that forbid sockets do not mind.  Both ends are
    closed when the block ends.

    Raises:
        NotImplementedError: this platform has no such pairs (Windows).

    >>> with socket_pair() as pair:
    ...     _ = pair.left.write(b"ping")
    ...     _ = pair.right.write(pair.right.read_exactly(4).upper())
    ...     pair.left.read_exactly(4)
    b'PING'
    """
    pair = SocketPair(timeout)
    try:
        yield pair
    finally:
        pair.close()

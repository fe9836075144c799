"""Two ends of an anonymous pipe."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...host.descriptors.stream import pipe_streams
from .channel_end import DEFAULT_TIMEOUT
from .channel_pair import ChannelPair, opened
from .channel_role import Role

_READER = Role("pipe", "reader", "writer", "the writer was closed", writes=False)
_WRITER = Role("pipe", "writer", "reader", "the reader was closed", reads=False)


class PipePair(ChannelPair):
    """What :func:`pipe_pair` gives: ``.reader`` and ``.writer``, both open."""

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout)
        reading, writing = pipe_streams()
        self.reader = self.add(_READER, opened(reading)).open()
        self.writer = self.add(_WRITER, opened(writing)).open()


@contextmanager
def pipe_pair(*, timeout: float = DEFAULT_TIMEOUT) -> Iterator[PipePair]:
    r"""Make a pipe whose ends never wait longer than ``timeout`` seconds.

    Both ends are close-on-exec; lend one to a child with ``end.inheritable()``, or give it
    away with ``end.handed_over()``.  Code in this process that takes a plain, blocking descriptor
    gets ``end.blocking()``.  All are closed when the block ends.

    Raises:
        NotImplementedError: this platform cannot wait for a pipe (Windows).

    >>> with pipe_pair() as pair:
    ...     _ = pair.writer.write(b"spam\nham\n")
    ...     pair.reader.read_line(), pair.reader.read_exactly(2)
    (b'spam\n', b'ha')
    """
    pair = PipePair(timeout)
    try:
        yield pair
    finally:
        pair.close()

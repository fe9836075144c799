"""Send messages over a stream of bytes so that each arrives whole and by itself.

Exercise C13 stands on this.

 frame:  [ length, 4 bytes, most significant first ][ message ]

A pipe keeps no borders: two writes may arrive in one read, one write in two.  Traps: ``Spam 004``
and ``Spam 000`` read as one message; a length of four gigabytes, from a stream that is not ours,
which is believed; a writer that dies in the middle of a message, and the half of it that passes
for a whole.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from file_descriptors import write_all

LONGEST = 1 << 20  # bytes: far more than these examples send, far less than memory
_LENGTH = struct.Struct("!I")


class CutShort(EOFError):
    """The stream ended in the middle of a message."""


def frame(message: bytes) -> bytes:
    r"""Return the bytes that stand for a message.

    >>> frame(b"spam")
    b'\x00\x00\x00\x04spam'
    """
    return _LENGTH.pack(_checked(len(message))) + message


def send_message(fd: int, message: bytes) -> None:
    """Send a message; with several writers, those of up to ``PIPE_BUF`` bytes do not mix.

    Raises:
        BrokenPipeError: nobody reads any more.
        ValueError: it is longer than :data:`LONGEST`.
    """
    write_all(fd, frame(message))  # head and message in one write


def receive_messages(fd: int) -> Iterator[bytes]:
    """Yield each message until the end of the stream.

    Raises:
        CutShort: the stream ended in the middle of one.
        ValueError: what comes are no frames, or one is longer than :data:`LONGEST`.
    """
    while head := _read_exactly(fd, _LENGTH.size, or_nothing=True):
        yield _read_exactly(fd, _checked(*_LENGTH.unpack(head)))


def _checked(length: int) -> int:
    if length > LONGEST:
        raise ValueError(f"a message of {length} bytes; at most {LONGEST} are expected")
    return length


def _read_exactly(fd: int, size: int, *, or_nothing: bool = False) -> bytes:
    """Read so many bytes, in as many calls as it takes."""
    text = b""
    while len(text) < size:
        chunk = os.read(fd, size - len(text))
        if not chunk and or_nothing and not text:
            break
        if not chunk:
            raise CutShort(f"the stream ended after {len(text)} of {size} bytes")
        text += chunk
    return text

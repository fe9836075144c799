"""Memory that parent, child and all its descendants share.

It has no descriptor, so code that closes everything from 3 upwards, as daemons do, cannot lose it;
no limit on files reaches it; and writing to it wakes nobody up before the child has ended.

    byte 0          how far the child got (a Stage)
    byte 1          1 if a descendant escaped
    from 8          length of the child's message, then the message, if it fits
    from MESSAGES   slots of 224 bytes: a pid that escaped, and how it was found out
"""

from __future__ import annotations

import mmap
import struct
from enum import IntEnum

_SIZE = 1 << 16  # bytes; only pages that are written take memory
_LENGTH = struct.Struct("=Q")
_LENGTH_AT = 8
_MESSAGE_AT = _LENGTH_AT + _LENGTH.size
_SLOT = struct.Struct("=iH218s")  # pid, length, text
_TEXT = 218
_SLOTS = 16  # more children than that rarely escape from one function
_SLOTS_AT = _SIZE - _SLOTS * _SLOT.size

LARGEST = _SLOTS_AT - _MESSAGE_AT  # bytes of a message that fits


class Stage(IntEnum):
    """How far a child got."""

    STARTED = 0
    RUNNING = 1  # in the function
    DONE = 2  # the function is over, its result not sent yet
    SENT = 3  # the message is on its way, by memory or by pipe
    CUT_OFF = 4  # a message too large for the slate found its pipe closed: it is lost


class Slate:
    """The memory; made by the parent, closed by it at the end."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SIZE)

    @property
    def stage(self) -> Stage:
        """How far the child got; the child alone sets it."""
        return Stage(self._memory[0])

    @stage.setter
    def stage(self, stage: Stage) -> None:
        self._memory[0] = stage

    def store(self, message: bytes) -> bool:
        """Leave a message for the parent; ``False`` when it is too large."""
        if len(message) > LARGEST:
            return False
        self._memory[_MESSAGE_AT : _MESSAGE_AT + len(message)] = message
        # The length comes last: a child killed half-way has left no message.
        _LENGTH.pack_into(self._memory, _LENGTH_AT, len(message))
        return True

    def message(self) -> bytes:
        """Return the message, empty if there is none."""
        (length,) = _LENGTH.unpack_from(self._memory, _LENGTH_AT)
        return self._memory[_MESSAGE_AT : _MESSAGE_AT + length]

    def note_escape(self, pid: int, how: str) -> None:
        """Note that a descendant left the function; of two with the same slot the later remains."""
        self._memory[1] = 1
        text = how.encode("utf-8", "replace")[:_TEXT]
        _SLOT.pack_into(self._memory, _SLOTS_AT + pid % _SLOTS * _SLOT.size, pid, len(text), text)

    def escapes(self) -> list[tuple[int, str]]:
        """List the descendants that left the function."""
        if not self._memory[1]:
            return []
        slots = _SLOT.iter_unpack(self._memory[_SLOTS_AT:])
        return [(pid, text[:size].decode("utf-8", "replace")) for pid, size, text in slots if pid]

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()

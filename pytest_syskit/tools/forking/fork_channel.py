"""What joins a forked child to its parent.

    child                                        parent
      result ──── shared memory, up to 60 KB ──▶   read when the child has ended
             └─── pipe, if it is larger ───────▶   read meanwhile: magic, length, plain values
      stage, escapes ──── shared memory ───────▶
      fd 1, fd 2 ──────── files in memory ─────▶   read when the child has ended

Limits on file sizes reach neither memory nor pipe, and output files never fill up while nobody
reads.
Nobody waits for the end of the pipe: descendants may hold it.
"""

from __future__ import annotations

import os
import pickle
import stat
import struct
from typing import Any

from ...host.descriptors import memory_file
from ...host.real import real
from .fork_slate import Slate, Stage

_HEADER = struct.Struct("=4sQ")  # magic, length of what follows
_MAGIC = b"\x89SyK"  # tells our message from the words of a stranger with our descriptor's number
_CHUNK = 1 << 16  # bytes: the capacity of a pipe on Linux

Message = dict[str, Any]


class ForkChannel:
    """Made before the fork; each side then calls its ``…_side`` and uses its own methods."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._open: list[int] = []
        try:
            self.slate = Slate()
            self.reader, self._writer = map(self._keep, real.pipe())
            self.stdout = self._keep(memory_file.create("forked-stdout"))
            self.stderr = self._keep(memory_file.create("forked-stderr"))
        except BaseException:
            self._close_descriptors()
            raise
        self._identity = real.fstat(self._writer).st_ino

    def _keep(self, fd: int) -> int:
        """Note a descriptor to be closed; none may have a number that the child's streams take."""
        kept = _above_streams(fd)
        self._open.append(kept)
        return kept

    # The child's side:

    def child_side(self) -> None:
        """Keep only what the child needs: while it held the reader, writing could not fail."""
        real.close(self.reader)

    def outputs_taken(self) -> None:
        """Close the numbers of the output files, which are descriptors 1 and 2 now."""
        real.close(self.stdout)
        real.close(self.stderr)

    def send(self, message: Message) -> bool:
        """Send plain values; ``False`` when they are many and the function closed the way."""
        body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        sent = self.slate.store(body) or self._through_pipe(body)
        self.slate.stage = Stage.SENT if sent else Stage.CUT_OFF
        return sent

    def _through_pipe(self, body: bytes) -> bool:
        if not self._is_ours():
            return False
        view = memoryview(_HEADER.pack(_MAGIC, len(body)) + body)
        try:
            while view:
                view = view[real.write(self._writer, view) :]
        except OSError:
            return False  # the parent is gone
        return True

    def _is_ours(self) -> bool:
        """Say whether the number is still our pipe and not some file of the function."""
        try:
            facts = real.fstat(self._writer)
        except OSError:
            return False
        return facts.st_ino == self._identity and stat.S_ISFIFO(facts.st_mode)

    # The parent's side:

    def parent_side(self) -> None:
        """Keep only what the parent needs."""
        self._open.remove(self._writer)
        real.close(self._writer)
        real.set_blocking(self.reader, False)

    def take(self) -> bool:
        """Take in what has come, without waiting; ``False`` at the end of the pipe."""
        try:
            while chunk := real.read(self.reader, _CHUNK):
                self._received += chunk
        except BlockingIOError:
            return True
        return False

    def message(self) -> Message | None:
        """Return the child's message, or ``None`` if it did not send a whole one."""
        body = self.slate.message() or self._from_pipe()
        if not body:
            return None
        message: Message = pickle.loads(body)  # noqa: S301  # plain values from our own child
        return message

    def _from_pipe(self) -> bytes:
        if len(self._received) < _HEADER.size:
            return b""
        magic, length = _HEADER.unpack_from(self._received)
        body = bytes(self._received[_HEADER.size :])
        return body if magic == _MAGIC and len(body) == length else b""

    def output(self) -> tuple[str, str]:
        """Return what was written to descriptors 1 and 2."""
        return _text(self.stdout), _text(self.stderr)

    def close(self) -> None:
        """Let go of everything; may be called twice."""
        self._close_descriptors()
        self.slate.close()

    def _close_descriptors(self) -> None:
        while self._open:
            real.close(self._open.pop())


def _text(fd: int) -> str:
    r"""Decode so that everything can be printed again: bytes that are no UTF-8 as ``\xNN``."""
    return memory_file.content(fd).decode("utf-8", "backslashreplace")


def _above_streams(fd: int) -> int:
    """Move a descriptor out of 0, 1 and 2, which are free when the parent runs with them closed."""
    if fd > 2:  # noqa: PLR2004  # stderr
        return fd
    import fcntl  # noqa: PLC0415  # POSIX only

    moved: int = real.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    real.close(fd)
    return moved


def null_input() -> None:
    """Make descriptor 0 an empty input."""
    fd = real.open(os.devnull, os.O_RDONLY)
    if fd:
        real.dup2(fd, 0)
        real.close(fd)
    else:
        real.set_inheritable(0, True)

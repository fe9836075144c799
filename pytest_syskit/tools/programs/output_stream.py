"""The output of a running program, readable at any time.

    program ──write──▶ file without a name ◀──read── test

A file, not a pipe: it never fills up, so a program that writes much while nobody reads is never
blocked; no thread has to drain it, so the test process may still fork; and a daemon that keeps it
open holds nobody up.  The price: a program that opens ``/dev/stdout`` or ``/dev/stderr`` anew
truncates what the file had (as under ``program > log``).  What was read until then is kept.
And nothing slows a program down that floods its output: it is ended when a wait notices.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import tempfile
import uuid

from pytest_syskit.host.real import real

OUTPUT_LIMIT = 64 * 1024 * 1024  # bytes of one stream; a test that needs more writes a real file
_KNOWN = 64  # bytes; two pieces of output are hardly ever alike over that length
_CHUNK = 1 << 20  # bytes; large enough that one read is the rule


class OutputStream:
    """One output stream of a program.  Give ``write_fd`` to the program, then ``handed_over()``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
        self._offset = 0
        self._taken = 0
        self._known = b""
        self.write_fd, self._read_fd = _file_without_a_name()

    @property
    def text(self) -> str:
        """Everything written so far; bytes that are no UTF-8 show as hexadecimal escapes."""
        self._take_in()
        return self._text

    @property
    def too_long(self) -> bool:
        """Say whether more came than we are willing to hold; the rest is not read."""
        size = real.fstat(self._read_fd).st_size if self._read_fd >= 0 else 0
        return bool(max(size, self._taken) >= OUTPUT_LIMIT)

    def _take_in(self) -> None:
        if self._read_fd < 0:
            return
        while self._taken < OUTPUT_LIMIT and (chunk := self._next_chunk()):
            self._offset += len(chunk)
            self._taken += len(chunk)
            self._known = (self._known + chunk)[-_KNOWN:]
            self._text += self._decoder.decode(chunk)

    def _next_chunk(self) -> bytes:
        """Read on, beginning with bytes we know: if they changed, the file was truncated."""
        chunk = _read_at(self._read_fd, self._offset - len(self._known))
        if not chunk.startswith(self._known):
            self._offset, self._known = 0, b""
            return _read_at(self._read_fd, 0)
        return chunk[len(self._known) :]

    def handed_over(self) -> None:
        """Close our copy of the writing end."""
        if self.write_fd >= 0:
            real.close(self.write_fd)
            self.write_fd = -1

    def close(self) -> None:
        """Read what is left and let go of the file; the text remains."""
        self.handed_over()
        if self._read_fd >= 0:
            self._take_in()
            real.close(self._read_fd)
            self._read_fd = -1


def _read_at(fd: int, offset: int) -> bytes:
    """Read without moving a position that a forked child would share with us."""
    if hasattr(os, "pread"):
        return bytes(real.pread(fd, _CHUNK, offset))
    os.lseek(fd, offset, os.SEEK_SET)  # Windows: no pread, but no fork either
    return bytes(real.read(fd, _CHUNK))


def _file_without_a_name() -> tuple[int, int]:
    """Return the writing and the reading descriptor of a new file that nobody else can find."""
    path = os.path.join(tempfile.gettempdir(), f"syskit-output-{uuid.uuid4().hex}")
    common = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    create = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
    with contextlib.ExitStack() as undo:
        write_fd = real.open(path, create | common, 0o600)
        undo.callback(real.close, write_fd)
        try:
            read_fd = real.open(path, os.O_RDONLY | common)
        finally:
            with contextlib.suppress(PermissionError):  # Windows keeps the names of open files
                real.unlink(path)
        undo.pop_all()
    return write_fd, read_fd


def tail(stream: OutputStream, lines: int = 20, characters: int = 4096) -> str:
    """Return the end of a stream for a message, each line marked, with a count of the rest.

    The standard limits suit a message; a report may take more.
    """
    text = stream.text
    kept = text[-characters:].splitlines()[-lines:]
    total = len(text.splitlines())
    if not kept:
        return f"{stream.name}: nothing"
    count = f"{total} line{'s' if total != 1 else ''}"
    extent = f"last {len(kept)} of {count}" if len(kept) < total else count
    return "\n".join([f"{stream.name}, {extent}:", *(f"  | {line}" for line in kept)])

"""Words that an escaped child leaves for its parent before it goes.

The file is made by the first child that escapes, at a path that only the parent and its forks know;
each record is one line, written at once.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from dataclasses import dataclass

from ..real import read_file, real


@dataclass(frozen=True, slots=True)
class Escape:
    """One child that came back into pytest.

    Attributes:
        test: node id of the test that was running when it was forked.
        pid: its pid.
        how: ``returned``, or ``raised ValueError: …``.
        forked_at: the line that called ``fork``.
    """

    test: str
    pid: int
    how: str
    forked_at: str


class EscapeRecord:
    """The file, from both sides."""

    def __init__(self) -> None:
        name = f"syskit-escape-{real.getpid()}-{secrets.token_hex(8)}"
        self._path = os.path.join(tempfile.gettempdir(), name)
        self._read = 0

    def write(self, escape: Escape) -> None:
        """Leave one record; a child that may not write here is known by its exit status alone."""
        line = json.dumps([escape.test, escape.pid, escape.how, escape.forked_at]) + "\n"
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        try:
            fd = real.open(self._path, flags, 0o600)
            real.write(fd, line.encode())
            real.close(fd)
        except OSError:
            return  # chroot, another user, a full disk: nothing better can be done in this child

    def read(self) -> list[Escape]:
        """Return the records that came since the last call."""
        try:
            lines = read_file(self._path).decode().splitlines()
        except OSError:
            return []  # nobody has escaped
        fresh, self._read = lines[self._read :], len(lines)
        return [Escape(*json.loads(line)) for line in fresh]

    def remove(self) -> None:
        """Remove the file."""
        try:
            os.unlink(self._path)
        except OSError:
            return  # it was never made

"""What ``TempWorkspace.populate`` can put into a directory, as values.

A plain ``str`` or ``bytes`` is a file of mode 0644, a ``dict`` is a directory of mode 0755; these
are the rest.  Modes are exact, whatever the umask: the workspace around them is private anyway.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, TypeAlias

_MODES = 0o7777  # all permission bits, set-id and sticky included


def wrong_mode(mode: object) -> str | None:
    """Say what is wrong with a mode, or ``None``."""
    if isinstance(mode, int) and not isinstance(mode, bool) and 0 <= mode <= _MODES:
        return None
    return f"mode={mode!r} is no mode: an int from 0 to 0o7777 is allowed"


def _wrong_time(name: str, seconds: Any) -> str | None:
    if seconds is None:
        return None
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if number and math.isfinite(seconds):
        return None
    return f"{name}={seconds!r} is no time: seconds since the epoch (int or float) are allowed"


def _wrong_content(content: object) -> str | None:
    if isinstance(content, (str, bytes)):
        return None
    return f"its content is {content!r}: str or bytes is allowed"


def _wrong_target(target: object) -> str | None:
    if not isinstance(target, (str, bytes)) and not hasattr(target, "__fspath__"):
        return f"its target is {target!r}: a str, bytes or path is allowed"
    return None


@dataclass(frozen=True, slots=True)
class File:
    """A regular file.

    Args:
        content: written as it is; text as UTF-8, line ends untouched.
        mode: permission bits.
        mtime: time of last modification in seconds since the epoch; ``None`` means now.
        atime: time of last access; ``None`` means the same as ``mtime``.
    """

    content: str | bytes = ""
    mode: int = 0o644
    mtime: float | None = None
    atime: float | None = None

    def wrong(self) -> str | None:
        """Say what is wrong with these values, or ``None``."""
        return (
            _wrong_content(self.content)
            or wrong_mode(self.mode)
            or _wrong_time("mtime", self.mtime)
            or _wrong_time("atime", self.atime)
        )


@dataclass(frozen=True, slots=True)
class Executable:
    """A program: a file that may be run.

    Args:
        content: the script.  Text without a ``#!`` line is a shell script and gets ``#!/bin/sh``;
            bytes are written as they are.
        mode: permission bits.
    """

    content: str | bytes
    mode: int = 0o755

    def wrong(self) -> str | None:
        """Say what is wrong with these values, or ``None``."""
        return _wrong_content(self.content) or wrong_mode(self.mode)

    def as_file(self) -> File:
        """Return the file that this is in the end."""
        if isinstance(self.content, str) and not self.content.startswith("#!"):
            return File(f"#!/bin/sh\n{self.content}", self.mode)
        return File(self.content, self.mode)


PathText: TypeAlias = "str | bytes | os.PathLike[str] | os.PathLike[bytes]"


@dataclass(frozen=True, slots=True)
class Symlink:
    """A symbolic link; the target is stored as it is and may be anything, existing or not."""

    target: PathText

    def wrong(self) -> str | None:
        """Say what is wrong with these values, or ``None``."""
        if wrong := _wrong_target(self.target):
            return wrong
        text = os.fsdecode(self.target)
        if not text or "\0" in text:
            return f"its target is {text!r}: a link needs a target, without NUL"
        return None


@dataclass(frozen=True, slots=True)
class HardLink:
    """A second name of a file in the same workspace.

    Args:
        target: path relative to the workspace, of a file that exists or that the same ``populate``
            makes (in any order).
    """

    target: PathText

    def wrong(self) -> str | None:
        """Say what is wrong with these values, or ``None``."""
        return _wrong_target(self.target)


@dataclass(frozen=True, slots=True)
class Fifo:
    """A named pipe."""

    mode: int = 0o600

    def wrong(self) -> str | None:
        """Say what is wrong with these values, or ``None``."""
        return wrong_mode(self.mode)


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """What a server that died leaves behind: a socket file nobody listens on (``ECONNREFUSED``)."""

    mode: int = 0o600

    def wrong(self) -> str | None:
        """Say what is wrong with these values, or ``None``."""
        return wrong_mode(self.mode)


Entry: TypeAlias = "File | Executable | Symlink | HardLink | Fifo | UnixSocket"
ENTRIES = (File, Executable, Symlink, HardLink, Fifo, UnixSocket)

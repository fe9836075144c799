"""Collect what the ``sys`` library knows about the interpreter that runs this.

Exercise A2.  Executable, version, arguments, module path, platform, byte order, recursion limit and
the encodings of the standard streams, as one typed record.  The traps it avoids: streams that are
``None`` (a program started without them) or that were replaced by something without an encoding.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InterpreterFacts:
    """The interpreter and the process as ``sys`` sees them.

    Attributes:
        executable: the interpreter's path; empty if it cannot tell.
        version: major, minor and micro number.
        implementation: ``cpython``, ``pypy``, …
        argv: the script and its arguments.
        path: where modules are looked for, in this order.
        platform: such as ``linux`` or ``win32``.
        byteorder: ``little`` or ``big``.
        recursion_limit: calls that may be open at once.
        file_encoding: the encoding of file names.
        stream_encodings: of stdin, stdout and stderr; ``None`` where there is none.
    """

    executable: str
    version: tuple[int, int, int]
    implementation: str
    argv: tuple[str, ...]
    path: tuple[str, ...]
    platform: str
    byteorder: str
    recursion_limit: int
    file_encoding: str
    stream_encodings: tuple[str | None, str | None, str | None]


def interpreter_facts() -> InterpreterFacts:
    """Ask ``sys``, now."""
    return InterpreterFacts(
        executable=sys.executable or "",
        version=sys.version_info[:3],
        implementation=sys.implementation.name,
        argv=tuple(sys.argv),
        path=tuple(sys.path),
        platform=sys.platform,
        byteorder=sys.byteorder,
        recursion_limit=sys.getrecursionlimit(),
        file_encoding=sys.getfilesystemencoding(),
        stream_encodings=(_encoding(sys.stdin), _encoding(sys.stdout), _encoding(sys.stderr)),
    )


def _encoding(stream: object) -> str | None:
    return getattr(stream, "encoding", None)

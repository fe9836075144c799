"""Look environment variables up: required, with a default, or as the bytes they are.

Exercise A10.  The traps it avoids: a missing variable that becomes the text ``None`` or a bare
``KeyError``; an empty variable mistaken for a missing one; a value that is no text in the file
system's encoding and breaks when it is printed.
"""

from __future__ import annotations

import os


class MissingVariable(LookupError):
    """A variable that the program needs is not set."""

    def __init__(self, name: str) -> None:
        super().__init__(f"environment variable {name!r} is not set; set it and start again")
        self.name = name


def get_variable(name: str, default: str | None = None) -> str | None:
    """Return a variable, or the default if it is not set; an empty one is set."""
    return os.environ.get(name, default)


def require_variable(name: str) -> str:
    """Return a variable that must be there.

    Raises:
        MissingVariable: it is not; names it.
    """
    try:
        return os.environ[name]
    except KeyError:
        raise MissingVariable(name) from None


def variable_bytes(name: str) -> bytes | None:
    """Return the bytes of a variable, or ``None``; any value can be had this way (POSIX)."""
    value = os.environ.get(name)
    return None if value is None else os.fsencode(value)


def printable_variable(name: str) -> str | None:
    r"""Return a variable as text that can be printed; bytes that are no text become ``\xNN``."""
    value = variable_bytes(name)
    return None if value is None else value.decode("utf-8", "backslashreplace")

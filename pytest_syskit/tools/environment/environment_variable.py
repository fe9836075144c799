"""One variable of the environment: checked, written, and followed by what depends on it."""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress


def write_variable(name: str, value: str | None) -> None:
    """Set a variable, or remove it with None, and let what depends on it follow."""
    if value is None:
        del os.environ[name]
    else:
        os.environ[name] = value
    if name in {"TZ", "TMPDIR"}:
        follow()


def follow(tempdir: str | None = None) -> None:
    """Let what Python and the C library remember of the environment follow it."""
    tempfile.tempdir = tempdir
    with suppress(AttributeError):  # Windows has no tzset
        time.tzset()


def check_variable(where: str, name: object) -> str:
    """Return the name of a variable.

    Raises:
        TypeError, ValueError: no environment can hold it; ``where`` begins the message.
    """
    if not isinstance(name, str):
        raise TypeError(f"{where}: the name of a variable is text, not {name!r}")
    if not name or "=" in name or "\0" in name:
        raise ValueError(
            f"{where}: {name!r} cannot name a variable; a name has at least one character, "
            "and no '=' or NUL"
        )
    return name


def check_value(where: str, name: str, value: object) -> str:
    """Return the value of a variable as text.

    Raises:
        TypeError, ValueError: no environment can hold it; ``where`` begins the message.
    """
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str):
        raise TypeError(f"{where}: the value of {name} is {value!r}; it takes text or a path")
    if "\0" in value:
        raise ValueError(f"{where}: the value of {name} is {value!r}; it cannot hold a NUL")
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        raise ValueError(f"{where}: the value of {name} is {value!r}, which has no bytes") from None
    return value

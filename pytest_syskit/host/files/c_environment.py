"""The environment as C code and children see it, which ``os.environ`` only copies.

``os.environ`` is filled when Python starts.  What a C library sets later never shows there:
readline sets LINES and COLUMNS, and every child inherits them.
"""

from __future__ import annotations

import ctypes

from .. import libc


def c_environment() -> dict[bytes, bytes]:
    """Return names and values; empty on a platform that does not show its table (Windows)."""
    try:
        table = _table()
    except (AttributeError, OSError, TypeError, ValueError):
        return {}  # no such symbol, or no C library that is opened by no name
    found: dict[bytes, bytes] = {}
    index = 0
    while table and (entry := table[index]) is not None:
        name, equals, value = entry.partition(b"=")
        if equals and name:
            found.setdefault(name, value)  # getenv finds the first of two
        index += 1
    return found


def _table() -> ctypes._Pointer[ctypes.c_char_p]:
    """Return the array of ``NAME=value``, ended by a null pointer (environ(7))."""
    array = ctypes.POINTER(ctypes.c_char_p)
    if hasattr(libc.library(), "_NSGetEnviron"):  # macOS hides `environ` from shared libraries
        get = libc.library()._NSGetEnviron  # noqa: SLF001  # the name of a C function
        get.restype = ctypes.POINTER(array)
        return get().contents  # type: ignore[no-any-return]  # ctypes knows no more
    return array.in_dll(libc.library(), "environ")

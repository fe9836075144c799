"""waitid(2) without the exception that is its usual answer.

``os.waitid`` says that there is no child by raising, which costs twice as much as all the rest.
The C function answers -1, and where the call exists there is no other reason: it never waits, and
takes nothing away.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from . import children

_ROOM = 128  # bytes: a siginfo_t on Linux, where it is largest
_NONE = -1


@functools.cache
def quick_childless() -> Callable[[], bool]:
    """Return what says whether this process has no children, running or ended.

    It keeps the interpreter's lock, which other threads would not give back before their turn ends.
    """
    import ctypes  # noqa: PLC0415  # for runs that have tests

    if not children.KEEP:
        return children.none  # a platform without waitid
    try:
        function: Any = ctypes.PyDLL(None)["waitid"]
    except (AttributeError, OSError, TypeError):
        return children.none
    room = ctypes.create_string_buffer(_ROOM)
    question = (children.ALL, 0, room, children.KEEP)
    return lambda: bool(function(*question) == _NONE)

"""Python objects that own a descriptor or a process, and close or end it when they go.

Only types of the standard library are asked, by their own methods: asking any object would run the
code of users.  Even ``isinstance`` does, for it asks an object for its ``__class__``; a fake module
that pyfakefs left behind raises then.
"""

from __future__ import annotations

import sys
from io import FileIO
from typing import TypeGuard, TypeVar

Kind = TypeVar("Kind")

# module -> type: looked up where the module was imported already, so that asking imports nothing
_DESCRIPTOR_TYPES = (
    ("_socket", "socket"),
    ("select", "epoll"),
    ("select", "kqueue"),
    ("multiprocessing.connection", "_ConnectionBase"),
)
_PROCESS_TYPES = (
    ("subprocess", "Popen"),
    ("multiprocessing.process", "BaseProcess"),
)


def is_a(each: object, *kinds: type[Kind]) -> TypeGuard[Kind]:
    """Say whether an object is of one of the types, without asking the object."""
    return issubclass(type(each), kinds)


def descriptor_of(each: object) -> int | None:
    """Return the open descriptor that an object owns, or ``None``."""
    if not is_a(each, FileIO) and not _is_one_of(each, _DESCRIPTOR_TYPES):
        return None
    try:
        fd: int = each.fileno()  # type: ignore[attr-defined]  # every type above has it
    except (OSError, ValueError):
        return None  # closed
    return fd if fd >= 0 else None


def process_of(each: object) -> int | None:
    """Return the process that an object waits for, or ``None``."""
    if not _is_one_of(each, _PROCESS_TYPES):
        return None
    return getattr(each, "pid", None)


def _is_one_of(each: object, names: tuple[tuple[str, str], ...]) -> bool:
    kind = type(each)
    for module, name in names:
        owner = getattr(sys.modules.get(module), name, None)
        if isinstance(owner, type) and issubclass(kind, owner):
            return True
    return False

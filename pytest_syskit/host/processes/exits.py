"""The calls by which a process leaves without a word, and who makes them.

``os._exit`` ends the interpreter at once and ``exec`` puts another program in its place: no
finaliser, no summary, and an exit status of the caller's choice.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

# execl, execlp, execvp and their like all end in one of these three.
DOORS = ("_exit", "execv", "execve")

Refuse = Callable[[str, FrameType], None]


class Doors:
    """Stands before the doors between :meth:`watch` and :meth:`restore`."""

    def __init__(self, refuse: Refuse) -> None:
        self._refuse = refuse
        self._watched: dict[str, tuple[Any, Any]] = {}

    def watch(self) -> None:
        """Let ``refuse(call, caller)`` be asked before each call; it raises to shut the door."""
        for name in DOORS:
            original = getattr(os, name, None)
            if original is not None:
                stand_in = self._stand_in(name, original)
                self._watched[name] = original, stand_in
                setattr(os, name, stand_in)

    def restore(self) -> None:
        """Put the calls back, where nobody has replaced ours meanwhile."""
        for name, (original, stand_in) in self._watched.items():
            if getattr(os, name) is stand_in:
                setattr(os, name, original)

    def _stand_in(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._refuse(_spelled(name, args), sys._getframe(1))  # noqa: SLF001  # the caller
            return original(*args, **kwargs)

        return watched


def _spelled(name: str, args: tuple[object, ...]) -> str:
    return f"os.{name}({', '.join(map(repr, args[:2]))})"

"""Where in the code this process was forked from its parent."""

from __future__ import annotations

import os
import sys
from types import FrameType


class ForkPlace:
    """Remembers, in a forked child, the line that called ``fork``.

    Attributes:
        text: ``path:line in function`` of the innermost frame outside this package; empty in a
            process that was not forked by Python code.
    """

    def __init__(self) -> None:
        self.text = ""

    def note(self) -> None:
        """Run in the child after each fork."""
        frame: FrameType | None = sys._getframe()  # noqa: SLF001  # the only way to one's caller
        while frame is not None and frame.f_globals.get("__name__", "").startswith("pytest_syskit"):
            frame = frame.f_back
        self.text = place_of(frame)


def place_of(frame: FrameType | None) -> str:
    """Name a frame as ``path:line in function``; empty for none."""
    if frame is None:
        return ""
    return f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_name}"


PLACE = ForkPlace()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=PLACE.note)

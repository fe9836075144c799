"""Where code is, said for the person who wrote it."""

from __future__ import annotations

import os
from types import FrameType

# Files of the standard library, and of what is installed; neither is where one begins to look.
_STANDARD = os.path.dirname(os.__file__) + os.sep
_INSTALLED = f"{os.sep}site-packages{os.sep}"


def place_in_code(innermost: FrameType | None) -> str | None:
    """Name the innermost line of the user's own code, and the library function that it is in."""
    if innermost is None:
        return None
    frame: FrameType | None = innermost
    while frame is not None and _is_library(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None or frame is innermost:
        return _place(innermost, innermost.f_code.co_filename)
    library = _place(innermost, os.path.basename(innermost.f_code.co_filename))
    return f"{_place(frame, frame.f_code.co_filename)}, inside {library}"


def _is_library(path: str) -> bool:
    return path.startswith((_STANDARD, "<frozen")) or _INSTALLED in path


def _place(frame: FrameType, path: str) -> str:
    return f"{path}:{frame.f_lineno} in {frame.f_code.co_name}"

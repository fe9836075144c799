"""The frames of a stack that a user would call theirs."""

from __future__ import annotations

import functools
import os
import sysconfig
from collections.abc import Iterator
from types import FrameType

_DEEPEST = 10  # lines kept, the innermost: they tell who did it, the rest tells how one got there
_WALK = 200  # frames looked at: a recursion that is deeper says nothing more
_RUNNER = ("_pytest", "pluggy", "xdist", "execnet")  # what is farther out set up the scene
_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_PATHS = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
_LIBRARIES = tuple(path + os.sep for path in _PATHS if path)
_START = os.getcwd()


def lines_of(frame: FrameType | None) -> tuple[str, ...]:
    """Return ``path:line in function`` of a user's frames, innermost last.

    Frames of the standard library, of installed packages and of this plugin are left out; if no
    other is there, the innermost of those libraries stays.
    """
    frames = list(_as_far_as_the_runner(frame))
    theirs = [each for each in frames if _is_users(each.f_code.co_filename)]
    others = [each for each in frames if not each.f_code.co_filename.startswith(_OURS)]
    return tuple(map(_line, reversed((theirs or others[:1])[:_DEEPEST])))


def _as_far_as_the_runner(frame: FrameType | None) -> Iterator[FrameType]:
    for _ in range(_WALK):
        if frame is None or _module(frame).partition(".")[0] in _RUNNER:
            return
        yield frame
        frame = frame.f_back


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


@functools.lru_cache(maxsize=4096)
def _is_users(path: str) -> bool:
    return not os.path.normpath(path).startswith((_OURS, "<frozen", *_LIBRARIES))


def _line(frame: FrameType) -> str:
    code = frame.f_code
    return f"{_shown(code.co_filename)}:{frame.f_lineno} in {code.co_name}"


@functools.lru_cache(maxsize=4096)
def _shown(path: str) -> str:
    """Shorten a path below the directory in which the run began, or below that of a library."""
    for folder in sorted((*_LIBRARIES, _START + os.sep), key=len, reverse=True):
        if path.startswith(folder):
            return path.removeprefix(folder)
    return path


def place_of_function(function: object) -> str:
    """Return ``path:line`` of a Python function or method; empty for everything else."""
    inner = getattr(function, "__func__", function)
    code = getattr(getattr(inner, "__wrapped__", inner), "__code__", None)
    return f"{_shown(code.co_filename)}:{code.co_firstlineno}" if code is not None else ""

"""Stacks as the user of this process would tell them, for whoever knows of no run of tests."""

from __future__ import annotations

import functools
import os
import sys
from types import FrameType

from .code_places import Places

_RUNNERS = ("_pytest", "pluggy", "xdist", "execnet")  # what is farther out set up the scene
_START = os.getcwd()  # paths are told relative to where the run began


@functools.cache
def _places() -> Places:
    files = [getattr(sys.modules.get(name), "__file__", None) for name in _RUNNERS]
    return Places(_START, [os.path.dirname(file) for file in files if file])


def lines_of(frame: FrameType | None) -> tuple[str, ...]:
    """Return ``path:line in function`` of a user's frames, innermost last.

    Frames of the standard library, of installed packages and of this plugin are left out; if no
    other is there, those of the libraries stay.
    """
    return _places().tell(frame) or ()


def place_of_function(function: object) -> str:
    """Return ``path:line`` of a Python function or method; empty for everything else."""
    return _places().of_function(function)

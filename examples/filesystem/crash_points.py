"""Kill a function at each of its steps in turn, to see what a crash leaves behind.

For the crash tests of D16, D17 and D21.  A step is a call from Python into C that can change
something: ``open``, ``write``, ``fsync``, ``rename``, ``unlink``, ….  For step 0, 1, 2, … a forked
child runs the function and kills itself with SIGKILL right before that step, until it comes
through.  Nothing of Python's own cleaning runs, as in a power cut; but the kernel's buffers
survive, so whether ``fsync`` was called in the right order is asserted with ``steps_of``.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from pytest_syskit import ForkRunner, Killed, Returned

# They only look, or live in memory: a crash before them is the same as one before the next step.
_LOOKS = {"fspath", "fsencode", "fsdecode", "stat", "lstat", "fstat", "listdir", "scandir"}
_MODULES = {"posix", "fcntl"}
_WRITES = {"write", "flush", "close", "__exit__"}


def killed_at_each_step(
    runner: ForkRunner, prepare: Callable[[], object], function: Callable[[], object]
) -> Iterator[str]:
    """Yield the name of each step, with the world as a crash right before it leaves it.

    The last one is ``"nothing"``: the function came through.

    Args:
        runner: forks.
        prepare: makes the world as it is before; called for every step.
        function: what is killed.
    """
    for step in itertools.count():
        prepare()
        result = runner.run(_die_before, step, function)
        if isinstance(result, Returned):
            yield "nothing"
            return
        assert result == Killed(signal.SIGKILL), result
        yield result.stdout


def steps_of(function: Callable[[], object]) -> list[str]:
    """Call a function and return the names of its steps in order."""
    steps: list[str] = []
    _watched(function, steps.append)
    return steps


def _die_before(step: int, function: Callable[[], object]) -> None:
    left = itertools.count(step, -1)

    def die(name: str) -> None:
        if next(left) == 0:
            os.write(1, name.encode())
            os.kill(os.getpid(), signal.SIGKILL)

    _watched(function, die)


def _watched(function: Callable[[], object], note: Callable[[str], object]) -> None:
    def profile(_frame: FrameType, event: str, callee: Any) -> None:
        if event == "c_call" and _is_step(callee):
            note(callee.__name__)

    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(None)


def _is_step(callee: Any) -> bool:
    if callee.__module__ in _MODULES:
        return callee.__name__ not in _LOOKS
    return callee.__name__ in _WRITES and hasattr(getattr(callee, "__self__", None), "fileno")

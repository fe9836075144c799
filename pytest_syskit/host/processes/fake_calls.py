"""Whether ``subprocess`` works, which keeps no true functions of its own."""

from __future__ import annotations

from subprocess import Popen

from ..real import real

ADVICE = (
    "os.read is replaced, and subprocess needs the true one; under pyfakefs start programs before, "
    "or between fs.pause() and fs.resume()"
)


def subprocess_is_fooled() -> bool:
    """Say whether ``subprocess`` would start a program and yet call it missing."""
    return Popen.__init__.__globals__["os"].read is not real.read

"""Asking a Python process that hangs where it hangs.

A real-time signal makes the process write the stacks of all its threads, even while C code holds
the interpreter.  Nobody else uses the signal, so tests of ordinary signals are not disturbed.
"""

from __future__ import annotations

import faulthandler
import signal

from ..real import real
from . import child_signals

# Some way below the last one, which tools such as valgrind keep for themselves.
_SIGNAL = signal.SIGRTMAX - 7 if hasattr(signal, "SIGRTMAX") else None
_LOOKS = 50
_PAUSE = 0.002  # seconds; a trace of a few threads is written within one or two


def install(fd: int) -> None:
    """Be ready to write stacks to ``fd``."""
    if _SIGNAL is not None:
        faulthandler.register(_SIGNAL, file=fd, all_threads=True)


def request(pid: int, fd: int) -> None:
    """Make a process that called :func:`install` write its stacks; wait until ``fd`` has grown.

    Waits a tenth of a second at most: a process that is stopped, or has become another program by
    ``exec``, answers nothing.
    """
    if _SIGNAL is None or not child_signals.catches(pid, _SIGNAL):
        return  # it became another program, which the signal would end
    size = real.fstat(fd).st_size
    try:
        real.kill(pid, _SIGNAL)
    except ProcessLookupError:
        return  # ended just now
    for _ in range(_LOOKS):
        if real.fstat(fd).st_size > size:
            real.sleep(_PAUSE)  # the rest of it
            return
        real.sleep(_PAUSE)

"""Read the 16-bit word in which the kernel says how a child process ended, or that it only stopped.

Exercises B11, B14 and B15.  The word is no exit code: ``status >> 8`` calls a child that was killed
a success, and ``status & 0xFF`` calls a child that failed one.  So every part of it has its name
here.

 exited     [ exit code : 8 ][ 0000 0000 ]
 killed     [ 0000 0000     ][ core : 1 | signal : 7 ]
 stopped    [ signal : 8    ][ 0111 1111 ]
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChildStatus:
    """What became of a child; exactly one of the first four says it.

    Attributes:
        exit_code: what it passed to ``exit``, 0 to 255.
        killed_by: the signal that ended it.
        stopped_by: the signal that stopped it; it still exists.
        continued: it goes on after a stop.
        core_dumped: the kernel wrote a core file when the signal ended it.
    """

    exit_code: int | None = None
    killed_by: int | None = None
    stopped_by: int | None = None
    continued: bool = False
    core_dumped: bool = False

    @property
    def succeeded(self) -> bool:
        """Say whether it ended by itself with status 0."""
        return self.exit_code == 0

    @property
    def has_ended(self) -> bool:
        """Say whether it is gone; a stopped child is not."""
        return self.exit_code is not None or self.killed_by is not None

    def __str__(self) -> str:
        """Say it in words that follow "the child"."""
        if self.exit_code is not None:
            return f"exited with status {self.exit_code}"
        if self.killed_by is not None:
            dumped = " (core dumped)" if self.core_dumped else ""
            return f"was killed by {signal_name(self.killed_by)}{dumped}"
        if self.stopped_by is not None:
            return f"was stopped by {signal_name(self.stopped_by)}"
        return "was continued"


def decode(status: int) -> ChildStatus:
    """Take apart a status word as ``os.wait``, ``os.waitpid`` and ``os.system`` return it.

    Raises:
        ValueError: this is no such word.
    """
    if os.WIFEXITED(status):
        return ChildStatus(exit_code=os.WEXITSTATUS(status))
    if os.WIFSIGNALED(status):
        return ChildStatus(killed_by=os.WTERMSIG(status), core_dumped=os.WCOREDUMP(status))
    # Asked before "stopped": for some systems a continued child is a special kind of stopped one.
    if os.WIFCONTINUED(status):
        return ChildStatus(continued=True)
    if os.WIFSTOPPED(status):
        return ChildStatus(stopped_by=os.WSTOPSIG(status))
    raise ValueError(f"{status!r} is no status word of a child")


def signal_name(number: int) -> str:
    """Name a signal; real-time signals in the middle of their range have a number only."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"

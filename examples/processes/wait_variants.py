"""Wait for a child in each of the ways there are, and read what each of them tells.

Exercise B15.

================  =====================================================================
``waitpid``       one given child; with WNOHANG it looks and does not wait
``wait3, wait4``  any or one child, with the processor time and memory that it used
``waitid``        can look without taking the status (WNOWAIT), so the child stays a zombie
WUNTRACED         also tells of children that a signal stopped
WCONTINUED        also tells of children that go on
================  =====================================================================

Traps.  (0, 0) from a WNOHANG call means "still running", not "ended with 0".  A stopped child has
not ended, and has to be waited for again.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wait_status import ChildStatus, decode


@dataclass(frozen=True, slots=True)
class Usage:
    """What a child, and the children it waited for, used.

    Attributes:
        user_seconds: processor time in the program itself.
        system_seconds: processor time in the kernel on its behalf.
        peak_memory: its largest resident size: KiB on Linux and BSD, bytes on macOS.
    """

    user_seconds: float
    system_seconds: float
    peak_memory: int


def wait_in_order(pids: Sequence[int]) -> list[ChildStatus]:
    """Wait for given children, in this order, whichever ends first."""
    return [decode(os.waitpid(pid, 0)[1]) for pid in pids]


def look(pid: int) -> ChildStatus | None:
    """Return how a child ended, or ``None`` while it runs; never waits.

    Raises:
        ChildProcessError: no child of ours, or its status was taken before.
    """
    found, word = os.waitpid(pid, os.WNOHANG)
    return decode(word) if found else None


def wait_for_any_with_usage() -> tuple[int, ChildStatus, Usage]:
    """Wait for whichever child ends next; return pid, status and usage."""
    pid, word, used = os.wait3(0)
    return pid, decode(word), _usage(used)


def wait_with_usage(pid: int) -> tuple[ChildStatus, Usage]:
    """Wait for a given child; return status and usage."""
    _, word, used = os.wait4(pid, 0)
    return decode(word), _usage(used)


def _usage(used: resource.struct_rusage) -> Usage:
    return Usage(used.ru_utime, used.ru_stime, used.ru_maxrss)


def peek(pid: int, *, wait: bool = False) -> ChildStatus | None:
    """Return how a child ended and leave the status for whoever waits for it.

    Args:
        pid: the child.
        wait: wait until it has ended; without, ``None`` means that it runs.

    Raises:
        ChildProcessError: no child of ours, or its status was taken before.
    """
    options = os.WEXITED | os.WNOWAIT | (0 if wait else os.WNOHANG)
    seen = os.waitid(os.P_PID, pid, options)
    return None if seen is None else from_waitid(seen)


def from_waitid(seen: os.waitid_result) -> ChildStatus:
    """Read the result of ``os.waitid``, where code and value are apart already."""
    value = seen.si_status
    if seen.si_code == os.CLD_EXITED:
        return ChildStatus(exit_code=value)
    if seen.si_code == os.CLD_CONTINUED:
        return ChildStatus(continued=True)
    if seen.si_code in (os.CLD_STOPPED, os.CLD_TRAPPED):
        return ChildStatus(stopped_by=value)
    return ChildStatus(killed_by=value, core_dumped=seen.si_code == os.CLD_DUMPED)


def changes(pid: int) -> Iterator[ChildStatus]:
    """Yield each stop, each continuation, and at last the end of a child."""
    while True:
        status = decode(os.waitpid(pid, os.WUNTRACED | os.WCONTINUED)[1])
        yield status
        if status.has_ended:
            return

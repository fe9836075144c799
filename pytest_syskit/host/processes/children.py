"""The children of this process: whether there are any, which, and what they are.

Asking whether there is any child at all costs a microsecond (``waitid`` answers ECHILD), so a
suite without children pays nothing.  Linux lists children in ``/proc``; elsewhere psutil looks
through all processes.
"""

from __future__ import annotations

import functools
import os
import time
from dataclasses import dataclass

from .. import capabilities
from ..real import real
from . import proc

# How to ask waitid about all children without waiting and without taking anything away.
ALL = getattr(os, "P_ALL", 0)
KEEP = os.WEXITED | os.WNOHANG | os.WNOWAIT if hasattr(os, "WNOWAIT") else 0


@dataclass(frozen=True, slots=True)
class Child:
    """One child process; ``started`` and ``pid`` together name it for ever.

    Attributes:
        state: ``running``, ``stopped`` or ``zombie``.
        session: its session id, or -1 if unknown.
        command: its short name, which survives the end of the process.
    """

    pid: int
    started: float
    state: str
    session: int
    command: str


def none() -> bool:
    """Say whether this process has no children, running or ended; never reaps.

    ``False`` where the platform cannot tell cheaply.
    """
    if not KEEP:
        return False
    try:
        real.waitid(ALL, 0, KEEP)
    except ChildProcessError:
        return True
    return False


@functools.cache
def fast() -> bool:
    """Say whether ``/proc`` lists children here."""
    return capabilities.missing("proc_children") is None


def pids() -> list[int]:
    """List the pids of all children (raises ``OSError``)."""
    if none():
        return []
    return proc.read_children() if fast() else _psutil_pids()


def children() -> list[Child]:
    """Describe all children (raises ``OSError`` when they cannot be seen)."""
    read = _from_proc if fast() else _from_psutil
    return [child for pid in pids() if (child := read(pid)) is not None]


def look_up(pid: int) -> Child | None:
    """Describe one process, or return ``None`` when it is gone."""
    return _from_proc(pid) if fast() else _from_psutil(pid)


def _from_proc(pid: int) -> Child | None:
    try:
        stat = proc.read_stat(pid)
    except (FileNotFoundError, ProcessLookupError):
        return None  # reaped between the listing and the read
    return Child(pid, stat.started, stat.state, stat.session, stat.command)


def _psutil_pids() -> list[int]:
    import psutil  # noqa: PLC0415  # slow to import, and needed without /proc only

    own = real.getpid()
    found = []
    for process in psutil.process_iter():
        try:
            if process.ppid() == own:
                found.append(process.pid)
        except psutil.Error:
            continue  # ended while we looked
    return found


def _from_psutil(pid: int) -> Child | None:
    import psutil  # noqa: PLC0415  # see above

    words = {
        psutil.STATUS_ZOMBIE: "zombie",
        psutil.STATUS_DEAD: "zombie",
        psutil.STATUS_STOPPED: "stopped",
        psutil.STATUS_TRACING_STOP: "stopped",
    }
    try:
        process = psutil.Process(pid)
        state = words.get(process.status(), "running")
        return Child(pid, process.create_time(), state, _session(pid), _psutil_name(process))
    except psutil.NoSuchProcess:
        return None


def _psutil_name(process: object) -> str:
    import psutil  # noqa: PLC0415  # see above

    try:
        return str(process.name())  # type: ignore[attr-defined]  # a psutil.Process
    except psutil.Error:
        return ""  # some platforms forget the name of a zombie


def _session(pid: int) -> int:
    try:
        session: int = real.getsid(pid)
    except (OSError, NotImplementedError):
        return -1
    return session


def argv(pid: int) -> list[str]:
    """Return a process's command line; empty when it has ended or hides it."""
    if fast():
        try:
            return proc.read_argv(pid)
        except OSError:
            return []  # ended, or owned by somebody who hides it
    import psutil  # noqa: PLC0415  # see above

    try:
        return list(psutil.Process(pid).cmdline())
    except psutil.Error:
        return []


def age(child: Child) -> float:
    """Return how long ago a process was started, in seconds, to a hundredth."""
    if fast():
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        return max(0.0, now - child.started / proc.clock_ticks())
    return max(0.0, real.time() - child.started)


def reap(pid: int) -> int | None:
    """Collect the status of one ended child; ``None`` when it runs, or is not ours."""
    try:
        done, status = real.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return None  # not our child, or somebody else waited for it first
    return status if done else None

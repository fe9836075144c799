"""Descendants whose parents have gone, found without becoming their parent.

Adopting orphans would make them visible, and would change what tests see: a daemon's status is then
ours, its zombie stays until we wait for it, and ``kill(pid, 0)`` succeeds for ever.  So orphans are
looked for instead, by what they cannot shed:

* a program that was started by exec carries our variable in its environment, whoever its parent is;
* a fork that never called exec has our own command line and our own environment, and a parent that
  is no descendant of ours.

Not found are programs started with an emptied environment, and those of other users whose
environment may not be read.
"""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Callable
from typing import Any

from ..real import read_file, real
from . import proc
from .proc import ProcStat

VARIABLE = "SYSKIT_SESSION"
_EXEC_LOOKS, _EXEC_PAUSE = 30, 0.001  # seconds: an exec takes 1 ms, or its turn on the CPU


class OrphanSearch:
    """Looks through new processes of the machine for orphans of this one (Linux).

    Between two looks only pids that have appeared since are read, so a look costs about a
    microsecond for each process of the machine that is known already.
    """

    def __init__(self) -> None:
        self._mark = ""
        self._saved: str | None = None
        self._foreign: set[int] = set()
        self._found: dict[int, int] = {}  # pid -> start time
        self._usage = _usage_of_children()
        self._faults = self._forks = 0

    def start(self) -> None:
        """Mark our environment, and take every process that exists now for a stranger."""
        self._saved = os.environ.get(VARIABLE)
        self._mark = secrets.token_hex(8)
        # A pytest that was started by a test carries the marks of both sessions.
        os.environ[VARIABLE] = ",".join(filter(None, [self._saved, self._mark]))
        self._foreign = set(proc.all_pids())

    def stop(self) -> None:
        """Put the environment back."""
        if self._saved is None:
            os.environ.pop(VARIABLE, None)
        else:
            os.environ[VARIABLE] = self._saved

    def moved(self, forks: int) -> bool:
        """Say whether children have come or gone since the last call (``forks``: as noted so far).

        The kernel adds what a child used to our own account when somebody waits for it; and every
        process has page faults.
        """
        faults = self._usage().ru_minflt
        if faults == self._faults and forks == self._forks:
            return False
        self._faults, self._forks = faults, forks
        return True

    def look(self) -> list[ProcStat]:
        """Return the orphans that exist now (raises ``OSError`` if ``/proc`` cannot be listed)."""
        present = set(proc.all_pids())
        self._foreign &= present
        for pid in present - self._foreign - self._found.keys():
            self._classify(pid)
        return [stat for pid in list(self._found) if (stat := self._still(pid)) is not None]

    def _still(self, pid: int) -> ProcStat | None:
        """Return a found orphan, unless it has ended, been adopted, or lost its pid to another."""
        stat = _stat(pid)
        if stat is None or stat.started != self._found[pid] or stat.state == "zombie":
            del self._found[pid]
            return None
        return None if stat.parent == real.getpid() else stat

    def _classify(self, pid: int) -> None:
        stat = _stat(pid)
        if stat is None or _has_ancestor(stat, real.getpid()):
            return  # ended; or has a living parent among our descendants, and is no orphan yet
        _await_exec(pid)
        # Asked again last: an exec may come between the two questions, and change both answers.
        if self._is_marked(pid) or _is_bare_fork(stat) or self._is_marked(pid):
            self._found[pid] = stat.started
        else:
            self._foreign.add(pid)

    def _is_marked(self, pid: int) -> bool:
        start = f"{VARIABLE}=".encode()
        variables = _contents(pid, "environ").split(b"\0")
        value = next((each for each in variables if each.startswith(start)), b"")
        return self._mark.encode() in value


def available() -> bool:
    """Say whether orphans can be looked for here."""
    try:
        return bool(proc.read_stat("self").pid and _contents(real.getpid(), "environ"))
    except OSError:
        return False


def _usage_of_children() -> Callable[[], Any]:
    """Return what asks for the resources used by all children waited for so far."""
    import resource  # noqa: PLC0415  # absent on Windows

    return functools.partial(resource.getrusage, resource.RUSAGE_CHILDREN)


def _stat(pid: int) -> ProcStat | None:
    try:
        return proc.read_stat(pid)
    except OSError:
        return None  # ended while we looked, or hidden from us


def _contents(pid: int, name: str) -> bytes:
    try:
        return read_file(f"/proc/{pid}/{name}")
    except OSError:
        return b""  # ended, or another user's


def _await_exec(pid: int) -> None:
    """Give a process that is within exec, and shows nothing, the millisecond that this takes.

    Who has an emptied environment shows nothing for ever, and so do the kernel's own threads.
    """
    for _ in range(_EXEC_LOOKS):
        stat = _stat(pid)
        if stat is None or stat.is_kernel_thread or _contents(pid, "environ"):
            return
        real.sleep(_EXEC_PAUSE)


def _has_ancestor(stat: ProcStat, wanted: int) -> bool:
    """Follow living parents upwards; init and what it started end the way."""
    seen: ProcStat | None = stat
    for _ in range(64):  # deeper than any tree of processes that people make
        if seen is None or seen.parent <= 1:
            return False
        if seen.parent == wanted:
            return True
        seen = _stat(seen.parent)
    return False


def _is_bare_fork(stat: ProcStat) -> bool:
    """Tell a fork of this process that has not called exec and has lost its parent.

    Other runs on the machine may look just like us, as the workers of two runs of xdist do, but
    they have parents of their own.  An orphan is handed to init or to a subreaper, which is an
    ancestor of ours too; our own parent may as well have started us both.
    """
    own, parent = real.getpid(), stat.parent
    if any(_contents(stat.pid, name) != _contents(own, name) for name in ("cmdline", "environ")):
        return False
    ours = _stat(own)
    if ours is None or (parent == ours.parent and parent > 1):
        return False
    adopter = parent <= 1 or _has_ancestor(ours, parent)
    return adopter and _contents(parent, "cmdline") != _contents(own, "cmdline")

"""What Linux tells about processes in ``/proc``: parsed, never judged.

Every reader raises ``OSError`` when the process is gone or may not be read.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass

from ..real import read_file, real

_STATES = {"Z": "zombie", "X": "zombie", "T": "stopped", "t": "stopped"}
_PF_KTHREAD = 0x0020_0000  # include/linux/sched.h


@functools.cache
def clock_ticks() -> int:
    """Return the units per second of start times in ``/proc`` (100 almost everywhere)."""
    return os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ProcStat:
    """The fields of ``/proc/<pid>/stat`` that we use.

    ``started`` counts clock ticks since boot: together with the pid it names one process for ever,
    up to a reuse of the pid within one tick (10 ms).  ``session`` and ``group`` are 0 when their
    leader is outside our pid namespace, as for the first processes of many containers.
    """

    pid: int
    command: str
    state: str
    parent: int
    group: int
    session: int
    is_kernel_thread: bool
    started: int


def read_stat(pid: int | str) -> ProcStat:
    """Read one process; its name may hold spaces and parentheses, so split after the last."""
    text = read_file(f"/proc/{pid}/stat").decode("utf-8", "surrogateescape")
    opening, closing = text.index("("), text.rindex(")")
    fields = text[closing + 2 :].split()
    return ProcStat(
        pid=int(text[:opening]),
        command=text[opening + 1 : closing],
        state=_STATES.get(fields[0], "running"),
        parent=int(fields[1]),
        group=int(fields[2]),
        session=int(fields[3]),
        is_kernel_thread=bool(int(fields[6]) & _PF_KTHREAD),
        started=int(fields[19]),
    )


def read_argv(pid: int) -> list[str]:
    """Return the command line; empty for zombies and kernel threads."""
    raw = read_file(f"/proc/{pid}/cmdline")
    return [os.fsdecode(part) for part in raw.split(b"\0")[:-1]] if raw else []


def read_environ(pid: int) -> dict[str, str]:
    """Return the environment as it was at exec; later changes do not show."""
    pairs = (part.partition(b"=") for part in read_file(f"/proc/{pid}/environ").split(b"\0"))
    return {os.fsdecode(name): os.fsdecode(value) for name, equals, value in pairs if equals}


def shows_program(pid: int) -> bool:
    """Say whether a process that was told to exec shows its new name, arguments and environment.

    ``subprocess`` returns when exec has closed the descriptors (fs/exec.c, ``begin_new_exec``), and
    the kernel fills in these afterwards, the environment last (``create_elf_tables``).  True also
    where nothing is to come: the process has ended, may not be looked at, or there is no ``/proc``.
    The environment must not be empty.
    """
    try:
        if read_stat(pid).state == "zombie":
            return True
        return bool(read_argv(pid)) and bool(read_file(f"/proc/{pid}/environ", limit=1))
    except OSError:
        return True  # gone, another user's, or no Linux


def read_children(pid: int | str = "self") -> list[int]:
    """List the children of a process, running and zombie, over all of its threads.

    A child belongs to the thread that forked it until that thread ends, so every thread is read.
    """
    pids: list[int] = []
    for task in real.listdir(f"/proc/{pid}/task"):
        try:
            pids += map(int, read_file(f"/proc/{pid}/task/{task}/children").split())
        except ProcessLookupError:
            continue  # the thread ended between the listing and the read
        except FileNotFoundError:
            if _thread_exists(pid, task):
                raise  # a kernel without CONFIG_PROC_CHILDREN: the caller takes another way
    return pids


def read_own_children() -> list[int]:
    """List the children of the calling thread alone, at the cost of one read."""
    return [int(word) for word in read_file("/proc/thread-self/children").split()]


def _thread_exists(pid: int | str, task: str) -> bool:
    try:
        real.stat(f"/proc/{pid}/task/{task}")
    except OSError:
        return False
    return True


def all_pids() -> list[int]:
    """List every process that ``/proc`` shows us."""
    return [int(name) for name in real.listdir("/proc") if name.isdigit()]

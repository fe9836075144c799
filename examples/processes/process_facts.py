"""Tell who a process is: ids, owner, program, arguments, place, and when it started.

Exercise D4, the information.  ``os`` tells of this process and its parent; ``psutil`` tells the
same of any other, on every system.  Groups, sessions and terminals are in ``process_kinship.py``,
changing the owner in ``process_owner.py``.  The commands: ``os.system`` is in ``shell_system.py``,
popen in ``popen_family.py``, exec in ``exec_replaces.py``, spawn in ``spawn_forms.py`` and
``spawned_program.py``.

The traps it avoids: a process that ends between two questions, so that half of the answer is of
nobody or of another one; "may not be told" taken for "is not there"; a name cut at 15 letters, of
which Linux keeps no more.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypeVar

import psutil

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """One process at one moment; ``None`` is what may not be told, or does not exist there.

    Attributes:
        pid: its id.
        parent: the id of its parent.
        name: the name of the program.
        argv: the program and its arguments; empty for a zombie.
        executable: the program's file.
        directory: where it works.
        users: ids of the actual, the effective and the saved user; ``None`` on Windows.
        groups: likewise, of groups.
        started: when, in UTC.
    """

    pid: int
    parent: int | None
    name: str
    argv: tuple[str, ...] | None
    executable: str | None
    directory: str | None
    users: tuple[int, int, int] | None
    groups: tuple[int, int, int] | None
    started: datetime


def process_facts(pid: int | None = None) -> ProcessFacts:
    """Return the facts of a process, of this one by default.

    One that is just being started has no arguments for a moment, and Linux cuts its name then: ask
    when it has shown that it runs.

    Raises:
        ProcessLookupError: there is no such process, or it ended meanwhile.
    """
    try:
        process = psutil.Process(pid)
        with process.oneshot():  # one reading for several questions
            facts = _asked(process)
        is_the_same = process.is_running()  # if another one has the pid, whose facts are these?
    except psutil.NoSuchProcess:
        is_the_same = False
    if not is_the_same:
        raise ProcessLookupError(f"no process has the pid {os.getpid() if pid is None else pid}")
    return facts


def _asked(process: psutil.Process) -> ProcessFacts:
    argv = _permitted(process.cmdline)
    return ProcessFacts(
        pid=process.pid,
        parent=_permitted(process.ppid),
        name=process.name(),
        argv=None if argv is None else tuple(argv),
        executable=_permitted(process.exe) or None,  # empty for threads of the kernel
        directory=_permitted(process.cwd),
        users=_ids(process, "uids"),
        groups=_ids(process, "gids"),
        started=datetime.fromtimestamp(process.create_time(), timezone.utc),
    )


def _permitted(question: Callable[[], Fact]) -> Fact | None:
    try:
        return question()
    except psutil.ZombieProcess:  # it has ended and kept nothing but its pid and its status
        return None
    except psutil.AccessDenied:  # somebody else's
        return None


def _ids(process: psutil.Process, name: str) -> tuple[int, int, int] | None:
    question = getattr(process, name, None)  # not there on Windows
    found = None if question is None else _permitted(question)
    return None if found is None else (found.real, found.effective, found.saved)


def own_ids() -> dict[str, int]:
    """Return the ids of this process by the names of the calls; those that exist here."""
    names = ("getpid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getpgrp")
    return {name: getattr(os, name)() for name in names if hasattr(os, name)}

"""Finding the processes of a program when no tree shows them any more.

    program ── worker ── daemon      worker ends ──▶   init (or a subreaper) ── daemon

Two marks survive a change of parents.  The cookie is a variable in the program's environment: all
descendants inherit it, and it stays readable after ``setsid``.  It is lost to those who clear their
environment (``env -i``), overwrite it (``setproctitle``) or may not be read (set-user-id programs).
The session holds those, unless they left it.  Who did both is found by neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import psutil

from .. import capabilities
from ..real import read_file, real
from . import proc

COOKIE = "SYSKIT_PROCESS_ID"
_LISTINGS = 20  # the second is nearly always the last; a fork storm must not hold us
_EXEC_LOOKS, _EXEC_PAUSE = 500, 0.001  # half a second: an exec takes 1 ms, or its turn on the CPU
_CLEARED_LOOKS = 20  # with arguments but no environment for so long, it was cleared (env -i)


def marked(environ: Mapping[str, str], cookie: str) -> dict[str, str]:
    """Return ``environ`` with a cookie added to those it carries already.

    It comes first, so that reading the start of a huge environment finds it; older cookies stay,
    so that the outer of two nested test runs still finds what the inner one started.
    """
    older = environ.get(COOKIE, "")
    return {COOKIE: f"{cookie} {older}".strip()} | {
        name: value for name, value in environ.items() if name != COOKIE
    }


def carriers(cookie: str, since: int) -> list[psutil.Process]:
    """Return the running processes that carry a cookie, this one aside (reads every process).

    ``since`` is the :func:`start_of` the program; who is older cannot carry its cookie.
    """
    return _select(lambda pid: _carries(pid, cookie, since))


def start_of(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 where nobody tells."""
    try:
        return proc.read_stat(pid).started
    except OSError:
        return 0  # no /proc


def session_members(session: int) -> list[psutil.Process]:
    """Return the processes of a session, zombies too, its leader and this process aside.

    A number is not given away again while a session bears it: the answer is about that session as
    long as its leader was not waited for, or a member is known to live.
    """
    return [
        each for each in _select(lambda pid: _session_of(pid) == session) if each.pid != session
    ]


def _select(wanted: Callable[[int], bool]) -> list[psutil.Process]:
    """Look at every process, and at those born meanwhile: a parent that died may have left one."""
    seen: set[int] = {real.getpid()}
    chosen: list[int] = []
    for _ in range(_LISTINGS):
        unseen = set(_all_pids()) - seen
        seen |= unseen
        chosen += [pid for pid in unseen if _ask(wanted, pid)]
        if not unseen:
            break
    return [process for pid in chosen for process in _process(pid)]


def _all_pids() -> Iterable[int]:
    return psutil.pids() if capabilities.missing("proc") else proc.all_pids()


def _ask(wanted: Callable[[int], bool], pid: int) -> bool:
    try:
        return wanted(pid)
    except (OSError, psutil.Error):
        return False  # ended meanwhile, or belongs to somebody who may not be read


def _carries(pid: int, cookie: str, since: int) -> bool:
    if capabilities.missing("proc"):
        return cookie in psutil.Process(pid).environ().get(COOKIE, "").split()
    raw = _settled_environ(pid, since)
    if cookie.encode() not in raw:
        return False  # nearly everybody: not worth taking their environment apart
    values = (entry.partition(b"=") for entry in raw.split(b"\0"))
    return any(name == COOKIE.encode() and cookie.encode() in value for name, _, value in values)


def _settled_environ(pid: int, since: int) -> bytes:
    """Read an environment; amid ``exec`` there is none for a moment, the arguments come first."""
    looks_with_arguments = 0
    for _ in range(_EXEC_LOOKS):
        raw = read_file(f"/proc/{pid}/environ")
        if raw or not _could_be_in_exec(pid, since):
            return raw
        looks_with_arguments += bool(proc.read_argv(pid))
        if looks_with_arguments >= _CLEARED_LOOKS:
            break
        real.sleep(_EXEC_PAUSE)
    return b""


def _could_be_in_exec(pid: int, since: int) -> bool:
    """Leave out zombies, the kernel's own threads, and who is too old to be of the family."""
    stat = proc.read_stat(pid)
    return stat.state != "zombie" and not stat.is_kernel_thread and stat.started >= since


def _session_of(pid: int) -> int | None:
    try:
        return int(real.getsid(pid))
    except NotImplementedError:
        return None  # Windows has no sessions of this sort


def _process(pid: int) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid)]
    except psutil.Error:
        return []  # ended between the two looks

"""Ending processes with all their descendants.

    TERM to everyone ──▶ grace ──▶ KILL to whoever is left ──▶ look again until nobody is new

A process can fork while it is being killed, so the tree is read anew before each blow.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import psutil

from ..real import real
from .children import reap as reap_child

if TYPE_CHECKING:
    from typing import TypeAlias

    Reap: TypeAlias = Callable[[int], object]

__all__ = ["alive", "descendants", "end_tree", "reap_child"]

_POLL = 0.01  # seconds between looks: a dying process needs about one millisecond
_ROUNDS = 5  # a fork bomb could outrun any number; five blows end everything that plays fair


def descendants(pid: int) -> list[psutil.Process]:
    """Return every living descendant of ``pid``, the nearest first."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def alive(process: psutil.Process) -> bool:
    """Say whether a process still runs; a zombie has ended and only awaits its parent."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end_tree(pids: Iterable[int], grace: float, *, reap: Reap | None = None) -> list[int]:
    """End processes and all their descendants: TERM, up to ``grace`` seconds, then KILL.

    Args:
        pids: the roots; a pid that is gone already is no error, and the calling process and its
            ancestors are never touched.
        grace: seconds between TERM and KILL; 0 kills at once.
        reap: called with the pid of each root and descendant that has ended; pass it for children
            that nobody else waits for, and leave it out for everybody else's.

    Returns:
        The pids that were signalled.
    """
    victims = _gather(pids, {})
    # A stopped process acts on TERM only when it goes on, so CONT follows.
    _signal(victims, signal.SIGTERM)
    _signal(victims, getattr(signal, "SIGCONT", signal.SIGTERM))
    _await(victims, grace, reap)
    for _ in range(_ROUNDS):
        victims = _gather(list(victims), victims)
        if not any(map(alive, victims.values())):
            break
        _signal(victims, getattr(signal, "SIGKILL", signal.SIGTERM))
        _await(victims, 1.0, reap)
    return sorted(victims)


def _gather(pids: Iterable[int], known: dict[int, psutil.Process]) -> dict[int, psutil.Process]:
    found = dict(known)
    protected = _protected()
    for pid in pids:
        for process in [*_process(pid), *descendants(pid)]:
            if process.pid not in protected:
                found.setdefault(process.pid, process)
    return found


def _process(pid: int) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid)]
    except psutil.Error:
        return []


def _protected() -> set[int]:
    """Return ourselves, our ancestors and init: never ours to end."""
    own = psutil.Process(real.getpid())
    return {0, 1, own.pid, *(parent.pid for parent in own.parents())}


def _signal(victims: dict[int, psutil.Process], number: int) -> None:
    for process in victims.values():
        try:
            if alive(process):  # checks the start time too: a reused pid is a stranger
                process.send_signal(number)
        except psutil.Error:
            continue  # ended meanwhile, or belongs to somebody we may not signal


def _await(victims: dict[int, psutil.Process], seconds: float, reap: Reap | None) -> None:
    """Wait until all have ended, counting turns: a frozen clock must not hold us."""
    for _ in range(max(1, round(seconds / _POLL))):
        ended = not any(map(alive, victims.values()))
        if ended and reap is not None:
            for pid in victims:
                reap(pid)
        if ended:
            return
        real.sleep(_POLL)

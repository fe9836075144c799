"""Whether waiting can change anything.

A descriptor is closed by somebody: by the main thread, which is busy waiting, by the garbage
collector, which has just run, or by another thread.  A child that has ended is waited for by
somebody too.  Without other threads and without a SIGCHLD handler only an adopted orphan can still
vanish by itself, so a leak costs a clean suite no time at all.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable

from ..real import real
from . import children, parentage


def may_still_end(suspects: Iterable[object]) -> bool:
    """Say whether a pause could make one of the suspects go (resources, by kind and key)."""
    return _other_threads() or _sigchld_is_handled() or any(map(_is_adopted, suspects))


def _other_threads() -> bool:
    try:
        return len(real.listdir("/proc/self/task")) > 1
    except OSError:
        return True  # unknown: wait


def _sigchld_is_handled() -> bool:
    number = getattr(signal, "SIGCHLD", None)
    return number is not None and signal.getsignal(number) is not signal.SIG_DFL


def _is_adopted(suspect: object) -> bool:
    if getattr(suspect, "kind", None) != "process":
        return False
    child = children.look_up(suspect.key[0])  # type: ignore[attr-defined]  # a process resource
    return child is not None and parentage.adopted(child.pid, child.session)

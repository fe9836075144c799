"""Who else is in a process group or session."""

from __future__ import annotations

import os

from ..real import real
from . import proc


def is_empty(group: int) -> bool:
    """Say whether a process group has no members left; zombies count as members."""
    try:
        real.killpg(group, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # members that we may not signal; macOS says so of zombies too
    return False


def members(group: int) -> list[int]:
    """List the processes whose group or session is ``group``, as far as this user may see them."""
    return [pid for pid in _pids() if group in _belongs_to(pid)]


def _pids() -> list[int]:
    try:
        return proc.all_pids()
    except OSError:
        import psutil  # noqa: PLC0415  # slow to import, and needed without /proc only

        return psutil.pids()


def _belongs_to(pid: int) -> tuple[int, ...]:
    try:
        return os.getpgid(pid), os.getsid(pid)
    except OSError:
        return ()  # ended while we looked, or hidden from this user

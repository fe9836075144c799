"""How many threads the kernel counts in this process, those of C code included."""

from __future__ import annotations

import threading

from ..real import real


def alone() -> bool:
    """Say whether this process has one thread only; ``False`` where the kernel does not tell.

    ``threading`` does not know of threads that C code or ``_thread`` started.
    """
    try:
        links: int = real.stat("/proc/self/task").st_nlink
    except OSError:
        return False
    return links == 3  # noqa: PLR2004  # ".", ".." and one entry for each thread


def count() -> int:
    """Return how many threads there are; those of Python alone where the kernel does not tell."""
    try:
        links: int = real.stat("/proc/self/task").st_nlink
    except OSError:
        return threading.active_count()
    return max(1, links - 2)  # "." and ".." are links too

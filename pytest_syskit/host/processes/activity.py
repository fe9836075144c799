"""Whether this process can have made a child since it was last asked, for the price of one call.

Making a process leaves traces in the maker's own account, which the kernel keeps for all threads:

    fork()          both sides share their memory until they write: the maker's next write faults
    vfork(), spawn  the maker sleeps until the child calls exec: a context switch

So where neither a fault nor a switch was counted, no child was made.  The converse does not hold:
whoever merely needed memory or had to wait is looked at more closely for nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import capabilities
from ..real import real

_NAP = 1e-5  # seconds: the shortest that is no poll


class Activity:
    """Compares the counts of page faults and context switches with those at the last question."""

    def __init__(self) -> None:
        self._usage = _usage_of_self()
        self._last: tuple[int, int, int] | None = None

    def moved(self) -> bool:
        """Say whether this process may have made a child since the last call."""
        if self._usage is None:
            return True
        usage = self._usage()
        now = usage.ru_minflt, usage.ru_nvcsw, usage.ru_nivcsw
        if now == self._last:
            return False
        self._last = now
        return True


def _usage_of_self() -> Callable[[], Any] | None:
    """Return what tells the resources used, or ``None`` where the kernel does not count them.

    Kernels in user space answer 0 for what they do not count.
    """
    if capabilities.missing("proc") is not None:
        return None  # known to hold on Linux alone
    import resource  # noqa: PLC0415  # absent on Windows

    getrusage, who = resource.getrusage, resource.RUSAGE_SELF
    real.sleep(_NAP)  # a switch, lest there was none before
    usage = getrusage(who)
    return (lambda: getrusage(who)) if usage.ru_minflt and usage.ru_nvcsw else None

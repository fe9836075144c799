"""The umask, read without a wrong one standing for a moment.

POSIX has no call that reads it: ``umask(2)`` sets a new one and returns the old.  So, with the mask
that was read last as ``known``::

    umask(known) → known      nothing has changed, now or in between
    umask(known) → other      somebody has set another; umask(other) puts it back

which is safe while this is the only thread.  With other threads, one of which may be making a file,
the kernel's own account is read (``Umask`` in proc_pid_status(5), Linux 4.7), which costs a dozen
microseconds; so it is read in close looks only.
"""

from __future__ import annotations

import _thread
import sys

from ..processes import threads
from ..real import read_file, real

NAME = "umask"
_AGAIN = 32  # close looks after which the threads are counted again: counting costs ten looks
_TIGHT = 0o077  # stands for a moment when no mask is known yet: what it lets through harms nobody


class FileMask:
    """One value, the mask."""

    def __init__(self) -> None:
        self._known = _TIGHT
        self._lone = False
        self._looks = 0
        self._modules = 0

    def stands(self, closely: bool) -> bool:
        """Say whether the mask is still the one that was read last."""
        if closely:
            self._looks += 1
            if self._looks == _AGAIN or len(sys.modules) != self._modules:
                self._count_threads()
        if self._lone and not _thread._count():  # noqa: SLF001  # cheaper than asking the kernel
            return self._swap() == self._known
        if not closely:
            return True
        try:
            return _from_kernel() == self._known
        except OSError:
            return False  # reading it says why

    def read(self) -> dict[str, int | None]:
        """Return the mask (raises ``OSError`` when it cannot be read safely)."""
        self._count_threads()
        self._known = self._swap() if self._lone else _from_kernel()
        return {NAME: self._known}

    def _count_threads(self) -> None:
        """Ask the kernel, which knows of threads of C code too; those come with an import."""
        self._lone = threads.count() == 1
        self._looks, self._modules = 0, len(sys.modules)

    def write(self, _name: str, mask: int | None) -> None:
        """Set the mask."""
        if mask is not None:
            real.umask(mask)

    def _swap(self) -> int:
        known = self._known
        mask: int = real.umask(known)
        if mask != known:
            real.umask(mask)
        return mask


def told() -> bool:
    """Say whether the kernel tells the mask without its being set."""
    try:
        return _from_kernel() >= 0
    except OSError:
        return False


def _from_kernel() -> int:
    try:
        status = read_file("/proc/self/status")
    except OSError:
        status = b""
    for line in status.splitlines():
        if line.startswith(b"Umask:"):
            return int(line.split()[1], 8)
    raise OSError("a umask can only be read by setting it, and other threads may be making files")

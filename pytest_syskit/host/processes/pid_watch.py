"""Waiting for a child to end without asking anybody but the kernel.

A child has ended when its pid says so.  The end of a pipe says nothing: a grandchild may hold it.
A pidfd becomes readable even when other code, or ``SIGCHLD`` set to be ignored, took the status.
"""

from __future__ import annotations

import os
import select

from ..real import real

_SLICE = 0.005  # seconds between looks where there is no pidfd
_LONGEST = 3600.0  # seconds: poll() counts milliseconds in an int, so longer waits go round again


class PidWatch:
    """Watches one child of this process until it ends; holds one descriptor where possible."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._gone = False
        self._pidfd = self._open()

    def _open(self) -> int:
        try:
            return int(real.pidfd_open(self.pid))
        except ProcessLookupError:
            self._gone = True  # ended and taken by somebody else already
        except (NotImplementedError, OSError):
            pass  # another platform, an old kernel or no descriptor left: look from time to time
        return -1

    def wait(self, seconds: float, fd: int = -1) -> None:
        """Wait until the child ends or ``fd`` is readable, at most ``seconds`` (may be less)."""
        poll = select.poll()
        if fd >= 0:
            poll.register(fd, select.POLLIN)
        if self._pidfd >= 0:
            poll.register(self._pidfd, select.POLLIN)
        longest = _LONGEST if self._pidfd >= 0 else _SLICE
        # Rounded up: a remainder below a millisecond must not become a busy loop.
        poll.poll(0 if self._gone else int(min(max(seconds, 0.0), longest) * 1000) + 1)

    def ended(self) -> bool:
        """Say whether the child has ended; its status stays where it is."""
        if not self._gone:
            self._gone = self._readable() if self._pidfd >= 0 else self._waitable()
        return self._gone

    def _readable(self) -> bool:
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        return bool(poll.poll(0))

    def _waitable(self) -> bool:
        try:
            found = real.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True  # somebody else waited for it
        return found is not None

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._pidfd >= 0:
            real.close(self._pidfd)
            self._pidfd = -1

"""The watchdog in C behind the limits of tests, for when no Python code can run."""

from __future__ import annotations

import os

from ..host.signals.watchdog import StackWatchdog


class StackWatch:
    """Has the stacks written to the true standard error when a limit passes unheard.

    Made while pytest captures nothing; later, descriptor 2 is a temporary file.  Does nothing where
    there is no such watchdog.
    """

    def __init__(self) -> None:
        self._on = False
        self._stderr: int | None = None
        self._watchdog: StackWatchdog | None = None
        try:
            self._stderr = os.dup(2)
            self._watchdog = StackWatchdog(self._stderr)
        except (OSError, NotImplementedError):
            return  # a daemon without standard error; no POSIX timers: hangs in C stay unexplained

    def cover(self, seconds: float) -> None:
        """Write the stacks ``seconds`` from now or somewhat later."""
        if self._watchdog is not None:
            self._on = True
            self._watchdog.cover(seconds)

    def put_off(self, seconds: float) -> None:
        """Write them no sooner than ``seconds`` from now, if at all."""
        if self._on and self._watchdog is not None:
            self._watchdog.arm(seconds)

    def call_off(self) -> None:
        """Write nothing; else it runs on from one limited test to the next."""
        if self._on and self._watchdog is not None:
            self._on = False
            self._watchdog.disarm()

    def close(self) -> None:
        """Give everything back at the end of the session."""
        if self._watchdog is not None:
            self._watchdog.close()
        if self._stderr is not None:
            os.close(self._stderr)
            self._stderr = None

"""Looking at a stuck main thread from a helper thread.

In a signal handler the main thread has left the system call it was stuck in.  So the first signal
only starts an observer and returns; Python then resumes the call (PEP 475), the observer looks at
it, and the next signal, some milliseconds later, ends it:

    signal ─▶ start observer ─▶ call resumes ─▶ observer looks ─▶ signal ─▶ exception
"""

from __future__ import annotations

import _thread
from collections.abc import Callable

from pytest_syskit.host.real import real

_LONGEST = 0.25  # seconds; what the observer needs may be held by the thread it looks at


class Observer:
    """Runs a function once in a thread; patient, but not for long."""

    patience = 0.02  # seconds between two looks at whether it has finished

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look
        self._started_at: float | None = None
        self._finished = False
        self.error: Exception | None = None

    def seen(self) -> bool:
        """Start at the first call; say whether the look is over, or has taken too long."""
        if self._started_at is None:
            self._started_at = real.monotonic()
            self._start()
            return False
        return self._finished or real.monotonic() - self._started_at > _LONGEST

    def _start(self) -> None:
        try:
            # Not a threading.Thread: tests patch it, count it and wait for it.
            _thread.start_new_thread(self._run, ())
        except RuntimeError:
            self._finished = True  # no thread to be had, at the limit of processes: nothing seen

    def _run(self) -> None:
        try:
            real.sleep(0.002)  # lets the main thread get back into its call
            self._look()
        except Exception as error:  # noqa: BLE001  # a failed look must not change the verdict
            self.error = error
        finally:
            self._finished = True

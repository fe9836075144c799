"""Whether the end of a program was meant."""

from __future__ import annotations

import signal

# Asked to end by one of these, a program may choose any exit status (SIGQUIT: not on Windows).
_REQUESTS = frozenset(
    getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGQUIT") if hasattr(signal, name)
)
_SHELL_OFFSET = 128  # a shell exits with 128 + N when signal N killed its last command


class ExitVerdict:
    """Collects what the test said and did about a program's end, and judges the end.

    ``allowed`` are the statuses with which it may end by itself (``None``: any), ``seen`` says that
    the test was told the status.
    """

    def __init__(self) -> None:
        self.allowed: frozenset[int] | None = frozenset({0})
        self.seen = False
        self._signals: set[int] = set()
        self._ended_by_itself: bool | None = None

    def note_signal(self, number: int) -> None:
        """Note that the test sent a signal: death by it is no surprise."""
        self._signals.add(number)

    def settle(self, *, ended: bool) -> None:
        """Fix whether the program had ended before it was stopped; the first answer counts."""
        if self._ended_by_itself is None:
            self._ended_by_itself = ended

    def is_fault(self, returncode: int | None) -> bool:
        """Say whether it ended by itself, unseen, in a way that nobody declared.

        A lost status (``None``) is a fault unless any status is allowed.
        """
        return bool(self._ended_by_itself) and not self.seen and not self._accepts(returncode)

    def _accepts(self, returncode: int | None) -> bool:
        if self.allowed is None:
            return True
        if returncode is None:
            return False
        return returncode in self.allowed or self._answers_signal(returncode)

    def _answers_signal(self, returncode: int) -> bool:
        killed_by = -returncode if returncode < 0 else returncode - _SHELL_OFFSET
        asked_to_end = bool(self._signals & _REQUESTS)
        return killed_by in self._signals or (returncode >= 0 and asked_to_end)

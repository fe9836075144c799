"""Waiting for what a program shall do, and saying what it did instead."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import NoReturn, TypeVar

from pytest_syskit.host.real import real

from .exit_verdict import ExitVerdict
from .output_stream import OUTPUT_LIMIT
from .process_errors import ProcessError, ProcessExited, ProcessTimeout, ending_in_words
from .process_output import ProcessOutput
from .process_waiting import checked_seconds, turns
from .program_family import ProgramFamily

Found = TypeVar("Found")


class ProgramWatch:
    """Watches one program; its errors carry the status and the end of the output."""

    def __init__(
        self,
        name: str,
        family: ProgramFamily,
        output: ProcessOutput,
        verdict: ExitVerdict,
        *,
        daemonises: bool,
    ) -> None:
        self._name = name
        self._family = family
        self._output = output
        self._verdict = verdict
        self._daemonises = daemonises

    def __str__(self) -> str:
        return f"program {self._name!r} (pid {self._family.pid})"

    def status_in_words(self) -> str:
        """Say how the program is, in words that follow its name."""
        if not self._family.is_ours:
            return "belongs to the process that this one was forked from"
        if not self._family.has_ended():
            return "still runs"
        return ending_in_words(self._family.returncode)

    def until(
        self, found: Callable[[], Found | None], timeout: float, lack: Callable[[], str]
    ) -> Found:
        """Poll until something is found.

        Args:
            found: looks once; anything true ends the wait and is returned.
            timeout: seconds.
            lack: says what was missing, as a clause.

        Raises:
            ProcessExited: the program is over.
            ProcessTimeout: the time is over.
            ProcessError: the program flooded its output, and was ended.
        """
        began = real.monotonic()
        for _ in turns(checked_seconds("timeout", timeout)):
            over = self.is_over()  # asked first: what was written before is in the file then
            if result := found():
                return result
            if over:
                self.raise_exited(lack(), real.monotonic() - began)
            self._refuse_flood()
        raise ProcessTimeout(f"{self} still runs, but after {timeout:g} s {lack()}\n{self.tail()}")

    def is_over(self) -> bool:
        """Say whether nothing more is to come: a daemon's descendants count for it."""
        if not self._family.has_ended():
            return False
        lives_on = self._daemonises and self._family.returncode == 0
        return not (lives_on and self._family.living())

    def raise_exited(self, lack: str, waited: float | None = None) -> NoReturn:
        """Raise ``ProcessExited``; the test is told the status by that."""
        self._verdict.seen = True
        when = "" if waited is None else f" after {waited:.2f} s of waiting"
        status, hint = self.status_in_words(), self._daemon_hint()
        raise ProcessExited(f"{self} {status}{when}: {lack}{hint}\n{self.tail()}")

    def _daemon_hint(self) -> str:
        left = self._family.living() if self._family.returncode == 0 else []
        if not left:
            return ""
        processes = "1 process" if len(left) == 1 else f"{len(left)} processes"
        return f"; it left {processes} running: does it need daemonises=True?"

    def _refuse_flood(self) -> None:
        if flooded := self._output.too_long():
            self._verdict.settle(ended=False)  # its end is our doing
            self._family.end(signal.SIGTERM, 0)
            mebibytes = OUTPUT_LIMIT // 1024 // 1024
            raise ProcessError(
                f"{self} was ended: it wrote more than {mebibytes} MiB to {' and '.join(flooded)}\n"
                f"{self.tail()}"
            )

    def tail(self) -> str:
        """Return the end of the output, as long as suits a message."""
        return self._output.excerpt(lines=20, characters=4096)

    def has_ended(self) -> bool:
        """Say whether the program itself has ended."""
        return self._family.has_ended()

"""The standard input of a running program, written to without ever being stuck."""

from __future__ import annotations

import os
from typing import IO, NoReturn

from pytest_syskit.host.real import real

from .process_errors import ProcessError, ProcessTimeout
from .process_waiting import turns
from .program_watch import ProgramWatch

_POLL = 0.01  # seconds between attempts; a reader that is alive empties a pipe within that
_DYING = 0.2  # seconds; a program that dies closes its input a little before it can be waited for
_CHUNK = 65536  # bytes; what a pipe holds on most systems


class InputPipe:
    """Our end of a program's standard input."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        if hasattr(os, "set_blocking") and hasattr(os, "fork"):
            real.set_blocking(pipe.fileno(), False)  # Windows: writes may block there

    @property
    def closed(self) -> bool:
        """Say whether the program sees (or will see) the end of its input."""
        return self._pipe.closed

    def write(self, content: bytes, timeout: float) -> int:
        """Write up to ``timeout`` seconds long; return how many bytes the pipe took.

        Raises:
            BrokenPipeError: the program closed its standard input or ended.
        """
        deadline = real.monotonic() + timeout
        taken = 0
        while taken < len(content):
            try:
                taken += real.write(self._pipe.fileno(), content[taken : taken + _CHUNK])
            except BlockingIOError:
                real.sleep(_POLL)
            if real.monotonic() >= deadline:
                break
        return taken

    def close(self) -> None:
        """Let the program see the end of its input; closing twice is fine."""
        self._pipe.close()


class ProgramInput:
    """Sends to one program; what goes wrong is told with the program's state."""

    def __init__(self, pipe: InputPipe | None, watch: ProgramWatch) -> None:
        self._pipe = pipe
        self._watch = watch

    def send(self, content: bytes, timeout: float) -> None:
        """Write everything within ``timeout`` seconds; for the errors see ``send_line``."""
        pipe = self._open_pipe()
        try:
            taken = pipe.write(content, timeout)
        except BrokenPipeError:
            self._nobody_reads()
        if taken < len(content):
            raise ProcessTimeout(
                f"{self._watch} does not read its standard input: after {timeout:g} s it took "
                f"{taken} of {len(content)} bytes\n{self._watch.tail()}"
            )

    def _open_pipe(self) -> InputPipe:
        if self._pipe is None:
            raise ProcessError(
                f"{self._watch} was started with stdin=False: nothing can be sent to it"
            )
        if self._pipe.closed:
            raise ProcessError(f"the standard input of {self._watch} is closed already")
        return self._pipe

    def _nobody_reads(self) -> NoReturn:
        for _ in turns(_DYING):
            if self._watch.has_ended():
                self._watch.raise_exited("nobody reads its standard input")
        raise ProcessError(f"{self._watch} has closed its standard input\n{self._watch.tail()}")

    def close(self) -> None:
        """Let the program see the end of its input; closing twice is fine."""
        if self._pipe is not None:
            self._pipe.close()

"""Start a program by ``os.spawnvp(P_NOWAIT)`` and never forget to wait for it.

Exercise D4, spawn.  What the plain call returns is a pid, and nothing else holds it.  Who loses it
has a zombie until the process ends; who keeps it too long signals a stranger who got the same
number.  So a block owns the program here::

    with spawned(["make", "-j2"]) as program:
        …                       # goes on meanwhile
        code = program.wait(timeout=60)

The traps it avoids: a pid that nobody waits for; a wait that never ends; a program that is missing
and shows as exit status 127; ``kill`` after the pid was given back.  In new code
``subprocess.Popen`` does all this; the block shows what it takes.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_POLL = 0.01  # seconds: POSIX has no wait with a limit, and nobody notices a hundredth
_GRACE = 3.0  # seconds from SIGTERM to SIGKILL: time to write a file or two


class SpawnedProgram:
    """A child that runs, or has run; made by :func:`spawned`.

    Attributes:
        argv: what was started.
        pid: valid until :meth:`wait` has returned.
        exit_code: ``None`` while it runs; then its status, or ``-N`` for signal N.
    """

    def __init__(self, argv: Sequence[str], pid: int) -> None:
        self.argv = tuple(argv)
        self.pid = pid
        self.exit_code: int | None = None

    def wait(self, timeout: float) -> int:
        """Wait for the end, at most ``timeout`` seconds; returns the exit code.

        Raises:
            TimeoutError: it still runs.
        """
        limit = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() >= limit:
                raise TimeoutError(
                    f"{self.argv[0]!r} (pid {self.pid}) still runs after {timeout} s"
                )
            time.sleep(_POLL)
        return code

    def poll(self) -> int | None:
        """Return the exit code if it has ended, else ``None``; at once."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code

    def send_signal(self, number: int) -> bool:
        """Send a signal; says whether there was a process to send it to."""
        if self.poll() is not None:  # the pid is not ours any more
            return False
        os.kill(self.pid, number)
        return True

    def end(self, grace: float = _GRACE) -> int:
        """Ask it to end, insist after ``grace`` seconds, and return its exit code."""
        self.send_signal(signal.SIGTERM)
        try:
            return self.wait(grace)
        except TimeoutError:
            self.send_signal(signal.SIGKILL)
            return self._wait_for_good()

    def _wait_for_good(self) -> int:
        if self.exit_code is None:
            self.exit_code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.exit_code


@contextmanager
def spawned(argv: Sequence[str], grace: float = _GRACE) -> Iterator[SpawnedProgram]:
    """Start a program, found on PATH, that lives no longer than the block.

    Args:
        argv: the program and its arguments; no shell reads them.
        grace: seconds it gets at the end of the block, from SIGTERM to SIGKILL.

    Raises:
        FileNotFoundError: there is no such program.
    """
    path = shutil.which(argv[0])
    if path is None:  # spawn would report a child that ended with 127, as programs do themselves
        raise FileNotFoundError(f"{argv[0]!r} is no program on PATH")
    sys.stdout.flush()  # what waits there was written before the program's own output
    program = SpawnedProgram(argv, os.spawnv(os.P_NOWAIT, path, list(argv)))
    try:
        yield program
    finally:
        program.end(grace)

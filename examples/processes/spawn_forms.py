"""Start programs by ``os.spawn…``, and by what replaced it: ``posix_spawn`` and ``subprocess``.

Exercise B16.

=====================  ===========================  =====================  ====================
form                   a program that is missing    killed by signal 15    who waits
=====================  ===========================  =====================  ====================
spawnvp, P_WAIT        127, without an error        -15                    the call itself
spawnvp, P_NOWAIT      127, without an error        a status word          the caller, by pid
posix_spawnp           FileNotFoundError            a status word          the caller, by pid
subprocess.run         FileNotFoundError            -15                    the call itself
=====================  ===========================  =====================  ====================

Traps.  127 is also what a program may end with by itself.  The pid of P_NOWAIT has to be waited
for.  Python ignores SIGPIPE and ``spawn…`` passes that on; the other two need not.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence

NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


def spawn_and_wait(argv: Sequence[str], env: Mapping[str, str] | None = None) -> int:
    """Run a program by ``spawnvpe(P_WAIT)``; return its exit code, or ``-N`` for signal N."""
    _flush()
    return os.spawnvpe(os.P_WAIT, argv[0], list(argv), os.environ if env is None else env)


def spawn(argv: Sequence[str]) -> int:
    """Start a program by ``spawnvp(P_NOWAIT)``; return its pid, for :func:`exit_code`."""
    _flush()
    return os.spawnvp(os.P_NOWAIT, argv[0], list(argv))


def exit_code(pid: int) -> int:
    """Wait for a child; return its exit code, or ``-N`` for signal N."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def posix_spawn(argv: Sequence[str], stdout: str | os.PathLike[str] | None = None) -> int:
    """Start a program by ``posix_spawnp``; return its pid, for :func:`exit_code`.

    Args:
        argv: the program, found on PATH, and its arguments.
        stdout: a file for its standard output; created, or emptied.

    Raises:
        OSError: it cannot be started.
    """
    _flush()
    actions = [] if stdout is None else [(os.POSIX_SPAWN_OPEN, 1, stdout, NEW_FILE, 0o666)]
    return os.posix_spawnp(
        argv[0], list(argv), os.environ, file_actions=actions, setsigdef=[signal.SIGPIPE]
    )


def run(argv: Sequence[str], timeout: float | None = None) -> int:
    """Run a program by ``subprocess``; return its exit code, or ``-N`` for signal N.

    Raises:
        OSError: it cannot be started.
        subprocess.TimeoutExpired: it took longer, and was killed and waited for.
    """
    _flush()
    return subprocess.run(list(argv), check=False, timeout=timeout).returncode


def _flush() -> None:
    """Write what waits, so that it stands before the program's output."""
    sys.stdout.flush()
    sys.stderr.flush()

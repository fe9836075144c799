"""Run an external command: its output, a time limit, its status checked, and nobody left behind.

Exercises D5 and D7 (environment, directory, input).  ``subprocess.run(timeout=…)`` kills the child
alone: a grandchild goes on running, and if it holds the pipe the call does not even return.  Here
the command is a group of its own and ends as a whole, on a timeout as well as on Ctrl-C.  Input,
output and error output flow at the same time, so that no full pipe stops the others.
"""

from __future__ import annotations

import math
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from command_group import end_group, start_group

LOOK = 0.05  # seconds until a cancelled command notices
LAST_WORDS = 1.0  # seconds to read what an ended command had written


class Cancelled(Exception):
    """Somebody called the command off; it has been ended."""


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended.

    Attributes:
        argv: the command.
        status: its exit status, ``-N`` when signal N ended it.
        stdout: what it wrote, as bytes.
        stderr: what it wrote to standard error.
        seconds: how long it took.
    """

    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: bytes
    seconds: float


def run_command(
    argv: Sequence[str | os.PathLike[str]],
    *,
    feed: bytes = b"",
    timeout: float | None = None,
    grace: float = 1.0,
    check: bool = False,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    cancelled: threading.Event | None = None,
) -> CommandResult:
    """Run a command, given as an argument list, to its end.

    Args:
        argv: the program, looked up on PATH, and its arguments; no shell reads them.
        feed: what it finds on its standard input.
        timeout: seconds until the whole group is ended.
        grace: seconds between TERM and KILL then.
        check: treat any status but 0 as an error.
        env: its whole environment; this process's own if not given.
        cwd: where it runs.
        cancelled: set it, from another thread, to call the command off.

    Raises:
        OSError: there is no such program, or it cannot be started.
        subprocess.TimeoutExpired: the time was over; ``output`` and ``stderr`` hold what there was.
        subprocess.CalledProcessError: ``check``, and it failed.
        Cancelled: see ``cancelled``.

    A background process that keeps the output open counts as a part of the command.
    """
    words = tuple(os.fspath(word) for word in argv)
    pipe = subprocess.PIPE
    began = time.monotonic()
    with start_group(words, env=env, cwd=cwd, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            stdout, stderr = _communicate(process, feed, timeout, cancelled)
        except subprocess.TimeoutExpired as error:
            end_group(process, grace)
            error.timeout = timeout or 0
            error.output, error.stderr = _last_words(process)
            raise
        except BaseException:
            end_group(process, 0)
            raise
    if check and process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, words, stdout, stderr)
    seconds = time.monotonic() - began
    return CommandResult(words, process.returncode, stdout, stderr, seconds)


def _communicate(
    process: subprocess.Popen[bytes],
    feed: bytes,
    timeout: float | None,
    cancelled: threading.Event | None,
) -> tuple[bytes, bytes]:
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    pending: bytes | None = feed
    while True:
        turn = min(deadline - time.monotonic(), math.inf if cancelled is None else LOOK)
        try:
            return process.communicate(pending, None if turn == math.inf else max(turn, 0))
        except subprocess.TimeoutExpired:
            pending = None  # it has it already, and goes on from where it was
            if cancelled is not None and cancelled.is_set():
                raise Cancelled(f"{process.args!r} was called off") from None
            if time.monotonic() >= deadline:
                raise


def _last_words(process: subprocess.Popen[bytes]) -> tuple[bytes | None, bytes | None]:
    try:
        return process.communicate(timeout=LAST_WORDS)
    except subprocess.TimeoutExpired as error:  # somebody who left the group holds the pipe
        return error.output, error.stderr

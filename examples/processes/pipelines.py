"""Connect commands by pipes, as a shell does with ``a | b | c``, without a shell.

Exercise D5.  Each pipe end that a child has got is closed here at once: with a copy left open in
this process, ``yes`` in ``yes | head`` would never learn that nobody reads any more.  Children get
the default action for SIGPIPE back (Python ignores it, ``subprocess`` restores it), so the writer
dies quietly.  Input and error output go through unnamed files, which cannot fill up as pipes do.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

from command_group import end_group, start_group


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """How the commands of a pipeline ended, in order.

    Attributes:
        statuses: exit statuses, ``-N`` when signal N ended the command.
        stdout: what the last one wrote.
        stderr: what each wrote to standard error.
    """

    statuses: tuple[int, ...]
    stdout: bytes
    stderr: tuple[bytes, ...]

    @property
    def ok(self) -> bool:
        """Say whether all succeeded; one that stopped because its reader had enough did."""
        return self.statuses[-1] == 0 and all(
            status in (0, -signal.SIGPIPE) for status in self.statuses[:-1]
        )


def run_pipeline(
    commands: Sequence[Sequence[str | os.PathLike[str]]],
    *,
    feed: bytes = b"",
    timeout: float | None = None,
    grace: float = 1.0,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
) -> PipelineResult:
    """Run commands side by side, the output of each being the input of the next.

    Args:
        commands: argument lists, one at least.
        feed: the input of the first.
        timeout: seconds for all of them together.
        grace: seconds between TERM and KILL when they must be ended.
        env: their whole environment.
        cwd: where they run.

    Raises:
        ValueError: no command was given.
        OSError: one cannot be started; those before it have been ended.
        subprocess.TimeoutExpired: the time was over; all have been ended.
    """
    if not commands:
        raise ValueError("a pipeline needs one command at least, got none")
    deadline = math.inf if timeout is None else time.monotonic() + timeout
    with ExitStack() as stack:
        source = stack.enter_context(TemporaryFile())
        source.write(feed)
        source.seek(0)
        errors = [stack.enter_context(TemporaryFile()) for _ in commands]
        processes = stack.enter_context(_ended_at_last(grace))
        for process in _connected(commands, source, errors, env, cwd):
            processes.append(process)
        stdout, _ = processes[-1].communicate(timeout=_left(deadline))
        statuses = tuple(process.wait(_left(deadline)) for process in processes)
        return PipelineResult(statuses, stdout, tuple(map(_read_again, errors)))


def _connected(
    commands: Sequence[Sequence[str | os.PathLike[str]]],
    source: IO[bytes],
    errors: Sequence[IO[bytes]],
    env: Mapping[str, str] | None,
    cwd: str | os.PathLike[str] | None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start each command on the output of the one before; yields it at once, to be ended."""
    stdin = source
    for argv, stderr in zip(commands, errors, strict=True):
        process = start_group(
            argv, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, env=env, cwd=cwd
        )
        stdin.close()  # the child has it; ours would keep the pipe open
        assert process.stdout is not None
        stdin = process.stdout
        yield process


@contextmanager
def _ended_at_last(grace: float) -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    try:
        yield processes
    finally:
        with ExitStack() as ending:  # goes on with the others when one of them fails
            for process in processes:
                ending.callback(_end, process, grace)


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    if process.stdout is not None:
        process.stdout.close()
    if process.returncode is None:
        end_group(process, grace)


def _left(deadline: float) -> float | None:
    return None if deadline == math.inf else max(deadline - time.monotonic(), 0)


def _read_again(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()

"""Run many commands at once, but never more than so many.

Exercise D7.  Each outcome stays with its command: one that fails, is missing or takes too long does
not spoil the others.  Ctrl-C, or any other way out, ends the running ones with their groups and
starts no more.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from run_command import CommandResult, run_command

Command = Sequence[str | os.PathLike[str]]
Outcome = CommandResult | OSError | subprocess.TimeoutExpired


def run_all(
    commands: Iterable[Command], *, limit: int | None = None, timeout: float | None = None
) -> list[Outcome]:
    """Run commands side by side and return their outcomes in the order of the commands.

    Args:
        commands: argument lists.
        limit: how many may run at the same time; the number of processors if not given.
        timeout: seconds for each.

    Returns:
        A ``CommandResult`` whatever its status, or the error that kept the command from ending.

    Raises:
        ValueError: a limit below 1.
    """
    cancelled = threading.Event()
    with ThreadPoolExecutor(os.cpu_count() if limit is None else limit) as pool:
        try:
            futures = [pool.submit(_outcome, argv, timeout, cancelled) for argv in commands]
            return [future.result() for future in futures]
        except BaseException:
            cancelled.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _outcome(argv: Command, timeout: float | None, cancelled: threading.Event) -> Outcome:
    try:
        return run_command(argv, timeout=timeout, cancelled=cancelled)
    except (OSError, subprocess.TimeoutExpired) as error:
        return error

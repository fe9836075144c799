"""Fork a child, let parent and child say who they are, and wait.

Exercise A14.  A script: ``python fork_and_wait.py``.  The traps it avoids: a child that runs on
into the code of its parent, after an error too; output that was waiting in a buffer and is written
by both; a child that is never waited for; a parent that asks again and again instead of waiting.
"""

from __future__ import annotations

import argparse
import operator
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn

FAILED = 1  # what the interpreter's own exit status is after an exception


def fork_child(work: Callable[[], int]) -> int:
    """Run a function in a child process; returns the child's pid, in the parent only.

    The child's exit status is what ``work`` returns, or 1 if it raises or if its output cannot be
    written.  The caller has to wait.
    """
    sys.stdout.flush()  # or the child would have a copy of what the parent is about to write
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _live_as_child(work)
    return pid


def _live_as_child(work: Callable[[], int]) -> NoReturn:
    status = FAILED
    try:
        code = operator.index(work()) & 0xFF  # an error, if it is no whole number
        sys.stdout.flush()  # os._exit does not
        status = code  # only now: output that is lost is no success
    except BaseException:  # noqa: BLE001  # whatever it is: it must not climb into the parent's code
        traceback.print_exc()
    finally:
        try:
            sys.stderr.flush()
            sys.stdout.flush()  # what it had written before it failed
        finally:
            os._exit(status)


def wait_for(pid: int) -> int:
    """Wait for one child, asleep; returns its exit status, or ``-N`` if signal N ended it.

    Raises:
        ChildProcessError: this process has no such child, or it was waited for before.
    """
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def say(line: str) -> None:
    """Print a line in one piece: unbuffered, ``print`` writes the end of the line by itself."""
    sys.stdout.write(f"{line}\n")


def greet_as_child() -> int:
    """Say who we are, as the child."""
    say(f"child  {os.getpid()}: my parent is {os.getppid()}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    argparse.ArgumentParser(prog="fork_and_wait", description="Fork and wait.").parse_args(argv)
    pid = fork_child(greet_as_child)
    say(f"parent {os.getpid()}: my child is {pid}")
    status = wait_for(pid)
    say(f"parent {os.getpid()}: child {pid} ended with status {status}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

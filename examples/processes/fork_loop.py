"""Fork a child at every turn, until a line says ``q`` or there are no more lines.

Exercise C5.  A script: ``python fork_loop.py``.  The traps it avoids: the end of the input
(Ctrl-D, a pipe that was closed), after which the lecture's loop ends by a traceback; children that
nobody waits for and that stay as zombies while the loop goes on; a child that runs on into the
loop and forks children of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

from forked_worker import fork_worker, wait_for
from wait_status import ChildStatus, decode

QUIT = "q"
INTERRUPTED = 130  # what a shell reports for a program ended by Ctrl-C: 128 + SIGINT


def say(line: str) -> None:
    """Print a line in one piece, now: parent and child write to the same place."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def fork_until_quit(start: Callable[[], int], lines: TextIO) -> dict[int, ChildStatus]:
    """Start a child, read a line, and again; returns how each child ended, by its pid.

    Children that have ended are waited for at each turn, and those that still run at the end, also
    after an error and after Ctrl-C.

    Args:
        start: starts a child and returns its pid, in this process only.
        lines: where they come from; a terminal shows a prompt.

    Raises:
        OSError: no child could be started.
    """
    ended: dict[int, ChildStatus] = {}
    running: list[int] = []
    try:
        while True:
            running.append(start())
            if not _wants_more(lines):
                break
            _collect(running, ended)
    finally:
        for pid in running:
            ended[pid] = wait_for(pid)
    return ended


def _wants_more(lines: TextIO) -> bool:
    if lines.isatty():
        sys.stdout.write(f"another one? ({QUIT} ends) ")
        sys.stdout.flush()
    line = lines.readline()
    return bool(line) and line.strip() != QUIT  # no line at all, not even an empty one, is the end


def _collect(running: list[int], ended: dict[int, ChildStatus]) -> None:
    """Take the children that have ended off the kernel's hands, without waiting for the others."""
    for pid in tuple(running):
        collected, word = os.waitpid(pid, os.WNOHANG)
        if collected:
            running.remove(pid)
            ended[pid] = decode(word)


def greet() -> int:
    """Be the child; the status is 0."""
    say(f"hello from child {os.getpid()}")
    return 0


def start_greeter() -> int:
    """Start a child that greets, and say in the parent which one; returns its pid."""
    pid = fork_worker(greet)
    say(f"hello from parent {os.getpid()}, child {pid}")
    return pid


def run_loop(program: str, start: Callable[[], int]) -> int:
    """Run the loop on standard input; returns the exit status: 0 if all children succeeded."""
    try:
        ended = fork_until_quit(start, sys.stdin)
    except OSError as error:
        print(f"{program}: cannot start a child: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    failed = {pid: status for pid, status in ended.items() if not status.succeeded}
    for pid, status in failed.items():
        print(f"{program}: child {pid} {status}", file=sys.stderr)
    say(f"{len(ended)} {'child' if len(ended) == 1 else 'children'} started and waited for")
    return 1 if failed else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    argparse.ArgumentParser(
        prog="fork_loop", description="Fork a child for each line that is read, until one says q."
    ).parse_args(argv)
    return run_loop("fork_loop", start_greeter)


if __name__ == "__main__":
    sys.exit(main())

"""Let five children count side by side, and wait for all of them.

Exercise C6.  A script: ``python five_counters.py``.  The traps it avoids: a parent that ends first,
so that the shell's prompt comes between the children's lines and nobody has their status; lines of
two children on one line, because a line was written in two pieces.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence

from forked_worker import fork_worker, wait_for
from wait_status import ChildStatus

CHILDREN = 5
LIMIT = 5


def count_to(limit: int, step: Callable[[int], object]) -> None:
    """Be a child: count, with a line and a call of ``step`` for each number."""
    for number in range(limit):
        os.write(1, f"[{os.getpid()}] => {number}\n".encode())  # one write, so one whole line
        step(number)


def count_side_by_side(
    children: int = CHILDREN,
    limit: int = LIMIT,
    step: Callable[[int], object] = lambda _: None,
) -> dict[int, ChildStatus]:
    """Fork children that count at once; returns, when all have ended, how each did, by pid.

    Args:
        children: how many.
        limit: how many numbers each of them counts.
        step: called in the child after each number.

    Raises:
        OSError: no further child could be forked; those before it have ended.
    """
    pids: list[int] = []
    ended: dict[int, ChildStatus] = {}
    try:
        for _ in range(children):
            pid = fork_worker(lambda: count_to(limit, step))
            pids.append(pid)  # at once: after an error it must be known
    finally:
        for pid in pids:  # in any order: who ends earlier waits as a zombie for its turn
            ended[pid] = wait_for(pid)
    return ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status, 0 if all children succeeded."""
    parser = argparse.ArgumentParser(
        prog="five_counters", description="Let five children count side by side."
    )
    parser.add_argument("--pause", type=float, default=0.0, help="seconds after each number")
    wanted = parser.parse_args(argv)
    if not wanted.pause >= 0:
        parser.error(f"--pause {wanted.pause:g}: 0 or more is expected")
    try:
        ended = count_side_by_side(step=lambda _: time.sleep(wanted.pause))
    except OSError as error:
        print(f"five_counters: cannot start a child: {error.strerror}", file=sys.stderr)
        return 1
    failed = [f"child {pid} {status}" for pid, status in ended.items() if not status.succeeded]
    for line in failed:
        print(f"five_counters: {line}", file=sys.stderr)
    print("main process exiting")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""What an empty forked call costs beside a bare fork, in one process, in turn: medians as JSON.

    python benchmarks/forks.py [calls] [MiB of small objects]

The objects are what a large program has: a collection of garbage in the child would copy them.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time

from pytest_syskit import run_in_fork

_OBJECTS = 9_000  # lists of one element in a MiB, about


def bare() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def nothing() -> None:
    pass


def ours() -> None:
    run_in_fork(nothing)


def timed(call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def main(calls: int, heap: int) -> None:
    kept = [[number] for number in range(heap * _OBJECTS)]
    ways = {"bare": bare, "ours": ours}
    times = {name: [] for name in ways}
    for call in ways.values():
        timed(call)  # what only the first call does
    for _ in range(calls):
        for name, call in ways.items():
            times[name].append(timed(call))
    del kept
    print(json.dumps({name: statistics.median(found) for name, found in times.items()}))


if __name__ == "__main__":
    main(*[int(argument) for argument in (*sys.argv[1:3], "200", "0")[:2]])

"""Fork workers and wait for whichever ends next, until none is left.

Exercise B14.  Traps.  A child that nobody waits for stays in the process table as a zombie.
``os.wait`` takes the status of any child, also of one that other code of this process waits for:
use it only where all children are known.  And its second value is a status word, no exit code.

Each worker waits at a gate, a pipe which the parent closes; a parent that dies opens all gates.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forked_worker import fork_worker
from wait_status import decode


@dataclass(frozen=True, slots=True)
class Gate:
    """A pipe: who reads from it waits until every writing end is closed."""

    reader: int
    writer: int

    def wait(self) -> None:
        """Wait until the gate is opened."""
        os.read(self.reader, 1)


def make_gate() -> Gate:
    """Make a closed gate."""
    return Gate(*os.pipe())


def ended_children() -> Iterator[tuple[int, int]]:
    """Wait for any child, yield its pid and status word, and go on until there is no child."""
    while True:
        try:
            yield os.wait()
        except ChildProcessError:  # ECHILD: none is left
            return


def work(number: int, gates: Sequence[Gate]) -> int:
    """Be worker ``number``: start, wait at the gate of that number, finish with that status."""
    for gate in gates:
        os.close(gate.writer)  # or it would keep the other workers waiting
    say(f"WORKER {number}: Starting")
    gates[number].wait()
    say(f"WORKER {number}: Finishing")
    return number


def say(text: str) -> None:
    """Write a whole line at once, so that the lines of two processes never mix."""
    sys.stdout.flush()
    os.write(sys.stdout.fileno(), f"{text}\n".encode())


def show_workers(count: int = 2) -> dict[int, tuple[int, int]]:
    """Fork workers that end with status 0, 1, 2…, in this order.

    Returns:
        For each worker its pid and its status word, as ``os.wait`` gave them.
    """
    gates = [make_gate() for _ in range(count)]
    numbers: dict[int, int] = {}
    for number in range(count):
        say(f"PARENT: Forking {number}")
        numbers[fork_worker(lambda number=number: work(number, gates))] = number
    for gate in gates:
        os.close(gate.reader)
    return {numbers[pid]: (pid, word) for pid, word in _open_in_turn(gates)}


def _open_in_turn(gates: Sequence[Gate]) -> Iterator[tuple[int, int]]:
    ended = ended_children()
    for number, gate in enumerate(gates):
        say(f"PARENT: Waiting for {number}")
        os.close(gate.writer)
        pid, word = next(ended)
        say(f"PARENT: ({pid}, {word}) {decode(word)}")
        yield pid, word


def main(argv: Sequence[str] | None = None) -> int:
    """Show two workers, or as many as the argument says."""
    parser = argparse.ArgumentParser(description="Start workers and wait for all of them.")
    parser.add_argument("number", nargs="?", type=int, default=2, help="of workers (default: 2)")
    show_workers(parser.parse_args(argv).number)
    return 0


if __name__ == "__main__":
    sys.exit(main())

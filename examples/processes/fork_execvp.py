"""Fork at every turn, and let the child become a second script that gets an argument.

Exercise C7.  A script: ``python fork_execvp.py``; the loop is that of ``fork_loop.py``, the start
that of ``exec_after_fork.py``.

 parent   fork ─────────────────▶ waitpid ─▶ status
 child     └▶ execvp(python, [python, hello_script.py, "1"]) ─▶ hello_script.py ─▶ exit
                └ fails ─▶ _exit(127)

The traps it avoids.  ``execvp`` takes the program and a list, whose first item is the program's own
name; loose strings are a TypeError.  After any error the child is still a copy of its parent: it
has to end at once, with 127 as in a shell, or it would go round the loop and fork children itself.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Sequence

from exec_after_fork import start_program
from fork_loop import run_loop, say
from forked_worker import wait_for
from wait_status import ChildStatus

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hello_script.py")


def start_script(argument: str, script: str = SCRIPT) -> int:
    """Start a Python script with one argument, by fork and execvp; returns the child's pid.

    Args:
        argument: reaches the script as it is; no shell sees it.
        script: the file; the interpreter, not this call, finds out if it is missing.

    Raises:
        OSError: the interpreter could not be started; the child has ended with 127.
        ValueError: a word has a NUL in it, which no program can be given.
    """
    words = [sys.executable, script, argument]
    for word in words:
        if "\0" in word:
            raise ValueError(f"{word!r}: a NUL cannot be passed to a program")
    return start_program(words)


def run_script(argument: str, script: str = SCRIPT) -> ChildStatus:
    """Start a script as above, wait for it, and tell how it ended."""
    return wait_for(start_script(argument, script))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    argparse.ArgumentParser(
        prog="fork_execvp", description="Start a second script for each line, until one says q."
    ).parse_args(argv)
    turns = itertools.count(1)

    def start() -> int:
        pid = start_script(str(next(turns)))
        say(f"child is {pid}")
        return pid

    return run_loop("fork_execvp", start)


if __name__ == "__main__":
    sys.exit(main())

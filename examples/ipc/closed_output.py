"""End in good manners when the reader of our standard output has left.

Exercises C13 and C14.  Trap: after a BrokenPipeError the interpreter tries, at its exit, to write
what is left in the buffer, and prints a second error.
"""

from __future__ import annotations

import os
import sys


def silence_output() -> None:
    """Let whatever is still written to standard output go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)

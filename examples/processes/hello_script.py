"""Say hello, as the program that a child of ``fork_execvp.py`` becomes.

Exercise C7.  A script: ``python hello_script.py ARGUMENT``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(prog="hello_script", description="Say hello.")
    parser.add_argument("argument", help="anything; is shown as it came")
    argument = os.fsencode(parser.parse_args(argv).argument)
    sys.stdout.flush()
    os.write(1, b"hello from script %d with %s\n" % (os.getpid(), argument))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Print the sizes of files in bytes, in the order of their names on the command line.

Exercise A4.  A script: ``python byte_sizes.py FILE …``.  A link is followed to what it names; a
link that leads nowhere is told as such.

The traps it avoids: stopping at the first bad name; a dangling link that is told as missing
although ``ls`` shows it.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from polite_script import complain, politely, say, shown

PROGRAM = "byte_sizes"


def byte_size(path: str) -> int:
    """Return the size of what a name leads to, in bytes.

    Raises:
        OSError: there is nothing; of a dangling link the message says where it points.
    """
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        if os.path.islink(path):
            why = f"is a link that leads nowhere: {shown(os.readlink(path))}"
            raise OSError(errno.ENOENT, why, path) from None
        raise


@politely
def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Print sizes in bytes.")
    parser.add_argument("files", nargs="+", metavar="FILE")
    status = 0
    for path in parser.parse_args(argv).files:
        try:
            say(f"{byte_size(path)}\t{shown(path)}")
        except OSError as error:
            complain(PROGRAM, error)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())

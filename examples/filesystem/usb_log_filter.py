"""Save the lines of a system log that mention USB.

Exercise A3.  A script: ``python usb_log_filter.py [LOG] --output FILE``.  Lines are bytes, so
nothing is lost or refused whatever a device calls itself; ``.gz`` logs are unpacked on the way.

The traps it avoids: a log read into memory as a whole; half an output after an error; an output
that is the log itself; a word such as ``BUSBAR`` taken for the USB.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from polite_script import complain, politely, say, shown
from replace_when_done import replace_when_done

PROGRAM = "usb_log_filter"
DEFAULT_LOG = "/var/log/messages"
# The word itself, or with what a kernel puts around it: usb1, usb-storage, usbhid, xhci_usb.
USB = re.compile(rb"(?<![a-z])usb", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many lines were kept, of how many."""

    kept: int
    read: int

    def __str__(self) -> str:
        """Say it with the right plural."""
        return f"{self.kept:,} of {self.read:,} line{'' if self.read == 1 else 's'}"


def filter_lines(lines: Iterable[bytes], output: BinaryIO) -> Counts:
    """Write the lines that mention USB, as they are."""
    kept = read = 0
    for line in lines:
        read += 1
        if USB.search(line):
            kept += 1
            output.write(line)
    return Counts(kept, read)


def filter_log(log: str, output: str) -> Counts:
    """Filter one file into another, which appears whole or not at all.

    Raises:
        OSError: the log cannot be read or the output not be written.
    """
    with open_log(log) as lines, replace_when_done(output) as kept:
        if os.path.exists(output) and os.path.samefile(log, output):
            raise OSError(None, "is the log itself, so it is not written to", output)
        return filter_lines(lines, kept)


@contextmanager
def open_log(path: str) -> Iterator[Iterable[bytes]]:
    """Open a log, packed or not, for reading its lines; damage is an ``OSError`` with its name."""
    opener = gzip.open if path.endswith(".gz") else open
    with cast("IO[bytes]", opener(path, "rb")) as lines:
        try:
            yield lines
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise OSError(None, f"is damaged: {error}", path) from error


@politely
def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description="Save the lines of a log that mention USB."
    )
    parser.add_argument("log", nargs="?", default=DEFAULT_LOG, help="default: %(default)s")
    parser.add_argument(
        "-o", "--output", default="usb.log", help="file to write (default: %(default)s)"
    )
    wanted = parser.parse_args(argv)
    try:
        counts = filter_log(wanted.log, wanted.output)
    except OSError as error:
        complain(PROGRAM, error)
        return 1
    say(f"{counts} of {shown(wanted.log)} saved in {shown(wanted.output)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""List a directory and say of every entry what it is.

Exercise A7.  A script: ``python list_and_classify.py [DIRECTORY]``.  The kinds are file, directory,
symlink (with its target), FIFO, socket, block device, character device and unknown.

The traps it avoids: classifying a bare name, which is looked up in the working directory and not in
the listed one; opening anything to find out what it is; one entry that vanishes or may not be
looked at ending the list.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from polite_script import complain, politely, say, shown

PROGRAM = "list_and_classify"
_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "block device",
    stat.S_IFCHR: "character device",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A name in a directory, what it is, and where it points if it is a link."""

    name: str
    kind: str
    target: str | None = None


def kind_of(mode: int) -> str:
    """Name the kind that a mode tells of."""
    return _KINDS.get(stat.S_IFMT(mode), "unknown")


def classify(directory: str, name: str) -> Entry:
    """Say what one entry is; a link is a link, whatever it leads to.

    Raises:
        OSError: it is gone, or may not be looked at.
    """
    path = os.path.join(directory, name)
    kind = kind_of(os.lstat(path).st_mode)
    return Entry(name, kind, os.readlink(path) if kind == "symlink" else None)


def list_entries(directory: str) -> Iterator[Entry | OSError]:
    """Yield every entry, sorted by name, or the error of one that cannot be looked at.

    Raises:
        OSError: the directory itself cannot be listed.
    """
    for name in sorted(os.listdir(directory)):
        try:
            yield classify(directory, name)
        except FileNotFoundError:
            continue  # it vanished after the listing, so it is no entry any more
        except OSError as error:
            yield error


def line(entry: Entry) -> str:
    """Lay out an entry for people."""
    arrow = "" if entry.target is None else f" -> {shown(entry.target)}"
    return f"{entry.kind:17} {shown(entry.name)}{arrow}"


@politely
def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="List a directory with kinds.")
    parser.add_argument("directory", nargs="?", default=os.curdir, help="default: the current one")
    status = 0
    try:
        for entry in list_entries(parser.parse_args(argv).directory):
            if isinstance(entry, OSError):
                complain(PROGRAM, entry)
                status = 1
            else:
                say(line(entry))
    except BrokenPipeError:
        raise
    except OSError as error:
        complain(PROGRAM, error)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())

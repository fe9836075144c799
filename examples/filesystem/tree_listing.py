"""List a tree: each directory, and under it what it holds, indented and sorted.

Exercise B10.  A directory has a trailing slash.  A link to one has not, and is not entered, so that
circles have no end to be found.  Traps: ``os.walk`` keeps silent about directories that it cannot
read, unless told otherwise; names may hold line ends, and bytes that no terminal can show.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator


def tree_lines(top: str, on_error: Callable[[OSError], object]) -> Iterator[str]:
    """Yield the lines of a listing, directory by directory; a blank line between two.

    Args:
        top: the directory to begin with.
        on_error: is called with each directory that cannot be read; the rest is listed.
    """
    blank = False
    for folder, directories, files in os.walk(top, onerror=on_error):
        if blank:
            yield ""
        blank = True
        directories.sort()  # in place: this is the order in which they are entered, too
        yield shown(folder)
        links = [name for name in directories if os.path.islink(os.path.join(folder, name))]
        entered = [f"{name}/" for name in directories if name not in links]
        yield from (f"\t{shown(name)}" for name in sorted(entered + links + files))


def shown(name: str) -> str:
    """Write a name on one line: quoted if it has line ends or bytes that are no text."""
    return name if name.isprintable() else ascii(name)


def main(argv: list[str] | None = None) -> int:
    """List directory trees, each directory with its sorted contents."""
    parser = argparse.ArgumentParser(prog="tree_listing", description=main.__doc__)
    parser.add_argument("top", nargs="*", default=[os.curdir], help="default: the current one")
    failures: list[OSError] = []

    def complain(error: OSError) -> None:
        failures.append(error)
        sys.stdout.flush()  # so that the two streams keep their order on a terminal
        print(f"tree_listing: {shown(str(error.filename))}: {error.strerror}", file=sys.stderr)

    for number, top in enumerate(parser.parse_args(argv).top):
        if number:
            print()
        for line in tree_lines(top, complain):
            print(line)
    return 1 if failures else 0


def quiet_main() -> int:
    """Run :func:`main`; a reader who has seen enough (``| head``) is no error."""
    try:
        status = main()
        sys.stdout.flush()
    except BrokenPipeError:
        # What is left in the buffer would raise once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")  # a name must not end the listing
    sys.exit(quiet_main())

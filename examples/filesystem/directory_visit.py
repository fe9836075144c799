"""Work in another directory for a while, and come back whatever happens.

Exercise B4.  Traps.  The working directory belongs to the whole process, so a change must not
outlive its block.  Going back by name fails when the old directory was renamed meanwhile, and may
end elsewhere, so we go back by descriptor.  And ``..`` of a directory that was reached by a link
is the true parent, not the one in ``$PWD``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def visit(path: str | os.PathLike[str]) -> Iterator[None]:
    """Work in ``path`` for a ``with`` block, then be back where we were.

    Not for threads: all of them go along.

    Raises:
        OSError: ``path`` cannot be entered; we have not moved.
    """
    with _place_to_return() as home:
        os.chdir(path)
        try:
            yield
        finally:
            os.chdir(home)


@contextmanager
def _place_to_return() -> Iterator[int | str]:
    """Yield what brings ``os.chdir`` back: a descriptor where it takes one (not on Windows)."""
    if os.chdir not in os.supports_fd:
        yield os.getcwd()
        return
    fd = os.open(os.curdir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)


def main() -> int:
    """Show the start, one directory up, and the start again."""
    print(f"Starting: {os.getcwd()}")
    print(f"Moving up one: {os.pardir}")
    with visit(os.pardir):
        print(f"After move: {os.getcwd()}")
    print(f"Back: {os.getcwd()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

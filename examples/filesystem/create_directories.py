"""Create directories and files, list them, and clean up no more than was meant.

Exercise B8.

============  ===================================  =============================================
``mkdir``     one level; parents must exist        an error if it exists
``makedirs``  all levels; ``mode`` is for the      ``exist_ok`` excuses a directory, not a file
              last one only
``rmdir``     one level, which must be empty
``removedirs`` the same, and then upwards, each    stops without an error at the first one that
              parent that has become empty         is not empty, wherever that is
============  ===================================  =============================================

The trap is the last one: ``removedirs`` climbs as far as it can, out of the place that is yours.
:func:`remove_empty` stops at a directory that you name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

EXAMPLE = "example.txt"


def show_directory(directory: str | os.PathLike[str]) -> None:
    """Create a directory with a file, list it, and remove both again.

    Raises:
        FileExistsError: something of that name exists; it is left alone.
    """
    folder = Path(directory)
    print(f"Creating {folder}")
    folder.mkdir()
    file = folder / EXAMPLE
    try:
        print(f"Creating {file}")
        file.write_text("contents", encoding="utf-8")
        print(f"Listing {folder}")
        print(sorted(os.listdir(folder)))
    finally:
        print("Cleaning up")
        file.unlink(missing_ok=True)
        folder.rmdir()  # not a tree removal: what somebody else put there is not ours


def remove_empty(path: str | os.PathLike[str], top: str | os.PathLike[str]) -> list[Path]:
    """Remove an empty directory, then each parent below ``top`` that has become empty.

    Args:
        path: the directory to begin with.
        top: stays in any case, as does everything that is not below it.

    Returns:
        What was removed, in this order.

    Raises:
        ValueError: ``path`` is not below ``top``.
        OSError: ``path`` itself cannot be removed: it is missing, not empty, or a link.
    """
    limit = Path(os.path.realpath(top))
    # The last part is not resolved: a link to a directory is no directory to remove.
    parent, name = os.path.split(os.path.abspath(path))
    first = Path(os.path.realpath(parent), name)
    if limit not in first.parents:
        raise ValueError(f"{str(first)!r} is not below {str(limit)!r}")
    first.rmdir()
    removed = [first]
    for above in first.parents:
        if above == limit or not _removed(above):
            return removed
        removed.append(above)
    return removed


def _removed(directory: Path) -> bool:
    try:
        directory.rmdir()
    except OSError:  # not empty, or no permission: here the climb ends, as documented
        return False
    return True


def main() -> int:
    """Create and remove ``os_directories_example`` in the working directory."""
    try:
        show_directory("os_directories_example")
    except OSError as error:
        sys.stdout.flush()
        print(f"create_directories: {error.filename!r}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

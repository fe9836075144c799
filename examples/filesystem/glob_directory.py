"""Find names by pattern in one directory: sorted, with or without the hidden ones.

Exercise A13.  The traps it avoids: a directory whose own name has pattern characters (``data[1]``)
joined with a pattern and then read as one; the order of the directory taken for an order.
"""

from __future__ import annotations

import glob
import os


def glob_here(pattern: str = "*.py") -> list[str]:
    """Return the names in the working directory that match, sorted."""
    return sorted(glob.glob(pattern))


def glob_in(directory: str, pattern: str = "*.py", *, hidden: bool = False) -> list[str]:
    """Return the paths in a directory that match, sorted.

    Args:
        directory: taken as it is, whatever characters are in its name.
        pattern: ``*``, ``?`` and ``[…]``; for the names in it.
        hidden: let ``*`` match names that begin with a dot, too; a pattern that begins with a dot
            always does.

    A directory that is missing or cannot be read has no names: ``glob`` tells no errors.
    """
    place = glob.escape(directory)
    found = glob.glob(os.path.join(place, pattern))
    if hidden and not pattern.startswith("."):
        # Two patterns, since include_hidden is new in Python 3.11; "." itself never matches.
        found += _hidden(place, pattern)
    return sorted(found)


def _hidden(place: str, pattern: str) -> list[str]:
    if not pattern.startswith(("*", "?")):
        return []
    candidates = glob.glob(os.path.join(place, ".*"))
    return [path for path in candidates if _matches(os.path.basename(path), pattern)]


def _matches(name: str, pattern: str) -> bool:
    import fnmatch  # noqa: PLC0415  # for hidden names only

    return fnmatch.fnmatchcase(os.path.normcase(name), os.path.normcase(pattern))

"""Find paths by the patterns of the ``glob`` module: all forms, several patterns, a stable order.

Exercise D23.

    ===========  ======================================================================
    ``*``        any characters of one name, but no leading dot
    ``?``        one character
    ``[abc]``    one of these; ``[a-z]`` a range; ``[!abc]`` any but these
    ``**``       any number of directories, none included
    ``[*]``      the character itself; ``escape`` does it for a whole name
    ===========  ======================================================================

One directory with a pattern is ``glob_directory.py`` (A13); patterns that mean the same on every
system, leave things out, and do not run in circles through links are ``portable_glob.py`` (D25).

The traps it avoids: a ``set`` to remove what two patterns both match, which loses the order; a
directory whose name has pattern characters; a list of a million paths for the sake of the first.
"""

from __future__ import annotations

import fnmatch
import glob
import os
from collections.abc import Iterable, Iterator


def matches(root: str | os.PathLike[str], *patterns: str) -> list[str]:
    """Return the paths below ``root`` that match a pattern, each once, relative to ``root``.

    They are in the order of the patterns, and for each pattern in that of the names.
    """
    found = (path for pattern in patterns for path in sorted(_lazily(root, pattern)))
    return list(dict.fromkeys(found))  # a dict, not a set: it keeps the order


def first_match(root: str | os.PathLike[str], pattern: str) -> str | None:
    """Return any one path that matches, or ``None``; looks no further than it has to."""
    return next(_lazily(root, pattern), None)


def except_those(names: Iterable[str], *patterns: str) -> list[str]:
    """Return the names that match none of the patterns, in their order.

    ``[!…]`` negates one character only; no pattern says "every name but".
    """
    return [name for name in names if not any(fnmatch.fnmatchcase(name, p) for p in patterns)]


def literally(root: str | os.PathLike[str], prefix: str) -> list[str]:
    """Return the names that begin with ``prefix``, whatever characters are in it, sorted."""
    return sorted(_lazily(root, f"{glob.escape(prefix)}*"))


def _lazily(root: str | os.PathLike[str], pattern: str) -> Iterator[str]:
    # root_dir, for a root that is joined with the pattern would be read as one.  Without its end
    # "**" leaves an empty path for the root itself, which is nothing below it.
    found = glob.iglob(pattern, root_dir=root, recursive=True)
    return (path for path in found if path)

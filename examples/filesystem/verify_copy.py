"""Verify a copy by the checksums of both files (script).

Exercise D18.  Files are read in pieces, and each from its own inode: a hard link, or a symbolic
link to the original, agrees with it always and proves nothing, so that is told apart.  Exit status
as with ``cmp``: 0 the same, 1 different, 2 trouble.
"""

from __future__ import annotations

import argparse
import errno
import hashlib
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass

_CHUNK = 1 << 20  # bytes: large enough that reading costs more than calling
_TROUBLE = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """Two files compared.

    Attributes:
        original: the checksum of the first.
        copy: the checksum of the second.
        one_file: both names lead to one and the same file.
    """

    original: str
    copy: str
    one_file: bool

    @property
    def verified(self) -> bool:
        """Say whether the second is a copy: of its own, and with the same content."""
        return self.original == self.copy and not self.one_file


def checksum(path: str | os.PathLike[str], algorithm: str = "sha256") -> str:
    """Return the checksum of a regular file as hexadecimal digits.

    Raises:
        OSError: it cannot be read, or is no regular file (a FIFO would never end).
        ValueError: there is no such algorithm.
    """
    return _look(path, algorithm)[0]


def verify_copy(
    original: str | os.PathLike[str], copy: str | os.PathLike[str], algorithm: str = "sha256"
) -> Verdict:
    """Compare a file and its copy; errors are those of :func:`checksum`."""
    (first, place), (second, other) = _look(original, algorithm), _look(copy, algorithm)
    return Verdict(first, second, os.path.samestat(place, other))


def _look(path: str | os.PathLike[str], algorithm: str) -> tuple[str, os.stat_result]:
    digest = hashlib.new(algorithm)
    with open(path, "rb", buffering=0, opener=_without_waiting) as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "only regular files have a checksum", os.fspath(path))
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest(), found


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return its exit status."""
    parser = argparse.ArgumentParser(prog="verify_copy", description=__doc__.splitlines()[0])
    parser.add_argument("original")
    parser.add_argument("copy")
    parser.add_argument("--algorithm", default="sha256", help="as hashlib knows it (sha256)")
    options = parser.parse_args(argv)
    try:
        verdict = verify_copy(options.original, options.copy, options.algorithm)
    except (OSError, ValueError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return _TROUBLE
    print(f"{verdict.original}  original\n{verdict.copy}  copy")
    if verdict.one_file:
        print(f"{parser.prog}: both names lead to the same file", file=sys.stderr)
        return 1
    return 0 if verdict.verified else 1


if __name__ == "__main__":
    sys.exit(main())

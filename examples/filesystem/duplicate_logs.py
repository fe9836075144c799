"""Write down what a search for duplicates found: every hash, and every group.

Exercise A12, the logs.  Both are bytes, since names are; a name with a line break or a backslash is
escaped as GNU ``sha256sum`` does it, so ``sha256sum -c`` can check the hash log.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from duplicate_search import Copy, DuplicateGroup


def write_hash_log(file: BinaryIO, hashes: Iterable[tuple[str, Copy]]) -> None:
    """Write ``digest  name`` for every name of every file that was read to its end."""
    for digest, copy in hashes:
        for path in copy.paths:
            mark, name = escaped(path)
            file.write(mark + digest.encode() + b"  " + name + b"\n")


def write_duplicate_log(file: BinaryIO, groups: Iterable[DuplicateGroup]) -> None:
    """Write each group: a line of totals, then a line for each name; hard links are indented."""
    for group in groups:
        file.write(f"# {headline(group)}, {group.digest}\n".encode())
        file.writelines(_lines(group))
        file.write(b"\n")


def _lines(group: DuplicateGroup) -> Iterator[bytes]:
    for copy in group.copies:
        for number, path in enumerate(copy.paths):
            yield (b"  = " if number else b"") + b"".join(escaped(path)) + b"\n"


def headline(group: DuplicateGroup) -> str:
    """Say how many files of which size, and what they waste."""
    return f"{len(group.copies)} files of {count(group.size, 'byte')}, {group.wasted:,} wasted"


def count(number: int, noun: str) -> str:
    """Write a number with its noun: ``1 byte``, ``2,000 bytes``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def escaped(path: str) -> tuple[bytes, bytes]:
    r"""Return a name that fits on a line, after the backslash that tells of it if need be."""
    name = os.fsencode(path)
    safe = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"" if safe == name else b"\\"), safe

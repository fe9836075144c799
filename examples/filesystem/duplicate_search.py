"""Find files of equal content: by size first, then by their beginning, then by all of it.

Exercise A12, the search; the script is ``duplicate_files.py``.  Nothing is read but files that
share their size with another one, and nothing large is read to its end but files that also begin
alike.  Small files are compared as they are, others by a hash, piece by piece.  Links are never
followed, the names of a file with hard links count as one file, and what cannot be read, vanishes
or changes meanwhile becomes a problem to tell, never the end of the search.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from file_pieces import named, pieces

# Of hashlib's secure functions sha256 is the fastest where the processor has instructions for it
# (435 MB/s against 227 of blake2b on the machine of our benchmark; for tiny files they differ by
# less than a microsecond), and its logs can be checked with sha256sum.
DEFAULT_HASH = "sha256"
HASHES = ("sha256", "blake2b")
_SMALL = 16 * 1024  # bytes: up to here reading everything costs less than opening a file twice
_HELD = 64 * 10**6  # bytes of content that are held in memory to be compared, at most
_BEGINNING = 4096  # bytes: one page, the least that the kernel reads

Key = TypeVar("Key", str, bytes)
Identity = tuple[int, int]  # device and inode
Sighting = tuple[int, str, int, int]  # rank of the root, path, device, inode


class Copy(NamedTuple):
    """One file: its identity, and the names (hard links) under which the search met it."""

    identity: Identity
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Files of equal content; the first copy is the one to keep.

    Copies are in the order of the roots they were found under, then of their names.
    """

    size: int
    digest: str
    copies: tuple[Copy, ...]

    @property
    def wasted(self) -> int:
        """Bytes that all copies but one take."""
        return self.size * (len(self.copies) - 1)


@dataclass(slots=True)
class SearchResult:
    """What a search found.

    Attributes:
        groups: the most wasteful first.
        hashes: digest and file, for every file that was hashed to its end.
        files: how many files were looked at.
        problems: errors, each with the name of the file or directory.
    """

    groups: list[DuplicateGroup] = field(default_factory=list)
    hashes: list[tuple[str, Copy]] = field(default_factory=list)
    files: int = 0
    problems: list[OSError] = field(default_factory=list)


def find_duplicates(
    roots: Iterable[str],
    *,
    min_size: int = 1,
    ignore: Collection[Identity] = (),
    hash_name: str = DEFAULT_HASH,
    hash_all: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> SearchResult:
    """Find the files of equal content below ``roots`` (directories or files).

    Args:
        roots: where to look; a root that is a link is a problem, not a way.
        min_size: bytes; smaller files do not count.
        ignore: identities of files that are none of the search's business, such as its own logs.
        hash_name: one of ``HASHES``.
        hash_all: hash the small files, too, that were found to be unique without.
        progress: called with (bytes done, bytes in all) after each file.
    """
    result = SearchResult()
    sizes = _Scan(result).sightings(roots)
    result.files = sum(map(len, sizes.values()))
    candidates = [
        (size, copies)
        for size, seen in sizes.items()
        if size >= min_size and len(seen) > 1 and len(copies := _copies(seen, ignore)) > 1
    ]
    comparison = _Comparison(result, hash_name, hash_all, _Steps(candidates, progress))
    for size, copies in candidates:
        result.groups.extend(comparison.groups(size, copies))
    result.groups.sort(key=lambda group: (-group.wasted, group.copies[0].paths))
    return result


class _Scan:
    """One walk over all roots."""

    def __init__(self, result: SearchResult) -> None:
        self._problems = result.problems
        self._sizes: defaultdict[int, list[Sighting]] = defaultdict(list)
        self._entered: set[Identity] = set()  # roots may overlap, and mounts may loop
        self._pending: list[str] = []

    def sightings(self, roots: Iterable[str]) -> dict[int, list[Sighting]]:
        """Return where files of each size were seen."""
        for rank, root in enumerate(roots):
            self._start(rank, root)
            while self._pending:
                self._directory(rank, self._pending.pop())
        return self._sizes

    def _start(self, rank: int, root: str) -> None:
        try:
            found = os.lstat(root)
        except OSError as error:
            self._problems.append(error)
            return
        if stat.S_ISDIR(found.st_mode):
            self._pending.append(root)
        elif stat.S_ISREG(found.st_mode):
            self._sizes[found.st_size].append((rank, root, found.st_dev, found.st_ino))
        else:
            why = "a link, which is not followed" if stat.S_ISLNK(found.st_mode) else "no file"
            self._problems.append(OSError(errno.EINVAL, f"is {why}", root))

    def _directory(self, rank: int, directory: str) -> None:
        try:
            if self._is_new(directory):
                with os.scandir(directory) as entries:
                    for entry in entries:
                        self._entry(rank, entry)
        except OSError as error:
            self._problems.append(named(error, directory))

    def _is_new(self, directory: str) -> bool:
        found = os.lstat(directory)
        identity = (found.st_dev, found.st_ino)
        if identity in self._entered or not stat.S_ISDIR(found.st_mode):  # or replaced by a link
            return False
        self._entered.add(identity)
        return True

    def _entry(self, rank: int, entry: os.DirEntry[str]) -> None:
        try:
            if entry.is_dir(follow_symlinks=False):
                self._pending.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                found = entry.stat(follow_symlinks=False)
                if not found.st_ino:  # Windows leaves identities out of listings
                    found = os.lstat(entry.path)
                sighting = (rank, entry.path, found.st_dev, found.st_ino)
                self._sizes[found.st_size].append(sighting)
        except OSError as error:
            self._problems.append(named(error, entry.path))


def _copies(sightings: list[Sighting], ignore: Collection[Identity]) -> list[Copy]:
    """Join the names of one file."""
    names: defaultdict[Identity, list[str]] = defaultdict(list)
    for _, path, device, inode in sorted(sightings):
        names[device, inode].append(path)
    return [
        Copy(identity, tuple(dict.fromkeys(paths)))
        for identity, paths in names.items()
        if identity not in ignore
    ]


class _Steps:
    """Counts bytes for the progress; a file counts as done once its fate is known."""

    def __init__(
        self,
        candidates: Iterable[tuple[int, Sequence[Copy]]],
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._progress = progress
        self._done = 0
        self._total = sum(size * len(copies) for size, copies in candidates)

    def advance(self, count: int) -> None:
        if self._progress is not None:
            self._done += count
            self._progress(self._done, self._total)


class _Comparison:
    """Splits files of one size into groups of equal content."""

    def __init__(self, result: SearchResult, hash_name: str, hash_all: bool, steps: _Steps) -> None:
        if hash_name not in HASHES:
            raise ValueError(f"hash_name={hash_name!r}: one of {', '.join(HASHES)} is expected")
        self._new_hash = getattr(hashlib, hash_name)
        self._hash_all = hash_all
        self._result = result
        self._steps = steps

    def groups(self, size: int, copies: Sequence[Copy]) -> Iterator[DuplicateGroup]:
        if size <= _SMALL and size * len(copies) <= _HELD:
            found = self._small(size, copies)
        else:
            found = self._large(size, copies)
        for digest, same in found:
            self._result.hashes.extend([(digest, copy) for copy in same])
            if len(same) > 1:
                yield DuplicateGroup(size, digest, tuple(same))

    def _small(self, size: int, copies: Sequence[Copy]) -> Iterator[tuple[str, list[Copy]]]:
        contents = self._split(copies, lambda path: b"".join(pieces(path, size, whole=True)))
        for content, same in contents.items():
            if len(same) > 1 or self._hash_all:
                yield self._new_hash(content).hexdigest(), same
        self._steps.advance(size * len(copies))

    def _large(self, size: int, copies: Sequence[Copy]) -> Iterator[tuple[str, list[Copy]]]:
        beginning = min(size, _BEGINNING)
        beginnings = self._split(copies, lambda path: self._digest(path, beginning, whole=False))
        candidates = [same for same in beginnings.values() if len(same) > 1]
        self._steps.advance(size * (len(copies) - sum(map(len, candidates))))
        for alike in candidates:
            yield from self._split(
                alike, lambda path: self._digest(path, size, whole=True), step=size
            ).items()

    def _digest(self, path: str, length: int, *, whole: bool) -> str:
        content = self._new_hash()
        for piece in pieces(path, length, whole=whole):
            content.update(piece)
        return str(content.hexdigest())

    def _split(
        self, copies: Iterable[Copy], key_of: Callable[[str], Key], step: int = 0
    ) -> dict[Key, list[Copy]]:
        """Sort files by what ``key_of`` finds in them; those that cannot be read are problems."""
        found: defaultdict[Key, list[Copy]] = defaultdict(list)
        for copy in copies:
            try:
                found[_first(copy.paths, key_of)].append(copy)
            except OSError as error:
                self._result.problems.append(error)
            self._steps.advance(step)
        return found


def _first(paths: Sequence[str], key_of: Callable[[str], Key]) -> Key:
    """Return the answer for the first of a file's names that still leads to it."""
    for path in paths[:-1]:
        try:
            return key_of(path)
        except OSError:  # this name vanished or was given to another file; there are more
            continue
    return key_of(paths[-1])

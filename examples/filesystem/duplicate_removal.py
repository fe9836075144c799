r"""Remove the copies of a file so that the last one stays, whatever other programs do meanwhile.

Exercise A12, the removal.  What happens to one copy, in this order:

    kept   open ── lock ───────────── compare ─────────── still there? ────────── still there?
    copy        open ── lock ── same? ───┴── move aside ── same? ── unlink ──┬── yes: done
                                                             └ no: put back  └── no: write it anew

- Both files are held open and locked, so two searches that run at once exclude each other.
- They are compared byte by byte: the hashes of the search may be hours old.
- A name can be given to another file between any look and the unlink.  So the copy is moved aside
  to a name that nobody knows, and only then looked at for the last time.
- The kept file can go or change even then.  So it is looked at after the unlink, too; the copy is
  still open, and if need be it is written anew under its name.

What it cannot see: a program that changes the kept file later, or through a memory map that it made
before.  POSIX only; a file system without locks loses the first of these guards, not the others.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass

from duplicate_search import Copy, DuplicateGroup, Identity
from file_pieces import OPEN_FLAGS, changed, named

_PIECE = 64 * 1024  # bytes
# Seconds.  Two changes may bear the same time when the clock of the file system is coarse; FAT's,
# the coarsest in use, counts in steps of two.
_YOUNG = 2.0


@dataclass(frozen=True, slots=True)
class Held:
    """A file that is open and locked, and what it was like when that began (seconds: ``since``)."""

    fd: int
    path: str
    found: os.stat_result
    since: float

    @property
    def identity(self) -> Identity:
        """Device and inode."""
        return self.found.st_dev, self.found.st_ino

    @property
    def young(self) -> bool:
        """Say whether it changed so lately that another change may bear the same time."""
        return self.since - self.found.st_ctime < _YOUNG


def remove_duplicates(group: DuplicateGroup) -> Iterator[tuple[str, OSError | None]]:
    """Remove all copies of a group but one; yields each name, with the error if it stayed.

    The first copy that is still what the search saw is kept, with all its names.
    """
    with contextlib.ExitStack() as open_files:
        copies = list(group.copies)
        kept: Held | None = None
        while kept is None and copies:
            copy = copies.pop(0)
            try:
                kept = open_files.enter_context(held(copy, group.size))
            except OSError as error:
                yield copy.paths[0], error
        for copy in copies if kept else ():
            yield from _remove_copy(kept, copy, group.size)


def _remove_copy(kept: Held, copy: Copy, size: int) -> Iterator[tuple[str, OSError | None]]:
    try:
        with held(copy, size) as doomed:
            compare(kept, doomed)
            for path in copy.paths:
                yield path, _failure(kept, doomed, path)
    except OSError as error:
        yield copy.paths[0], error


def _failure(kept: Held, doomed: Held, path: str) -> OSError | None:
    try:
        remove_name(kept, doomed, path)
    except OSError as error:
        return named(error, path)
    return None


@contextlib.contextmanager
def held(copy: Copy, size: int) -> Iterator[Held]:
    """Open and lock a file for a block, by the first of its names that leads to it.

    Raises:
        OSError: no name does, or another process has locked it.
    """
    path, fd = _open_any(copy, size)
    try:
        _lock(fd, path)
        yield Held(fd, path, os.fstat(fd), time.time())
    finally:
        os.close(fd)  # unlocks it, too


def _open_any(copy: Copy, size: int) -> tuple[str, int]:
    for path in copy.paths[:-1]:
        with contextlib.suppress(OSError):  # this name vanished or is another file's; try the next
            return path, _open_same(path, copy.identity, size)
    return copy.paths[-1], _open_same(copy.paths[-1], copy.identity, size)


def _open_same(path: str, identity: Identity, size: int) -> int:
    fd = os.open(path, OPEN_FLAGS)
    found = os.fstat(fd)
    same = (found.st_dev, found.st_ino) == identity and found.st_size == size
    if same and stat.S_ISREG(found.st_mode):  # numbers of inodes are used again at once
        return fd
    os.close(fd)
    raise changed(path)


def _lock(fd: int, path: str) -> None:
    import fcntl  # noqa: PLC0415  # POSIX only

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Anything else is a network file system that cannot lock, or not what is open for reading.
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise OSError(errno.EBUSY, "another process has locked it", path) from None


def compare(kept: Held, doomed: Held) -> None:
    """Compare two files byte by byte.

    Raises:
        OSError: they differ, or one cannot be read.
    """
    if kept.identity == doomed.identity:
        raise OSError(errno.EINVAL, f"is the kept file {kept.path!r} itself", doomed.path)
    position, more = 0, True
    while more:
        one, other = (os.pread(each.fd, _PIECE, position) for each in (kept, doomed))
        if one != other:
            raise OSError(errno.ESTALE, f"differs from {kept.path!r} by now", doomed.path)
        position += len(one)
        more = bool(one)


def remove_name(kept: Held, doomed: Held, path: str) -> None:
    """Remove one name of a copy.

    Raises:
        OSError: it stays, or is there again; the message says why.
    """
    aside = os.path.join(os.path.dirname(path), f".{os.urandom(8).hex()}.removing")
    os.rename(path, aside)
    try:
        _require_unchanged(kept, doomed, aside, path)
        os.unlink(aside)
    except BaseException:
        _put_back(aside, path)
        raise
    if not _is_safe(kept, doomed):
        name = _write_anew(doomed, path)
        raise OSError(errno.ESTALE, f"kept after all, for {kept.path!r} went or changed", name)


def _require_unchanged(kept: Held, doomed: Held, aside: str, path: str) -> None:
    if not _leads_to(aside, doomed) or not _same_content(doomed):
        raise changed(path)
    if not _is_whole(kept):
        raise changed(kept.path)


def _is_whole(kept: Held) -> bool:
    """Say whether the kept file is there under its name, untouched since it was opened."""
    now = os.fstat(kept.fd)
    # Not the time of modification alone: programs that keep it set it back, as "cp -p" does.
    return now.st_ctime_ns == kept.found.st_ctime_ns and _leads_to(kept.path, kept)


def _is_safe(kept: Held, doomed: Held) -> bool:
    """Say after the unlink whether the content is still in the kept file, and nowhere else new."""
    if not _is_whole(kept) or not _same_content(doomed):
        return False
    if kept.young or doomed.young:
        with contextlib.suppress(OSError):
            compare(kept, doomed)
            return True
        return False
    return True


def _same_content(doomed: Held) -> bool:
    """Compare size and time of modification; the other time changes when a file is moved."""
    now, then = os.fstat(doomed.fd), doomed.found
    return (now.st_size, now.st_mtime_ns) == (then.st_size, then.st_mtime_ns)


def _leads_to(path: str, file: Held) -> bool:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    # A number of an inode is not given to another file while the file is open, as this one is.
    return (found.st_dev, found.st_ino) == file.identity


def _put_back(aside: str, path: str) -> None:
    """Give an entry its name again, unless a new one has taken it; then it stays where it is."""
    if not os.path.lexists(aside):
        return  # interrupted just after the unlink
    try:
        os.link(aside, path, follow_symlinks=False)  # never overwrites, which rename would
    except FileExistsError as error:
        why = f"has a new file; the one that was there is now {aside!r}"
        raise OSError(errno.EEXIST, why, path) from error
    except OSError:  # a directory, or a file system without hard links
        os.rename(aside, path)
    else:
        os.unlink(aside)


def _write_anew(doomed: Held, path: str) -> str:
    """Write the content of an unlinked file, which is still open, to a new file; returns its name.

    That is its old name, or one beside it if somebody has made a new file of that name.
    """
    name, fd = _new_file(path)
    try:
        position = 0
        while piece := os.pread(doomed.fd, _PIECE, position):
            position += os.write(fd, piece)
        os.fchmod(fd, stat.S_IMODE(doomed.found.st_mode))
        os.utime(fd, ns=(doomed.found.st_atime_ns, doomed.found.st_mtime_ns))
        os.fsync(fd)
    finally:
        os.close(fd)
    return name


def _new_file(path: str) -> tuple[str, int]:
    while True:
        try:
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            path = f"{path}.{os.urandom(4).hex()}.rescued"

"""Record what is in a tree, without opening anything that could wait, and without following links.

Only regular files are ever opened, and those without blocking: opening a FIFO waits for the other
end, opening a device may do things.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_syskit.host.real import real

from .tree_cursor import BY_DESCRIPTOR, TreeCursor, flags, identity
from .tree_diff import EntryState, TreeDiff

_READ = flags(["O_RDONLY", "O_NONBLOCK", "O_NOFOLLOW", "O_NOCTTY", "O_CLOEXEC", "O_BINARY"])
_CHUNK = 1 << 18  # bytes; large enough that reading costs more than calling
_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}


@dataclass(frozen=True, slots=True)
class TreeSnapshot(Mapping[str, EntryState]):
    """The entries of a tree at one moment, by path relative to it (``/`` between the names).

    Two snapshots of equal trees are equal.  The tree's own top directory, times, owners and link
    counts are not recorded.
    """

    root: str = field(compare=False)
    entries: Mapping[str, EntryState]

    def __getitem__(self, path: str) -> EntryState:
        return self.entries[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def diff(self, before: TreeSnapshot) -> TreeDiff:
        """Return what changed from ``before`` to this."""
        if not isinstance(before, TreeSnapshot):
            raise TypeError(f"diff({before!r}): a snapshot taken before is expected")
        return TreeDiff(before.entries, self.entries)


def take_snapshot(
    path: str | os.PathLike[str], *, by_descriptor: bool = BY_DESCRIPTOR
) -> TreeSnapshot:
    """Record kind, mode, content and link target of everything below a directory.

    Entries that vanish meanwhile are left out; what cannot be read says so in ``problem``; other
    file systems mounted below are not entered.  Content is hashed piece by piece, so large files
    cost time but no memory.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     before = take_snapshot(folder)
        ...     os.mkdir(os.path.join(folder, "new"))
        ...     print(take_snapshot(folder).diff(before).added)
        ('new',)

    Args:
        path: the directory; links in this path itself are followed.
        by_descriptor: False to work with whole paths, as platforms without ``dir_fd`` do.

    Raises:
        OSError: the directory itself cannot be listed, or was moved while it was being read.
    """
    entries: dict[str, EntryState] = {}
    with TreeCursor(os.fspath(path), by_descriptor=by_descriptor) as cursor:
        pending = [cursor.names()]
        while pending:
            if pending[-1]:
                _record(cursor, pending[-1].pop(), entries, pending)
            else:
                pending.pop()
                if pending:
                    cursor.leave()
    return TreeSnapshot(os.fspath(path), dict(sorted(entries.items())))


def _record(
    cursor: TreeCursor, name: str, entries: dict[str, EntryState], pending: list[list[str]]
) -> None:
    """Record one entry; a directory is entered, and its names are added to what is pending."""
    try:
        state = _look(cursor, name)
    except FileNotFoundError:
        return  # it vanished after the listing
    except OSError as error:  # a directory that may be listed but not searched
        state = EntryState("unknown", 0, problem=error.strerror)
    path = cursor.route(name)
    if state.kind == "directory":
        try:
            pending.append(_enter(cursor, name))
        except FileNotFoundError:
            return  # the same race, one step later
        except OSError as error:
            state = EntryState(state.kind, state.mode, problem=error.strerror)
    entries[path] = state


def _enter(cursor: TreeCursor, name: str) -> list[str]:
    cursor.enter(name)
    try:
        return cursor.names()
    except BaseException:
        cursor.leave()
        raise


def _look(cursor: TreeCursor, name: str) -> EntryState:
    found = cursor.lstat(name)
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "unknown")
    mode = stat.S_IMODE(found.st_mode)
    if kind == "link":
        return EntryState(kind, 0, target=cursor.readlink(name))  # a link's own mode means nothing
    if kind != "file":
        return EntryState(kind, mode)
    try:
        return EntryState(kind, mode, found.st_size, _digest(cursor, name, found))
    except FileNotFoundError:
        raise
    except OSError as error:
        return EntryState(kind, mode, found.st_size, problem=error.strerror)


def _digest(cursor: TreeCursor, name: str, found: os.stat_result) -> str:
    fd = cursor.open(name, _READ)
    try:
        opened = real.fstat(fd)
        # Numbers of inodes are used again at once, so the type must be asked as well.
        if not stat.S_ISREG(opened.st_mode) or identity(opened) != identity(found):
            raise OSError(0, "it was replaced while it was being read")
        content = hashlib.blake2b(digest_size=16)  # 128 bits: nobody attacks us, chance never hits
        while chunk := real.read(fd, _CHUNK):
            content.update(chunk)
        return content.hexdigest()
    finally:
        real.close(fd)

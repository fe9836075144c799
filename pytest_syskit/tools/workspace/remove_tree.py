"""Remove a whole tree, whatever a test made of it.

    for each entry:  unlink, or rmdir ──▶ not empty? ──▶ step in, do the same, step out ──▶ rmdir
                     refused?         ──▶ open up the directory, then the entry, and try again

``rmdir`` comes first on purpose: it says "busy" where something is mounted, so a mount is found
before anything in it could be touched.  What cannot be removed is named at the end, and the rest is
gone.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from pytest_syskit.host.files import loosen
from pytest_syskit.host.real import real

from .tree_cursor import BY_DESCRIPTOR, TreeCursor, flags
from .tree_not_removed import Stayed, TreeNotRemoved, why

_ATTEMPTS = 8  # open up the directory, then the entry, look, remove; the rest are races lost
_SWEEPS = 3  # a directory moved away under us sends us back to the top; twice is no accident
_NOT_EMPTY = {errno.ENOTEMPTY, errno.EEXIST}  # POSIX allows both
# Somebody else removed it since we listed it, or no entry can have such a name.
_GONE = {errno.ENOENT, errno.ENAMETOOLONG}
_PEEK = flags(["O_RDONLY", "O_NONBLOCK", "O_NOFOLLOW", "O_NOCTTY", "O_CLOEXEC"])


def remove_tree(
    path: str | bytes | os.PathLike[str], *, by_descriptor: bool = BY_DESCRIPTOR
) -> None:
    """Remove a file, link, or directory with all it holds; nothing there is fine too.

    Directories of mode 000, FIFOs, sockets, read-only and immutable entries (as far as this user
    may change that), trees deeper than ``PATH_MAX`` and entries that appear or vanish meanwhile are
    all the same to it.  Links are removed, never followed; mounts are never crossed; no file is
    opened except to clear an immutable flag.

    Example:
        >>> remove_tree("no such thing")

    Args:
        path: what to remove; the part before the last name is followed through links.
        by_descriptor: False to work with whole paths, as platforms without ``dir_fd`` do.

    Raises:
        TreeNotRemoved: something stayed (another user's, on a mount, immutable); the rest is gone.
        ValueError: the path does not end in a name.
    """
    text = os.fsdecode(path)
    parent, name = os.path.split(text.rstrip(os.sep))
    if name in {"", ".", ".."}:
        raise ValueError(f"remove_tree({text!r}): the path must end in the name of an entry")
    for _ in range(_SWEEPS):
        stayed, moved = _sweep(parent or ".", name, by_descriptor)
        if not moved:
            break
    if stayed:
        raise TreeNotRemoved(text, tuple(stayed))


def remove_after(path: str, failure: BaseException | None) -> None:
    """Remove a tree at the end of a ``with`` block that failed with ``failure``, or did not.

    What the block raised is the news: what then stays of the tree becomes a note on that exception.

    Raises:
        TreeNotRemoved: something stayed and the block itself went well.
    """
    try:
        remove_tree(path)
    except TreeNotRemoved as stayed:
        if failure is None:
            raise
        add_note(failure, str(stayed))


def add_note(error: BaseException, note: str) -> None:
    """Attach a note to an exception (PEP 678; pytest shows them on Python 3.10 too)."""
    with suppress(AttributeError, TypeError):  # an exception class of somebody with slots
        error.__notes__ = [*getattr(error, "__notes__", []), note]  # type: ignore[attr-defined]  # 3.11


def _sweep(parent: str, name: str, by_descriptor: bool) -> tuple[list[Stayed], bool]:
    """Go through the tree once; returns what stayed, and whether a directory was moved away."""
    try:
        cursor = TreeCursor(parent, by_descriptor=by_descriptor)
    except (FileNotFoundError, NotADirectoryError):
        return [], False  # nothing can be there
    except OSError as error:
        return [Stayed(name, why(error))], False
    with cursor:
        sweep = _Sweep(cursor)
        try:
            sweep.run(name)
        except OSError as error:  # not one entry's fault: moved away, or no descriptor is left
            sweep.stayed.append(Stayed(cursor.route("."), why(error)))
            return sweep.stayed, error.errno == errno.ESTALE
        return sweep.stayed, False


@dataclass(slots=True)
class _Level:
    """What is left to do in one directory."""

    pending: list[str]
    attempts: Counter[str] = field(default_factory=Counter)
    keeps_something: bool = False


class _Sweep:
    """One pass; the cursor stands in the directory of ``levels[-1]``."""

    def __init__(self, cursor: TreeCursor) -> None:
        self.cursor = cursor
        self.stayed: list[Stayed] = []

    def run(self, name: str) -> None:
        """Remove one entry of the directory where the cursor starts."""
        levels = [_Level([name])]
        while levels[-1].pending or len(levels) > 1:
            level = levels[-1]
            if not level.pending:
                levels.pop()
                self._leave(levels[-1], keeps_something=level.keeps_something)
            elif self._remove(level, level.pending.pop()):
                levels.append(_Level(self.cursor.names()))

    def _leave(self, level: _Level, *, keeps_something: bool) -> None:
        name = self.cursor.leave()
        if keeps_something:
            level.keeps_something = True  # named already; that its directory stays says nothing new
        else:
            level.pending.append(name)

    def _remove(self, level: _Level, name: str) -> bool:
        """Try to remove an entry; True when it is a directory, now entered, to be emptied first."""
        level.attempts[name] += 1
        try:
            return self._remove_or_enter(level, name)
        except OSError as error:
            if error.errno not in _GONE:
                self._refused(level, name, error)
            return False

    def _remove_or_enter(self, level: _Level, name: str) -> bool:
        if not stat.S_ISDIR(self.cursor.lstat(name).st_mode):
            self.cursor.unlink(name)
            return False
        try:
            self.cursor.rmdir(name)
        except OSError as error:
            if error.errno not in _NOT_EMPTY or level.attempts[name] > _ATTEMPTS:
                raise
        else:
            return False
        self.cursor.enter(name)
        return True

    def _refused(self, level: _Level, name: str, error: OSError) -> None:
        if level.attempts[name] >= _ATTEMPTS:
            level.keeps_something = True
            self.stayed.append(Stayed(self.cursor.route(name), why(error)))
            return
        if isinstance(error, PermissionError):
            self._open_up(name, entry_too=level.attempts[name] > 1)
        level.pending.append(name)

    def _open_up(self, name: str, *, entry_too: bool) -> None:
        """Take off what forbids the removal: first on the directory, then on the entry."""
        if self.cursor.fd is None:
            _unlock_by_path(self.cursor.place(name))
            return
        if self.cursor.depth:  # the start is the tree's parent, which is not ours to change
            _thaw(self.cursor.fd)
            with suppress(OSError):  # another user's: the next attempt says so
                real.chmod(self.cursor.fd, stat.S_IRWXU)
        if entry_too:
            self._open_up_entry(name, self.cursor.fd)

    def _open_up_entry(self, name: str, here: int) -> None:
        with suppress(OSError):  # gone, swapped or another user's: the next attempt says so
            found = self.cursor.lstat(name)
            # A second name of a file may lie outside the tree, and flags belong to both.
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
                _thaw_entry(self.cursor, name)
            if stat.S_ISDIR(found.st_mode) and found.st_dev == real.fstat(here).st_dev:
                _thaw_entry(self.cursor, name)
                loosen.unlock_directory(name, here)


def _thaw_entry(cursor: TreeCursor, name: str) -> None:
    try:
        fd = cursor.open(name, _PEEK)
    except PermissionError:
        return  # closed by its mode; an ordinary user could not clear flags anyway
    try:
        _thaw(fd)
    finally:
        real.close(fd)


def _thaw(fd: int) -> None:
    with suppress(OSError):  # not root, or a file system without flags
        loosen.thaw(fd)


def _unlock_by_path(path: str) -> None:
    """Clear the read-only attribute, which forbids removal on Windows."""
    with suppress(OSError):  # gone: the next attempt says so
        if not stat.S_ISLNK(real.lstat(path).st_mode):
            real.chmod(path, stat.S_IRWXU)

"""Give all files of a tree one mode and all directories another, such as 644 and 755.

Exercise D19.  Exactly these modes: set-id bits and the execute bit go, unless ``keep_executable``.
A file with hard links has one mode under all its names, also under those out of the tree.  One
descriptor is held for each level, so a tree may be some hundred levels deep.

The traps it avoids: following a link out of the tree; a directory that loses its execute bit on the
way down, so that nothing in it can be reached any more; a directory that had none, and so never
gets a new mode.  While we are in a directory its owner may do everything there; it gets its final
mode when we leave.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

_ENTER = stat.S_IRWXU  # what it takes to list a directory and to reach what is in it
_ANY_EXECUTE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_DIRECTORY = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_DIRECTORY", "O_NOFOLLOW"))


def set_permissions(
    root: str | os.PathLike[str],
    *,
    on_error: Callable[[OSError], object],
    file_mode: int = 0o644,
    directory_mode: int = 0o755,
    keep_executable: bool = False,
) -> int:
    """Set the modes of a directory and of all files and directories in it.

    Links, FIFOs, sockets and devices stay as they are; no link is followed, not even ``root``.

    Args:
        root: a directory.
        on_error: is called with each entry that cannot be changed, by its path; the rest goes on.
        file_mode: for regular files.
        directory_mode: for directories, ``root`` included.
        keep_executable: a file that anybody may run can be run by all who may read it.

    Returns:
        How many entries have another mode than before.

    Raises:
        NotADirectoryError: ``root`` is a link or a file.
    """
    path = os.fspath(root).rstrip(os.sep) or os.sep  # a slash at the end would follow a link
    found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    walk = _Walk(on_error, file_mode, directory_mode, keep_executable)
    walk.directory(None, path, path, found)
    return walk.changed


class _Walk:
    """One walk; its descriptors see to it that nobody can swap what is above us."""

    def __init__(
        self,
        on_error: Callable[[OSError], object],
        file_mode: int,
        directory_mode: int,
        keep_executable: bool,
    ) -> None:
        self._on_error = on_error
        self._file_mode = file_mode
        self._directory_mode = directory_mode
        self._keep_executable = keep_executable
        self.changed = 0

    def directory(self, parent: int | None, name: str, path: str, found: os.stat_result) -> None:
        """Change what is in a directory, and then the directory itself."""
        try:
            before = stat.S_IMODE(found.st_mode)
            if before & _ENTER != _ENTER:
                _change_mode(parent, name, before | _ENTER)
            here = os.open(name, _DIRECTORY, dir_fd=parent)
        except OSError as error:
            self._on_error(_named(error, path))
            return
        try:
            self._inside(here, path)
            self.changed += before != self._directory_mode
        except OSError as error:
            self._on_error(_named(error, path))
        finally:
            os.close(here)

    def _inside(self, here: int, path: str) -> None:
        try:
            self._entries(here, path)
        finally:
            os.fchmod(here, self._directory_mode)  # whatever happened: it may be wide open now

    def _entries(self, here: int, path: str) -> None:
        for name in sorted(os.listdir(here)):
            entry = os.path.join(path, name)
            try:
                self._entry(here, name, entry)
            except FileNotFoundError:  # removed after it was listed
                continue
            except OSError as error:
                self._on_error(_named(error, entry))

    def _entry(self, here: int, name: str, path: str) -> None:
        found = os.lstat(name, dir_fd=here)
        if stat.S_ISDIR(found.st_mode):
            self.directory(here, name, path, found)
        elif stat.S_ISREG(found.st_mode):
            self._file(here, name, stat.S_IMODE(found.st_mode))

    def _file(self, here: int, name: str, before: int) -> None:
        mode = self._file_mode
        if self._keep_executable and before & _ANY_EXECUTE:
            mode |= (mode & 0o444) >> 2  # who may read may run
        if mode != before:
            _change_mode(here, name, mode)
            self.changed += 1


def _change_mode(parent: int | None, name: str, mode: int) -> None:
    """Change the mode of an entry that may have been replaced by a link since we looked."""
    if not hasattr(os, "O_PATH"):
        os.chmod(name, mode, dir_fd=parent, follow_symlinks=False)
        return
    # Linux changes no mode without following, but it opens without following and without reading.
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=parent)
    try:
        if stat.S_ISLNK(os.fstat(fd).st_mode):
            raise OSError(errno.ELOOP, "was replaced by a link", name)
        os.chmod(f"/proc/self/fd/{fd}", mode)
    finally:
        os.close(fd)


def _named(error: OSError, path: str) -> OSError:
    """Give an error the whole path; calls on descriptors know the last name at best."""
    return type(error)(error.errno, error.strerror, path)

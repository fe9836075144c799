"""Replace a file's content as a whole: readers see the old one or the new one, never a mixture.

Exercise D21.  The new content is written beside the old one, synced to the disk, and then renamed
over it; at last the directory is synced, without which a power cut can bring the old name back.  If
anything fails before the rename, the old content stays and nothing else does.  The mode is kept,
the owner where this process may give files away; a symbolic link stays, and the file it leads to is
replaced.  Not kept: other hard links (they keep the old content), ACLs and extended attributes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from unnamed_draft import Draft, draft_in, opened_directory

_PRIVATE = 0o600  # until the old mode is set: nobody may look in between who could not before
_NEW = 0o666  # as open() does; the umask takes its part


@contextmanager
def atomic_write(path: str | os.PathLike[str], *, mode: int | None = None) -> Iterator[BinaryIO]:
    """Give a binary file to write to; when the block ends well, it takes the place of ``path``.

    Args:
        path: the file; it need not exist.
        mode: its permissions; without it those of the old file, or of the umask for a new one.

    Raises:
        OSError: nothing can be written there, or ``path`` is no regular file.
    """
    folder, name = os.path.split(os.path.realpath(path))
    with opened_directory(folder) as directory:
        old = _regular_file(directory, name)
        born_with = _NEW if old is None and mode is None else _PRIVATE
        with draft_in(directory, name, born_with) as draft:
            _give_to_owner(draft, old)
            yield draft.file
            _set_mode(draft, old, mode)
            draft.replace()


def write_text(
    path: str | os.PathLike[str], text: str, *, encoding: str = "utf-8", mode: int | None = None
) -> None:
    """Replace a file's content by a text; line ends stay as they are."""
    content = text.encode(encoding)  # before anything is touched
    with atomic_write(path, mode=mode) as file:
        file.write(content)


def _regular_file(directory: int, name: str) -> os.stat_result | None:
    try:
        found = os.stat(name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    if stat.S_ISLNK(found.st_mode):  # realpath gave up: it leads in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), name)
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "a device, FIFO or socket cannot be replaced by a file", name)
    return found


def _give_to_owner(draft: Draft, old: os.stat_result | None) -> None:
    if old is not None:
        with contextlib.suppress(PermissionError):  # only root gives files away
            os.fchown(draft.file.fileno(), old.st_uid, old.st_gid)


def _set_mode(draft: Draft, old: os.stat_result | None, mode: int | None) -> None:
    """Set the mode last: a change of owner, and a write by who is not root, clear set-id bits."""
    draft.file.flush()
    if mode is not None:
        os.fchmod(draft.file.fileno(), mode)
    elif old is not None:
        os.fchmod(draft.file.fileno(), stat.S_IMODE(old.st_mode))

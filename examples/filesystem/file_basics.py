"""Create, look at, rename and protect files: the everyday calls, and a tour through them.

Exercise D1, the calls on files; those on directories stand in ``directory_operations.py`` (change,
list, rename, remove) and ``create_directories.py`` (one level, many levels, and back).  A script:
``python file_basics.py [DIRECTORY]`` shows all of them once and leaves nothing behind.

The traps it avoids: ``os.removedirs``, which climbs out of the place that is yours; opening with
``"w"``, which empties a file that was there already; a rename that replaces another file without a
word; asking ``exists`` first and acting later; times without a zone; a mode that goes through a
link.
"""

from __future__ import annotations

import argparse
import errno
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TypeAlias

from create_directories import remove_empty
from directory_operations import entries, inside, remove_all
from list_and_classify import kind_of
from polite_script import complain, politely, say, shown

PROGRAM = "file_basics"
PLAIN = 0o644  # everybody reads, the owner writes
RUNNABLE = 0o755  # and everybody may run it, or enter it if it is a directory

Path: TypeAlias = "str | os.PathLike[str]"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What one look at an entry tells; of a link it tells of the link.

    Attributes:
        kind: file, directory, symlink, …
        size: bytes.
        mode: permission bits.
        modified: time of the last change of the content, in UTC.
    """

    kind: str
    size: int
    mode: int
    modified: datetime


def create_file(path: Path, content: str = "") -> None:
    """Create a file with some text (UTF-8).

    Raises:
        FileExistsError: there is something of that name, be it a link that leads nowhere; it is
            left as it was.
        OSError: the directory is missing, or may not be written to.
    """
    with open(path, "x", encoding="utf-8") as file:
        file.write(content)


def file_facts(path: Path) -> FileFacts | None:
    """Return kind, size, mode and time from a single look, or ``None`` if nothing is there.

    This is the answer to "does it exist?" that cannot disagree with the size asked for later.

    Raises:
        OSError: it cannot be told, since a directory on the way may not be searched.
    """
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):  # the second: "file/name"
        return None
    modified = datetime.fromtimestamp(found.st_mtime, timezone.utc)
    return FileFacts(kind_of(found.st_mode), found.st_size, stat.S_IMODE(found.st_mode), modified)


def rename_file(old: Path, new: Path) -> None:
    """Give a file another name on the same file system; nothing is replaced.

    Where the file system has hard links nobody can come between, for a link is never made over
    something.  Elsewhere we look first, and can lose the race.

    Raises:
        FileExistsError: there is something of the new name.
        OSError: the file is missing, is a directory, or may not be renamed.
    """
    if stat.S_ISDIR(os.lstat(old).st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a directory", os.fspath(old))
    try:
        os.link(old, new, follow_symlinks=False)
    except FileExistsError:
        raise _is_there(new) from None
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        _rename_after_a_look(old, new)
    else:
        _drop_the_old_name(old, new)


def _drop_the_old_name(old: Path, new: Path) -> None:
    try:
        os.unlink(old)
    except OSError:  # somebody else's, in a directory with the sticky bit
        os.unlink(new)
        raise


# A file system without hard links says one of these, and so does a kernel that lets nobody link
# the files of others; a directory that we may not write to answers the second attempt likewise.
_NO_HARD_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}


def _rename_after_a_look(old: Path, new: Path) -> None:
    if os.path.lexists(new):
        raise _is_there(new)
    os.rename(old, new)


def _is_there(path: Path) -> FileExistsError:
    return FileExistsError(errno.EEXIST, "is there already", os.fspath(path))


def set_mode(path: Path, mode: int) -> None:
    """Set the permission bits of a file or directory, not those behind a link.

    Between our look and the change it can still become a link, where others may write to its
    directory.

    Raises:
        OSError: it is a link (``errno.ELOOP``), is missing, or belongs to somebody else.
    """
    if stat.S_ISLNK(os.lstat(path).st_mode):
        raise OSError(errno.ELOOP, "is a link, whose target is not ours to change", os.fspath(path))
    os.chmod(path, mode)


def make_plain(path: Path) -> None:
    """Let everybody read a file and its owner write it (``chmod 644``)."""
    set_mode(path, PLAIN)


def make_program(path: Path) -> None:
    """Let everybody read and run a file as well (``chmod 755``)."""
    set_mode(path, RUNNABLE)


def show_tour(directory: Path) -> None:
    """Show each call once, in a new directory ``tour`` that is gone in the end.

    Raises:
        FileExistsError: there is something of that name; it is left alone.
    """
    say(f"start: {shown(os.getcwd())}")
    with inside(directory) as top:
        os.mkdir("tour")
        say(f"now in: {shown(top)}, which has {len(entries())} {_entries(len(entries()))}")
        try:
            _show_inside(top)
        except BaseException:
            remove_all("tour")  # it was made here, a moment ago
            raise
    say(f"back in: {shown(os.getcwd())}")


def _show_inside(top: str) -> None:
    deep = os.path.join("tour", "one", "two")
    os.makedirs(deep)
    _show_file(os.path.join(deep, "note.txt"))
    gone = remove_empty(deep, top)  # os.removedirs would go on above the top
    say(f"removed: {', '.join(path.name for path in gone)}")


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"


def _show_file(path: str) -> None:
    new = f"{path}.bak"
    create_file(path, "a note\n")
    _show(path)
    make_program(path)
    _show(path)
    make_plain(path)
    rename_file(path, new)
    _show(path)
    _show(new)
    os.unlink(new)


def _show(path: str) -> None:
    facts = file_facts(path)
    if facts is None:
        say(f"{path}: does not exist")
        return
    modified = facts.modified.isoformat(timespec="seconds")
    say(f"{path}: {facts.kind}, {facts.size} bytes, mode {facts.mode:o}, modified {modified}")


@politely
def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Show the calls on files.")
    parser.add_argument("directory", nargs="?", default=os.curdir, help="default: the current one")
    try:
        show_tour(parser.parse_args(argv).directory)
    except BrokenPipeError:
        raise
    except OSError as error:
        complain(PROGRAM, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

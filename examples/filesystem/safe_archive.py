"""Pack a directory into a zip or tar archive, and unpack archives that nobody vouches for.

Exercise D14.  An archive appears whole or not at all, and so does what is unpacked from one.

The traps it avoids: members named ``../x`` or ``/x`` that land outside, or that ``zipfile`` quietly
renames; a link in the archive that leads outside, and a second member that is written through it;
an archive that fills the disk; half a tree after an error; an archive that packs itself; programs
that a zip archive makes unrunnable.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from archive_members import Member, require_safe, tar_members, within, zip_members
from replace_when_done import replace_when_done

GIGABYTE = 10**9  # bytes
_TAR_MODES = {"tar": "w:", "gztar": "w:gz", "bztar": "w:bz2", "xztar": "w:xz"}
# What reading a damaged archive raises, by format and compression.
_DAMAGE: tuple[type[Exception], ...] = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    gzip.BadGzipFile,
    EOFError,
)
with contextlib.suppress(ImportError):  # a Python that was built without lzma
    from lzma import LZMAError

    _DAMAGE += (LZMAError,)
# The filter came with 3.12 and with security releases of older versions; nothing here relies on it.
_FILTER: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def formats() -> list[str]:
    """Return the formats that this Python can write; compression modules may be missing."""
    known = {"zip", *_TAR_MODES}
    return sorted(name for name, _ in shutil.get_archive_formats() if name in known)


def pack(
    directory: str | os.PathLike[str], archive: str | os.PathLike[str], kind: str = "gztar"
) -> list[str]:
    """Write all that is in a directory to an archive, in the order of names.

    Directories and files come with their modes, links as links (tar) or not at all (zip).

    Args:
        directory: what to pack; its own name is not in the archive.
        archive: the file to write; it is replaced once the new one is whole.
        kind: one of ``formats()``.

    Returns:
        The names that were left out: FIFOs, sockets and devices, and for zip also links.

    Raises:
        ValueError: the format is unknown, or the archive would be in the directory it packs.
        OSError: something could not be read or written; there is no new archive.
    """
    source = os.fspath(directory)
    if kind not in formats():
        raise ValueError(f"kind={kind!r}: one of {', '.join(formats())} is expected")
    _require_outside(source, os.fspath(archive))
    with replace_when_done(archive) as file:
        add_all = _pack_zip if kind == "zip" else _pack_tar
        return add_all(source, file, kind)


def unpack(
    archive: str | os.PathLike[str],
    directory: str | os.PathLike[str],
    *,
    most_bytes: int = GIGABYTE,
) -> list[str]:
    """Unpack a zip or tar archive into a new directory, if nothing in it leads elsewhere.

    All members are looked at before the first byte is written.

    Args:
        archive: the file; what it is, its content says and not its name.
        directory: must not exist, so that nothing there can be a link or be overwritten.
        most_bytes: how much the members may hold together.

    Returns:
        The names of the members.

    Raises:
        UnsafeArchive: says which member would land outside, or why it is refused otherwise.
        ValueError: this is no archive, or a damaged one.
        FileExistsError: there is something of that name.
        OSError: it could not be written.  In each case nothing was unpacked.
    """
    target = os.fspath(directory)
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target)
    with _opened(archive) as (listed, extract), _directory_when_done(target) as draft:
        members = list(within(most_bytes, listed))
        require_safe(members)
        extract(draft)
        return [member.name for member in members]


def _require_outside(source: str, archive: str) -> None:
    root = os.path.realpath(source)
    place = os.path.realpath(os.path.dirname(archive) or os.curdir)
    if os.path.commonpath([root, place]) == root:
        raise ValueError(f"{archive!r} would be in {source!r}, and so in itself")


def _entries(source: str) -> Iterator[tuple[str, str, os.stat_result]]:
    """Yield the path, name in the archive, and status of everything below a directory."""
    with os.scandir(source) as listed:
        names = sorted(entry.name for entry in listed)
    for name in names:
        path = os.path.join(source, name)
        found = os.lstat(path)
        yield path, name, found
        if stat.S_ISDIR(found.st_mode):
            for inner, below, status in _entries(path):
                yield inner, f"{name}/{below}", status


def _pack_tar(source: str, file: BinaryIO, kind: str) -> list[str]:
    left_out = []
    with tarfile.open(fileobj=file, mode=_TAR_MODES[kind]) as tar:
        for path, name, found in _entries(source):
            if stat.S_IFMT(found.st_mode) in {stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK}:
                tar.add(path, name, recursive=False)
            else:
                left_out.append(name)
    return left_out


def _pack_zip(source: str, file: BinaryIO, _kind: str) -> list[str]:
    left_out = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as packed:
        for path, name, found in _entries(source):
            if stat.S_IFMT(found.st_mode) in {stat.S_IFREG, stat.S_IFDIR}:
                packed.write(path, name)
            else:
                left_out.append(name)
    return left_out


Opened = tuple[Iterator[Member], Callable[[str], object]]


@contextmanager
def _opened(archive: str | os.PathLike[str]) -> Iterator[Opened]:
    """Give the members of an archive, and a function that writes them into a directory."""
    try:
        with open(archive, "rb") as file:
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as packed:
                    yield zip_members(packed), lambda place: _extract_zip(packed, place)
            else:
                file.seek(0)
                with tarfile.open(fileobj=file) as tar:
                    yield tar_members(tar), lambda place: _extract_tar(tar, place)
    except _DAMAGE as error:
        raise ValueError(
            f"{os.fspath(archive)!r} is no archive, or a damaged one: {error}"
        ) from error


def _extract_tar(tar: tarfile.TarFile, place: str) -> None:
    for member in tar:
        member.mode = _tamed(member.mode, is_directory=member.isdir())
        member.uname = member.gname = ""
        if hasattr(os, "geteuid"):  # else root would give files away to whom the archive says
            member.uid, member.gid = os.geteuid(), os.getegid()
    tar.extractall(place, **_FILTER)


def _extract_zip(packed: zipfile.ZipFile, place: str) -> None:
    for member in packed.infolist():
        path = packed.extract(member, place)
        mode = member.external_attr >> 16  # zero if it was made on Windows
        if mode and not member.is_dir():
            os.chmod(path, _tamed(mode, is_directory=False))


def _tamed(mode: int, *, is_directory: bool) -> int:
    """Return a mode without set-id bits, that is its owner's to change and nobody else's."""
    return (mode & 0o755) | (stat.S_IRWXU if is_directory else stat.S_IRUSR | stat.S_IWUSR)


@contextmanager
def _directory_when_done(target: str) -> Iterator[str]:
    """Give a private directory; it becomes ``target`` if the block ends well, and goes if not."""
    parent, name = os.path.split(os.path.abspath(target))
    draft = tempfile.mkdtemp(prefix=f".{name[:100]}.", suffix=".draft", dir=parent)
    try:
        yield draft
        os.chmod(draft, 0o777 & ~_umask())
        os.rename(draft, target)
    except BaseException:
        shutil.rmtree(draft)
        raise


def _umask() -> int:
    mask = os.umask(0o077)  # it can be read only by setting it
    os.umask(mask)
    return mask

"""Look at the names in an archive and refuse those that lead out of the directory it goes to.

Exercise D14, the refusals.  The rules are such that they can be checked by reading alone: no name
climbs, no member passes through a link, and a link climbs no further than to the top.
"""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

Place = tuple[str, ...]
_PADDING = 2**20  # bytes behind the last member; tar fills up to 10 kB, on tapes to more
_LINKS = {"link", "hard link"}


class UnsafeArchive(Exception):
    """An archive that is not unpacked; says which member is why."""


@dataclass(frozen=True, slots=True)
class Member:
    """One name in an archive.

    Attributes:
        kind: ``"file"``, ``"directory"``, ``"link"``, ``"hard link"``, or what it is otherwise.
        target: where a link leads: from its own directory, or for a hard link from the top.
    """

    name: str
    kind: str
    size: int = 0
    target: str = ""


def tar_members(tar: tarfile.TarFile) -> Iterator[Member]:
    """Read the list of a tar archive, which means to read through all of it.

    Raises:
        UnsafeArchive: it goes on behind its end.
    """
    for each in tar:
        yield Member(each.name, _tar_kind(each), each.size, each.linkname)
    # tarfile stops here, but the checksum of a compressed file is compared at the file's end.
    if tar.fileobj is not None and len(tar.fileobj.read(_PADDING + 1)) > _PADDING:
        raise UnsafeArchive(f"more than {_PADDING} bytes follow after its end")


def zip_members(packed: zipfile.ZipFile) -> Iterator[Member]:
    """Read the list of a zip archive."""
    for each in packed.infolist():
        yield Member(each.filename, _zip_kind(each), each.file_size)


def within(most_bytes: int, members: Iterable[Member]) -> Iterator[Member]:
    """Pass members on until they hold more than they may, and no further.

    Raises:
        UnsafeArchive: they hold more; what comes after is not even read.
    """
    total = 0
    for member in members:
        total += member.size
        if total > most_bytes:
            raise UnsafeArchive(
                f"{member.name!r} would make it {total} bytes, and {most_bytes} are allowed"
            )
        yield member


def require_safe(members: Sequence[Member], flavour: ModuleType = os.path) -> None:
    """Refuse an archive for its first member that could do harm.

    Args:
        members: all of them.
        flavour: the rules for names, ``posixpath`` or ``ntpath``; by default those of this system.

    Raises:
        UnsafeArchive: names the member and says what is wrong.
    """
    places = [_parts(member.name, flavour) for member in members]
    rules = _Rules(
        flavour,
        {place for place, member in zip(places, members, strict=True) if member.kind == "file"},
        {place for place, member in zip(places, members, strict=True) if member.kind in _LINKS},
        Counter(places),
    )
    for place, member in zip(places, members, strict=True):
        if reason := rules.broken_by(member, place):
            raise UnsafeArchive(f"{member.name!r} {reason}")


@dataclass(frozen=True, slots=True)
class _Rules:
    flavour: ModuleType
    files: set[Place]
    links: set[Place]
    times: Counter[Place]

    def broken_by(self, member: Member, place: Place) -> str | None:
        if reason := _wrong_name(member.name, place, self.flavour):
            return reason
        if not place and member.kind != "directory":
            return "is no name"
        if any(place[:depth] in self.links for depth in range(1, len(place))):
            return "passes through a link"
        if place in self.links and self.times[place] > 1:
            return "is in it twice, once as a link"
        return self._wrong_kind(member, place)

    def _wrong_kind(self, member: Member, place: Place) -> str | None:
        if member.kind in {"file", "directory"}:
            return None
        if member.kind not in _LINKS:
            return f"is a {member.kind}"
        target = _parts(member.target, self.flavour)
        if member.kind == "hard link":
            wrong = None if target in self.files else "is no file in it"
        else:
            wrong = self._wrong_way(member.target, target, len(place) - 1)
        return wrong and f"is a {member.kind} to {member.target!r}, which {wrong}"

    def _wrong_way(self, name: str, target: Place, depth: int) -> str | None:
        # A ".." at the beginning climbs through true directories.  Behind another name it would
        # climb out of wherever that leads, which may be a link itself.
        climbs = target.count("..")
        wrong = _wrong_name(name, target[climbs:], self.flavour)
        return "leads out of the directory" if wrong is None and climbs > depth else wrong


def _parts(name: str, flavour: ModuleType) -> Place:
    """Split a name; on Windows at backslashes, too."""
    if flavour.sep != "/":
        name = name.replace(flavour.sep, "/")
    return tuple(part for part in name.split("/") if part not in {"", "."})


def _wrong_name(name: str, place: Place, flavour: ModuleType) -> str | None:
    if flavour.isabs(name) or flavour.splitdrive(name)[0] or name.startswith(("/", flavour.sep)):
        return "is an absolute path"
    return "leads out of the directory" if ".." in place else None


def _tar_kind(member: tarfile.TarInfo) -> str:
    kinds = {
        "file": member.isreg(),
        "directory": member.isdir(),
        "link": member.issym(),
        "hard link": member.islnk(),
        "FIFO": member.isfifo(),
    }
    return next((kind for kind, true in kinds.items() if true), "device or something unknown")


def _zip_kind(member: zipfile.ZipInfo) -> str:
    kind = stat.S_IFMT(member.external_attr >> 16)  # zero if it was made on Windows
    if member.flag_bits & 1:
        return "file that needs a password"
    if member.is_dir():
        return "directory"
    return "file" if kind in {0, stat.S_IFREG} else "link or device, which zip knows by convention"

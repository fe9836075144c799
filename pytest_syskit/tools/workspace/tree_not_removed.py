"""What is said when part of a tree could not be removed."""

from __future__ import annotations

import errno
from dataclasses import dataclass

_LISTED = 10  # entries in the text; more would hide the first line


@dataclass(frozen=True, slots=True)
class Stayed:
    """An entry that could not be removed: its path below the tree's parent, and why."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path!r}: {self.why}"


class TreeNotRemoved(OSError):
    """Part of a tree is still there; ``stayed`` names the entries, ``path`` the tree."""

    def __init__(self, path: str, stayed: tuple[Stayed, ...]) -> None:
        self.path = path
        self.stayed = stayed
        super().__init__(self._text())

    def _text(self) -> str:
        count = len(self.stayed)
        lines = [f"{self.path!r} could not be removed: {count} {_entries(count)} stayed"]
        lines += [f"  {one}" for one in self.stayed[:_LISTED]]
        if count > _LISTED:
            lines.append(f"  … and {count - _LISTED} more")
        return "\n".join([*lines, "the rest is gone; remove these, with what they hold, by hand"])


def _entries(count: int) -> str:
    return "entry" if count == 1 else "entries"


_REASONS = {
    errno.EBUSY: "something is mounted here, or the system is using it",
    errno.EXDEV: "another file system is mounted here",
    errno.ENOTEMPTY: "new entries keep appearing in it",
    errno.EEXIST: "new entries keep appearing in it",
    errno.EPERM: "not permitted (another user's, or immutable: chattr -i, chflags nouchg)",
    errno.EACCES: "permission denied (it, or the directory that holds it, is another user's)",
}


def why(error: OSError) -> str:
    """Say in words why an entry stays."""
    return _REASONS.get(error.errno or 0, error.strerror or str(error))

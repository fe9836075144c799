"""Descriptors that were open before the tests, and must stay what they are.

Standard streams, pytest's saved copies of them and its capture files, and what a parent process
handed down: whoever closes or replaces one of these breaks something far away.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ..host.descriptors import descriptors

if TYPE_CHECKING:
    from ..leaks.resource import Resource

_GUARDED = (stat.S_IFIFO, stat.S_IFCHR)  # pipes and terminals; files of plugins may be rotated


class Baseline:
    """Remembers descriptors and tells which have been closed or replaced since."""

    def __init__(self) -> None:
        self._known = {fd: text for fd in descriptors.numbers() if (text := _guarded(fd))}

    def identities(self) -> dict[int, descriptors.Identity]:
        """Return what is guarded."""
        return {fd: identity for fd, (identity, _) in self._known.items()}

    def changes(self) -> list[Resource]:
        """Return what was closed or replaced since the last call, each change once."""
        changed = [
            fd for fd, (identity, _) in self._known.items() if not descriptors.same(fd, identity)
        ]
        return [self._change(fd) for fd in changed]

    def _change(self, fd: int) -> Resource:
        from ..leaks.resource import Resource  # noqa: PLC0415  # read at every start, changed never

        _, was = self._known.pop(fd)
        now = _guarded(fd, anything=True)
        if now:
            self._known[fd] = now
        act = "replaced" if now else "closed"
        by = f" by {now[1]}" if now else ""
        label = f"fd {fd}  {act}{by}; it was {was} before the tests"
        detail = {"fd": fd, "what": "baseline", "target": was, "change": act}
        return Resource("fd", (fd, act), label, detail)


def _guarded(fd: int, *, anything: bool = False) -> tuple[descriptors.Identity, str] | None:
    """Return identity and name of a descriptor that must stay, or ``None``."""
    try:
        identity = descriptors.identity(fd)
    except OSError:
        return None  # closed
    name = descriptors.link_text(fd) or f"device {identity[0]}, inode {identity[1]}"
    standard = fd <= 2  # noqa: PLR2004  # input, output, error
    scratch = identity[2] == stat.S_IFREG and name.endswith("(deleted)")  # pytest's capture files
    if anything or standard or scratch or identity[2] in _GUARDED:
        return identity, os.fsdecode(name)
    return None

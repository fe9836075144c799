"""What changed between two looks at a tree, as a value that reads well.  Touches no file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EntryState:
    """What one entry was like.

    Attributes:
        kind: file, directory, link, fifo, socket, character device, block device or unknown.
        mode: permission bits; 0 for links.
        size: bytes of a file, else ``None``.
        digest: of a file's content; ``None`` when it could not be read.
        target: of a link, else ``None``.
        problem: why content or entries could not be read, or ``None``.
    """

    kind: str
    mode: int
    size: int | None = None
    digest: str | None = None
    target: str | None = None
    problem: str | None = None

    def __str__(self) -> str:
        """Describe it as in ``file, 5 bytes, mode 0644``."""
        parts = [self.kind]
        if self.size is not None:
            parts.append(_bytes(self.size))
        if self.target is not None:
            parts.append(f"to {self.target!r}")
        else:
            parts.append(f"mode {self.mode:04o}")
        if self.problem:
            parts.append(f"not readable: {self.problem}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True, repr=False)
class TreeDiff:
    """The difference from ``before`` to ``after``; true when there is one.

    ``str()`` has one line per entry: ``added    new.txt  (file, 5 bytes, mode 0644)``.
    """

    before: Mapping[str, EntryState]
    after: Mapping[str, EntryState]

    @property
    def added(self) -> tuple[str, ...]:
        """Paths that are new, sorted."""
        return _only_in(self.after, self.before)

    @property
    def removed(self) -> tuple[str, ...]:
        """Paths that are gone, sorted."""
        return _only_in(self.before, self.after)

    @property
    def changed(self) -> dict[str, tuple[str, ...]]:
        """Paths that differ, sorted, each with what does: kind, or content, mode, target."""
        return {path: tuple(what) for path, what in self._changes()}

    def _changes(self) -> Iterator[tuple[str, dict[str, str]]]:
        for path in sorted(self.before.keys() & self.after.keys()):
            if what := compare(self.before[path], self.after[path]):
                yield path, what

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def __str__(self) -> str:
        """Write one line per entry, or ``no difference``."""
        return "\n".join(self._lines()) or "no difference"

    def __repr__(self) -> str:
        return f"<TreeDiff: {'; '.join(self._lines()) or 'no difference'}>"

    def _lines(self) -> Iterator[str]:
        yield from (f"added    {shown(path)}  ({self.after[path]})" for path in self.added)
        yield from (f"removed  {shown(path)}  ({self.before[path]})" for path in self.removed)
        for path, what in self._changes():
            changes = "; ".join(f"{aspect}: {text}" for aspect, text in what.items())
            yield f"changed  {shown(path)}  ({changes})"


def compare(before: EntryState, after: EntryState) -> dict[str, str]:
    """Say in which aspects two states differ, and how; content never read counts as equal."""
    if before.kind != after.kind:
        return {"kind": f"{before.kind}, now {after.kind}"}
    aspects = {}
    if _content_differs(before, after):
        aspects["content"] = _content_change(before, after)
    if before.mode != after.mode:
        aspects["mode"] = f"{before.mode:04o}, now {after.mode:04o}"
    if before.target != after.target:
        aspects["target"] = f"{before.target!r}, now {after.target!r}"
    return aspects


def _content_differs(before: EntryState, after: EntryState) -> bool:
    known = before.digest is not None and after.digest is not None
    return before.size != after.size or (known and before.digest != after.digest)


def _content_change(before: EntryState, after: EntryState) -> str:
    if before.size == after.size:
        return f"other {_bytes(after.size or 0)}"
    return f"{_bytes(before.size or 0)}, now {_bytes(after.size or 0)}"


def _only_in(these: Mapping[str, EntryState], others: Mapping[str, EntryState]) -> tuple[str, ...]:
    closed = {path for path, state in others.items() if state.problem and state.kind == "directory"}
    return tuple(sorted(path for path in these.keys() - others.keys() if not _below(path, closed)))


def _below(path: str, closed: set[str]) -> bool:
    """Say whether a path lies in a directory that could not be listed: nobody knows about it."""
    above = path
    while closed and "/" in above:
        above = above.rpartition("/")[0]
        if above in closed:
            return True
    return False


def shown(path: str) -> str:
    """Write a path on one line: quoted when it holds anything that would break or hide it."""
    return path if path.isprintable() and path == path.strip() else repr(path)


def _bytes(count: int) -> str:
    return f"{count} byte" if count == 1 else f"{count} bytes"

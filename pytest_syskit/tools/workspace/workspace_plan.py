"""Turn what the user asked ``populate`` for into a checked list of entries, before any is made.

Nothing here looks at the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .workspace_entries import ENTRIES, Entry, Executable, File, HardLink

_ALLOWED = "str, bytes, a dict, " + ", ".join(kind.__name__ for kind in ENTRIES)
_NAMES = (
    'a name or a relative path such as "a/b.txt" is allowed, without "..", ".", NUL or empty parts'
)


@dataclass(frozen=True, slots=True)
class Plan:
    """Paths relative to the workspace with ``/`` between the names.

    Attributes:
        directories: parents come before what is in them.
        entries: everything that is no directory, in the user's order.
    """

    directories: tuple[str, ...]
    entries: Mapping[str, Entry]


def make_plan(tree: Mapping[Any, Any]) -> Plan:
    """Check and flatten a tree.

    Raises:
        ValueError: a path leaves the workspace or means two things at once, or a value is wrong.
        TypeError: a key or value of a type that no entry can be made of.
    """
    if not isinstance(tree, Mapping):
        raise TypeError(f"populate({tree!r}): a dict of names and what they hold is expected")
    directories: dict[str, None] = {}
    entries: dict[str, Entry] = {}
    for path, value in _flatten(tree):
        directories.update(dict.fromkeys(parents(path)))
        if value is None:
            directories[path] = None
        elif path in entries:
            raise ValueError(f"entry {path!r} is given twice")
        else:
            entries[path] = value
    if both := directories.keys() & entries.keys():
        raise ValueError(
            f"entry {min(both)!r} is given twice: as a directory and as something else"
        )
    _check_links(entries, directories)
    return Plan(tuple(directories), entries)


def parents(path: str) -> list[str]:
    """List the directories above an entry, the outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: count + 1]) for count in range(len(parts))]


def clean_path(key: object, what: str) -> str:
    """Return a user's path with ``/`` between its names.

    Raises:
        TypeError: no path at all.
        ValueError: absolute, empty, or leading out of the workspace.
    """
    try:
        text = os.fsdecode(key)  # type: ignore[arg-type]  # that it may be wrong is the point
    except TypeError:
        raise TypeError(f"{what} {key!r}: the path must be a str, bytes or path") from None
    text = text.replace(os.sep, "/")
    if text.startswith("/") or os.path.splitdrive(text)[0]:
        raise ValueError(f"{what} {key!r} is absolute: {_NAMES}")
    if "\0" in text or not {"", ".", ".."}.isdisjoint(text.split("/")):
        raise ValueError(f"{what} {key!r} is not allowed: {_NAMES}")
    return text


def _flatten(tree: Mapping[Any, Any]) -> Iterator[tuple[str, Entry | None]]:
    """Yield each path with its entry, or with ``None`` for a directory."""
    waiting: list[tuple[str, Mapping[Any, Any], frozenset[int]]] = [("", tree, frozenset())]
    while waiting:
        prefix, level, around = waiting.pop()
        around |= {id(level)}
        for key, value in level.items():
            if not isinstance(value, Mapping):
                path = prefix + clean_path(key, _entry(prefix))
                yield path, _checked(path, value)
                continue
            path = prefix + clean_path(_without_last_slash(key), _entry(prefix))
            if id(value) in around:
                raise ValueError(f"entry {path!r} is a dict that contains itself")
            yield path, None
            waiting.append((path + "/", value, around))


def _entry(prefix: str) -> str:
    return f"in {prefix!r} entry" if prefix else "entry"


def _without_last_slash(key: object) -> object:
    """Let "folder/" name a directory."""
    if isinstance(key, bytes):
        return key[:-1] if key.endswith(b"/") else key
    return key[:-1] if isinstance(key, str) and key.endswith("/") else key


def _checked(path: str, value: object) -> Entry:
    if isinstance(value, (str, bytes)):
        return File(value)
    if not isinstance(value, ENTRIES):
        raise TypeError(f"entry {path!r} is {value!r}: allowed are {_ALLOWED}")
    if wrong := value.wrong():
        raise ValueError(f"entry {path!r} ({type(value).__name__}): {wrong}")
    return value.as_file() if isinstance(value, Executable) else value


def _check_links(entries: dict[str, Entry], directories: Mapping[str, None]) -> None:
    """Replace each hard link's target by the one that is no hard link of this plan itself."""
    targets = {
        path: clean_path(value.target, f"entry {path!r} (HardLink): target")
        for path, value in entries.items()
        if isinstance(value, HardLink)
    }
    for path, target in targets.items():
        passed = {path}
        while target in targets:
            if target in passed:
                raise ValueError(f"entry {path!r} (HardLink): target {target!r} leads back to it")
            passed.add(target)
            target = targets[target]  # noqa: PLW2901  # follows a chain to its end
        if target in directories:
            raise ValueError(f"entry {path!r} (HardLink): target {target!r} is a directory")
        entries[path] = HardLink(target)

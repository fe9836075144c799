"""Make what a plan says, all of it or nothing.

check names and values ──▶ check what is there ──▶ make, noting how to undo ──▶ forget the notes
                                                        └── an error ──▶ undo, newest first
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from pytest_syskit.host.real import real

from .make_entry import HIDDEN, absent, make_directory, make_entry
from .private_directory import make_private_directory
from .remove_tree import remove_tree
from .workspace_clashes import find_replaced, mode_of
from .workspace_entries import HardLink
from .workspace_plan import Plan, make_plan


def populate(root: str, tree: Mapping[Any, Any]) -> None:
    """Fill a directory from a dict; on an error everything is as it was before.

    Directories are merged into those that exist.  Anything else that exists is replaced (a new
    inode under the old name), but never a directory, and nothing is made through a symbolic link.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     populate(folder, {"a.txt": "text", "sub": {"raw": b"bytes"}})
        ...     print(sorted(os.listdir(folder)))
        ['a.txt', 'sub']

    Args:
        root: an existing directory.
        tree: names, or relative paths with slashes, and what they hold: ``str`` or ``bytes``
            (a file of mode 0644), a dict (a directory of mode 0755), or a value of
            ``workspace_entries``.

    Raises:
        ValueError, TypeError: a wrong name or value; names the entry and what is allowed.
        NotImplementedError: an entry that this platform cannot have.
        OSError: the entry it names clashes with what is there, or the system refused it.
    """
    plan = make_plan(tree)
    _check_platform(plan)
    replaced = find_replaced(root, plan)
    with ExitStack() as undo:
        holding = _put_aside(root, replaced, undo) if replaced else None
        _make_all(root, plan, undo)
        undo.pop_all()
    if holding is not None:
        remove_tree(holding)


def _check_platform(plan: Plan) -> None:
    for path, value in plan.entries.items():
        if lack := absent(value):
            kind = type(value).__name__
            raise NotImplementedError(f"entry {path!r} ({kind}): this platform has no {lack}")


def _put_aside(root: str, replaced: list[str], undo: ExitStack) -> str:
    """Move entries into a hidden directory; ``undo`` brings them back from there."""
    holding = make_private_directory(root, HIDDEN)
    undo.callback(remove_tree, holding)
    for number, path in enumerate(replaced):
        place, aside = os.path.join(root, path), os.path.join(holding, str(number))
        with _naming(path):
            real.rename(place, aside)
        undo.callback(real.rename, aside, place)
    return holding


def _make_all(root: str, plan: Plan, undo: ExitStack) -> None:
    made: set[str] = set()  # directories: removing one removes all in it, so only the top is noted
    for path in plan.directories:
        if mode_of(root, path) is None:
            with _naming(path):
                _note(root, path, made, undo)
                made.add(path)
                make_directory(os.path.join(root, path))
    # Hard links come last, for their targets may be among the others.
    for path in sorted(plan.entries, key=lambda path: isinstance(plan.entries[path], HardLink)):
        with _naming(path):
            _note(root, path, made, undo)
            make_entry(root, path, plan.entries[path])


def _note(root: str, path: str, made: set[str], undo: ExitStack) -> None:
    if path.rpartition("/")[0] not in made:
        undo.callback(_remove_if_there, root, path)


def _remove_if_there(root: str, path: str) -> None:
    if mode_of(root, path) is not None:  # a name or path that is too long cannot be removed either
        remove_tree(os.path.join(root, path))


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Say which entry the system refused."""
    try:
        yield
    except OSError as error:
        why = f"entry {path!r} cannot be made ({error.strerror or error}); all is as it was before"
        raise (OSError(error.errno, why) if error.errno else OSError(why)) from error

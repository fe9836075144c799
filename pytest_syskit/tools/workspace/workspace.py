"""A private directory for one test: filled from a dict, compared with itself, surely removed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pytest_syskit.host.real import real

from .populate import populate
from .private_directory import make_private_directory
from .remove_tree import remove_after, remove_tree
from .tree_diff import TreeDiff
from .tree_snapshot import TreeSnapshot, take_snapshot
from .working_directory import working_directory
from .workspace_place import bring_home, give, owner_to_be, remove_link

if TYPE_CHECKING:
    from typing_extensions import Self

_PREFIX = "syskit-"
_STANDARD = """\
# Settings of a small program, written by TempWorkspace.standard().
# Paths are relative to the directory of this file.

[paths]
input = input
output = output
temp = temp

[settings]
encoding = utf-8
log_level = INFO
dry_run = no
"""


class TempWorkspace:
    """A directory of mode 0700 that exists from creation to the end of its ``with`` block.

    It is an ``os.PathLike``, and ``workspace / "a"`` is a ``pathlib.Path`` in it.  Its path has no
    links, and only ``open_to`` changes it.  The process that made it removes it: a forked child
    that leaves the block does not.  All work is done on the true file system, also while a fake one
    is installed.

    Example:
        >>> with TempWorkspace() as workspace:
        ...     _ = workspace.populate({"a.txt": "hello", "sub": {"raw": b"bytes"}})
        ...     before = workspace.snapshot()
        ...     _ = (workspace / "a.txt").write_text("hello, world")
        ...     print(workspace.diff(before))
        changed  a.txt  (content: 5 bytes, now 12 bytes)

    Args:
        root: the directory to create it in; the default is ``tempfile.gettempdir()``.
        keep: leave it in place at the end of the block.  The attribute may be set until then.

    Raises:
        OSError: nothing can be created in ``root``.
    """

    def __init__(self, root: str | os.PathLike[str] | None = None, *, keep: bool = False) -> None:
        parent = os.path.realpath(tempfile.gettempdir() if root is None else os.fsdecode(root))
        self.keep = keep
        self._owner = real.getpid()
        self.path = Path(make_private_directory(parent, _PREFIX))
        self._home = str(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if real.getpid() != self._owner:
            return
        if self.keep:
            self.path = Path(bring_home(self._home, str(self.path)))
            return
        self._step_out()
        remove_link(self._home, str(self.path))
        remove_after(str(self.path), error)

    def __truediv__(self, name: str | os.PathLike[str]) -> Path:
        return self.path / name

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"TempWorkspace({str(self.path)!r})"

    def populate(self, tree: Mapping[Any, Any]) -> Self:
        """Create entries from a dict, all or none; returns the workspace itself.

        Keys are names or relative paths (``"a/b.txt"``) as ``str``, ``bytes`` or path.  Values are
        text or bytes (a file of mode 0644), a dict (a directory of mode 0755), or ``File``,
        ``Executable``, ``Symlink``, ``HardLink``, ``Fifo`` and ``UnixSocket``.  Existing
        directories are filled further; other existing entries are replaced.

        Raises:
            ValueError, TypeError: a wrong name or value; names the entry and what is allowed.
            NotImplementedError: an entry that this platform cannot have.
            OSError: the entry it names clashes with what is there, or the system refused it.
        """
        populate(str(self.path), tree)
        return self

    def open_to(self, user: str | int) -> Self:
        """Let another user work here, as ``fork_runner.run(..., user=...)`` does; returns itself.

        The user becomes the owner of the directory, whose mode stays 0700: nobody else but the
        superuser gets in.  What is in it keeps its owner: by default the user reads the files of
        ``populate``, and replaces but does not rewrite them (``File(mode=0o666)`` lets them).

        If the user may not enter a directory above, as the private ones of ``tmp_path`` and
        ``temp_workspace``, these are left as they are, and the workspace moves to the system's
        temporary directory.  ``path`` is the new place then; the old one is a link to it, for paths
        of this process.  What is kept at the end is moved back.

        Args:
            user: a name or a number.

        Raises:
            PermissionError: this process is not the superuser, or the user can reach no place.
            LookupError: there is no such user.
            NotImplementedError: the platform has no owners (Windows).
        """
        self.path = Path(give(self._home, str(self.path), owner_to_be(user)))
        return self

    def standard(self) -> Self:
        """Make ``input/ output/ temp/ config.ini``; returns the workspace itself.

        The configuration reads with ``configparser``: section ``paths`` has ``input``, ``output``
        and ``temp``, relative to the file, and section ``settings`` has ``encoding``, ``log_level``
        and ``dry_run``.  See ``input``, ``output``, ``temp`` and ``config``.
        """
        return self.populate({"input": {}, "output": {}, "temp": {}, "config.ini": _STANDARD})

    @property
    def input(self) -> Path:
        """Where ``standard()`` puts what a program reads."""
        return self.path / "input"

    @property
    def output(self) -> Path:
        """Where ``standard()`` lets a program write."""
        return self.path / "output"

    @property
    def temp(self) -> Path:
        """Where ``standard()`` lets a program keep things for a while."""
        return self.path / "temp"

    @property
    def config(self) -> Path:
        """The configuration file of ``standard()``."""
        return self.path / "config.ini"

    def snapshot(self) -> TreeSnapshot:
        """Record kind, mode, content and link target of every entry; opens regular files only."""
        return take_snapshot(self.path)

    def diff(self, before: TreeSnapshot) -> TreeDiff:
        """Return what was ``added``, ``removed`` and ``changed`` since a snapshot.

        The result is true when something was, and its ``str()`` has a line for each entry.
        """
        return self.snapshot().diff(before)

    @contextmanager
    def chdir(self, to: str | os.PathLike[str] = ".") -> Iterator[Path]:
        """Work in the workspace, or in a directory of it, for the length of a ``with`` block.

        Afterwards the working directory is the previous one, even if either was removed meanwhile.
        The variable ``PWD`` is left alone.
        """
        with working_directory(self.path / to) as place:
            yield place

    def remove(self) -> None:
        """Remove the workspace now, ``keep`` or not; again is no error.

        Raises:
            TreeNotRemoved: something stayed; names it.
        """
        self._step_out()
        remove_link(self._home, str(self.path))
        remove_tree(self.path)

    def _step_out(self) -> None:
        """Leave a working directory that is about to vanish, for nothing works in a removed one."""
        with suppress(OSError):  # the working directory is gone already
            if f"{real.getcwd()}{os.sep}".startswith(f"{self.path}{os.sep}"):
                real.chdir(os.path.dirname(self.path))

"""Whose a frame is, and how a stack is told: the user's lines, innermost last."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterable
from types import CodeType, FrameType

Stack = tuple[str, ...]

USER, LIBRARY, STDLIB, PASSAGE, OWN, RUNNER = range(6)  # the last two are not followed

_DEPTH = 10  # lines told, the innermost: they tell who did it, the rest how one got there
_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OWN_FILES = os.path.join(_PACKAGE, "")
# Stand-ins of ours for functions of os: a user's call goes through them, so it is followed there.
_PASSAGES = tuple(
    os.path.join(_PACKAGE, "host", "processes", n) for n in ("parentage.py", "exits.py")
)
_SHELVES = ("site-packages", "dist-packages")


class Places:
    """Sorts code by its file and tells stacks of it.

    Args:
        root: files below are told relative to it.
        runner: directories of the test runner, whose frames are nobody's.
    """

    def __init__(self, root: str, runner: Iterable[str] = ()) -> None:
        self._root = os.path.join(root, "")
        self._runner = tuple(os.path.join(each, "") for each in runner)
        paths = sysconfig.get_paths()
        self._stdlib, self._library = (
            tuple({os.path.join(paths[name], "") for name in names})
            for names in (("stdlib", "platstdlib"), ("purelib", "platlib"))
        )
        self._known: dict[str, int] = {}

    def whose(self, code: CodeType) -> int:
        """Say whose code is; a ``PASSAGE`` is ours, but followed: users' calls go through it."""
        path = code.co_filename
        try:
            return self._known[path]
        except KeyError:
            self._known[path] = answer = self._sort(path)
            return answer

    def _sort(self, path: str) -> int:
        if not path.startswith("<"):
            path = os.path.normpath(path)  # an interpreter started as bin/../bin/python says so
        if path in _PASSAGES:
            return PASSAGE
        if path.startswith(_OWN_FILES):
            return OWN
        if path.startswith(self._runner):
            return RUNNER
        shelved = any(f"{os.sep}{shelf}{os.sep}" in path for shelf in _SHELVES)
        # Other names in angle brackets belong to code that was made from text.
        made = path.startswith("<") and not path.startswith("<doctest")
        if path.startswith("<frozen "):
            return STDLIB
        if made or shelved or path.startswith(self._library):
            return LIBRARY
        return STDLIB if path.startswith(self._stdlib) else USER

    def runs_users(self, frame: FrameType | None) -> bool:
        """Say whether code of the user's is anywhere on a stack."""
        while frame is not None:
            if self.whose(frame.f_code) == USER:
                return True
            frame = frame.f_back
        return False

    def is_runners_own(self, frame: FrameType) -> bool:
        """Say whether the runner itself has called a function of the standard library."""
        seen: FrameType | None = frame
        while seen is not None:
            whose = self.whose(seen.f_code)
            if whose not in (STDLIB, OWN):
                return whose == RUNNER
            seen = seen.f_back
        return False

    def tell(self, frame: FrameType | None, line: int | None = None) -> Stack | None:
        """Return a stack as ``path:line in function``; ``None`` if only the runner is in it.

        Args:
            frame: the innermost frame.
            line: where that frame is, if it has moved on since.
        """
        found: list[tuple[int, str]] = []
        end = 0  # whatever has called the runner is not what the runner runs
        while frame is not None:
            whose = self.whose(frame.f_code)
            if whose == RUNNER:
                end = len(found)
            elif whose < PASSAGE:
                found.append((whose, self._line(frame, line)))
            frame, line = frame.f_back, None
            if frame is None and not end:
                end = len(found)  # a thread: nothing of it is the runner's
        told = found[:end]
        users = [text for whose, text in told if whose == USER]
        return tuple(reversed((users or [text for _, text in told])[:_DEPTH])) or None

    def _line(self, frame: FrameType, line: int | None) -> str:
        code = frame.f_code
        number = line or frame.f_lineno or code.co_firstlineno
        return f"{self._shown(code)}:{number} in {code.co_name}"

    def _shown(self, code: CodeType) -> str:
        """Shorten a path below the root, or below the folder of a library."""
        path = code.co_filename
        for folder in (self._root, *self._library, *self._stdlib):
            if path.startswith(folder):
                return path.removeprefix(folder)
        return path

    def of_function(self, function: object) -> str:
        """Return ``path:line`` of a Python function or method; empty for everything else."""
        inner = getattr(function, "__func__", function)
        code = getattr(getattr(inner, "__wrapped__", inner), "__code__", None)
        return f"{self._shown(code)}:{code.co_firstlineno}" if code is not None else ""

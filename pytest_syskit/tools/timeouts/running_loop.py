"""Which event loop runs, and how its tasks are ended in peace: asyncio's and trio's.

Neither library is imported for our sake.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol


class Cancellable(Protocol):
    """What can be ended from inside its loop."""

    def is_current(self) -> bool:
        """Say whether code of it runs now, so that an exception raised here reaches it."""

    def soon(self, callback: Callable[[], object]) -> None:
        """Wake the loop, and let it call a function; safe in a signal handler."""

    def cancel(self) -> None:
        """Ask it to end; called by the loop."""

    def clean(self, asked: int) -> None:
        """Undo what is left of so many requests."""


def loop_runs() -> bool:
    """Say whether an asyncio loop runs in this thread."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None  # noqa: SLF001  # in its __all__


def running_task() -> Any:
    """Return the asyncio task that runs now, or ``None``."""
    return sys.modules["asyncio"].current_task() if loop_runs() else None


def _trio_token() -> Any:
    """Return the token of the trio loop that runs in this thread, or ``None``."""
    trio = sys.modules.get("trio")
    with suppress(RuntimeError, AttributeError):  # no loop runs; trio is being imported
        return None if trio is None else trio.lowlevel.current_trio_token()
    return None


def _trio_task() -> Any:
    with suppress(RuntimeError):  # no task runs
        return sys.modules["trio"].lowlevel.current_task()
    return None


def any_loop_runs() -> bool:
    """Say whether a loop of either library runs in this thread."""
    return loop_runs() or _trio_token() is not None


def current() -> Cancellable | None:
    """Return the task that runs now, to be cancelled from elsewhere; ``None`` outside of tasks."""
    if _trio_token() is not None:
        return TrioBlock()
    task = running_task()
    return None if task is None else AsyncioTask(task)


def whole_run() -> Cancellable | None:
    """Return the trio run that goes on around no block of ours, or ``None``."""
    token = _trio_token()
    return None if token is None else TrioRun(token)


class AsyncioTask:
    """An asyncio task that holds a block."""

    def __init__(self, task: Any) -> None:
        self._task = task

    def is_current(self) -> bool:
        """Say whether it runs now."""
        return running_task() is self._task

    def soon(self, callback: Callable[[], object]) -> None:
        """Let the loop call a function."""
        self._task.get_loop().call_soon_threadsafe(callback)

    def cancel(self) -> None:
        """Cancel it as ``asyncio.timeout`` would."""
        self._task.cancel()

    def clean(self, asked: int) -> None:
        """Take the requests back: ``asyncio.timeout`` and task groups count them (3.11)."""
        for _ in range(asked if hasattr(self._task, "uncancel") else 0):
            self._task.uncancel()


class TrioRun:
    """A whole trio run: its main task and all that task has started."""

    def __init__(self, token: Any) -> None:
        self._token = token

    def is_current(self) -> bool:
        """Say whether any task runs now: whatever leaves one ends the run."""
        return _trio_task() is not None

    def soon(self, callback: Callable[[], object]) -> None:
        """Let the loop call a function."""
        self._token.run_sync_soon(callback)

    def cancel(self) -> None:
        """Cancel the nursery of the main task, the innermost that trio itself has opened."""
        root = sys.modules["trio"].lowlevel.current_root_task()
        root.child_nurseries[-1].cancel_scope.cancel()

    def clean(self, asked: int) -> None:
        """Nothing is left of a request."""


class TrioBlock(TrioRun):
    """A block inside a trio task, with a cancel scope of its own around it."""

    def __init__(self) -> None:
        super().__init__(_trio_token())
        self._task = _trio_task()
        self._scope = sys.modules["trio"].CancelScope()
        self._scope.__enter__()

    def is_current(self) -> bool:
        """Say whether the block's task runs now."""
        return _trio_task() is self._task

    def cancel(self) -> None:
        """Cancel the block alone."""
        self._scope.cancel()

    def leave(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the scope; what the block was left by is judged by its limit."""
        with suppress(BaseException):  # the remainder of a group, which the limit judges whole
            self._scope.__exit__(kind, error, trace)


def close_abandoned_run(trace: TracebackType | None) -> None:
    """Close the trio run that an exception raised in its loop has left half-way.

    Such a run would stay the thread's current one, and no other could start.
    """
    while trace is not None:
        frame = trace.tb_frame
        if frame.f_globals.get("__name__") == "trio._core._run" and "gen" in frame.f_locals:
            _close_quietly(frame.f_locals["gen"])
        trace = trace.tb_next


def _close_quietly(run: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # trio takes it for an abandoned guest run
        run.close()

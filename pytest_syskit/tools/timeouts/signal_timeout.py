"""Time limits that end a block wherever it hangs: ``with signal_timeout(0.5): …``."""

from __future__ import annotations

import functools
import inspect
import math
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, TypeVar

from pytest_syskit.host import capabilities
from pytest_syskit.host.signals.timers import CLOCK_NAMES, timer_clock

from .running_loop import Cancellable, TrioBlock, current
from .signalled_limit import shield
from .time_limit import TimeLimit
from .timeout_verdict import SignalTimeout, raise_overrun

__all__ = ["SignalTimeout", "signal_timeout"]

Function = TypeVar("Function", bound=Callable[..., Any])
shield(__name__)


class signal_timeout:  # noqa: N801  # used like a function
    """Limit the time of a block, or as a decorator of each call of a function.

    When the limit is over, the code is interrupted at the line it is in, and ``SignalTimeout`` is
    raised from the ``with`` statement.  Code that catches the interruption is interrupted again,
    and if it ends in peace after all, ``SignalTimeout`` is raised nevertheless.  Limits nest in any
    order, with each other and with timers and handlers of other people, which get handler *and*
    remaining time back.

    Args:
        seconds: the limit; finite and above 0, fractions allowed.
        clock: ``"real"`` (SIGALRM) or ``"cpu"`` (SIGPROF): processor time of this process, which a
            busy machine cannot trip and a sleeping block never uses up.
        on_timeout: called once when the limit fires, before anything is raised.
        name: what the message calls the block; its file and line by default.

    Raises:
        ValueError, TypeError: a limit that is none, or an unknown clock.
        RuntimeError: entered outside the main thread, where Python runs no signal handlers.
        NotImplementedError: this platform has no interval timers.

    It cannot interrupt a C function that neither returns nor checks for signals; what such a
    function does is to be run in a process of its own (``run_in_fork(timeout=…)``).  An exception
    at an arbitrary line can leave the code's own structures half changed.

    >>> import time
    >>> try:
    ...     with signal_timeout(0.05):
    ...         time.sleep(10)
    ... except SignalTimeout as error:
    ...     print(error.overrun.seconds)
    0.05
    """

    def __init__(
        self,
        seconds: float,
        clock: str = "real",
        *,
        on_timeout: Callable[[TimeLimit], object] | None = None,
        name: str | None = None,
    ) -> None:
        self.seconds = checked_seconds(seconds)
        self.clock = checked_clock(clock)
        self._on_timeout = on_timeout
        self._name = name
        self._limit: TimeLimit | None = None
        self._task: Cancellable | None = None

    def __enter__(self) -> TimeLimit:
        """Start the clock and return the armed limit (``pause()`` and ``resume()`` are its)."""
        if self._limit is not None:
            raise RuntimeError(f"{self._limit} is armed already; a nested block needs its own")
        require_main_thread()
        frame = sys._getframe(1)  # noqa: SLF001  # the only way to the caller's line
        self._name = self._name or _block(frame)
        limit = TimeLimit(timer_clock(self.clock), self.seconds, announce=self._on_timeout)
        self._task = current()
        limit.arm(frame, self._task)
        self._limit = limit
        return limit

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put handler and timer back; raise SignalTimeout if the limit is over."""
        limit = self._limit
        if limit is None:
            return
        overrun = limit.disarm()
        if isinstance(self._task, TrioBlock):
            self._task.leave(kind, error, trace)
        self._limit = self._task = None
        if overrun is not None:
            raise_overrun(limit, overrun, error, f"{self._name} took longer than")

    def __call__(self, function: Function) -> Function:
        """Limit each call of a function, a coroutine function too."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"signal_timeout limits calls, but calling the generator function "
                f"{function.__qualname__} runs none of it; use the block form inside"
            )
        wrap = _limited_coroutine if inspect.iscoroutinefunction(function) else _limited
        name = self._name or f"{function.__qualname__}()"
        limited: Function = wrap(function, functools.partial(
            type(self), self.seconds, self.clock, on_timeout=self._on_timeout, name=name
        ))  # fmt: skip
        return limited


def _limited(function: Any, limit: Callable[[], signal_timeout]) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with limit():
            return function(*args, **kwargs)

    return call


def _limited_coroutine(function: Any, limit: Callable[[], signal_timeout]) -> Any:
    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        with limit():
            return await function(*args, **kwargs)

    return call


def checked_seconds(seconds: object) -> float:
    """Return a limit as a float (``TypeError`` and ``ValueError`` name what it is not)."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"signal_timeout takes a number of seconds, not {seconds!r}")
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError(f"signal_timeout takes finite seconds above 0, not {seconds!r}")
    return float(seconds)


def checked_clock(clock: object) -> str:
    """Return the name of a clock (``ValueError`` lists those there are)."""
    if clock not in CLOCK_NAMES:
        raise ValueError(f"signal_timeout knows the clocks 'real' and 'cpu', not {clock!r}")
    return str(clock)


def require_main_thread() -> None:
    """Refuse to work where no signal handler runs.

    Raises:
        RuntimeError: this is another thread.
        NotImplementedError: this platform has no interval timers at all.
    """
    if threading.get_ident() != threading.main_thread().ident:
        raise RuntimeError(
            f"signal_timeout works in the main thread only, where Python runs signal handlers; "
            f"this is thread {threading.current_thread().name!r}. "
            f"run_in_fork(timeout=…) limits code from any thread"
        )
    if lack := capabilities.missing("alarm"):
        raise NotImplementedError(f"signal_timeout needs interval timers: {lack}")


def _block(frame: FrameType) -> str:
    return f"the block at {frame.f_code.co_filename}:{frame.f_lineno}"

"""Calling a function in a forked child and telling all that came of it.

    result = run_in_fork(os.getpid)
    assert result == Returned(result.value)

The child shares this process's memory as it was, so any function and any arguments will do; its
result is a copy.  It never returns into the caller's code.

What the child has from its parent: memory, modules, working directory, umask, open descriptors,
resource limits.  What it has anew: pid, process group, signal actions and mask (those of a fresh
interpreter), no wakeup descriptor, no interval timers, an empty standard input, its own standard
output and error, no core dumps.  It ends by ``os._exit``: no ``atexit`` functions, no waiting for
threads.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from ...host import capabilities, libc
from ...host.descriptors import output_buffers
from ...host.processes import threads
from ...host.real import real
from ...host.signals import child_signals
from .fork_channel import ForkChannel
from .fork_checks import (
    check_callable,
    check_directory,
    check_environment,
    check_seconds,
    check_user,
    require_fork,
)
from .fork_child import ForkJob, live, streams_ahead
from .fork_handle import ForkHandle
from .fork_results import ForkResult
from .rlimits import check_limits, load

LIMIT = 60.0  # seconds: far more than a unit test takes, far less than a CI job may hang
GRACE = 1.0  # seconds between SIGTERM and SIGKILL: time to clean up, not to finish


class ForkRunner:
    """Runs functions in forked children; one runner may have any number at once.

    Args:
        timeout: seconds that a child may take unless a call says otherwise.
        grace: seconds between SIGTERM and SIGKILL when something must be ended.
        adopt_orphans: let the child adopt its orphaned descendants, so that daemons are seen and
            ended (Linux; changes what their ``getppid`` says).  By default it does if this process
            does.

    As a context manager it ends, at the end of the block, the children that still run.

    Example:
        >>> runner = ForkRunner(timeout=5)
        >>> runner.run(divmod, 7, 3)
        Returned(value=(2, 1))
        >>> runner.run(int, "x").error
        ValueError("invalid literal for int() with base 10: 'x'")
    """

    def __init__(
        self, *, timeout: float = LIMIT, grace: float = GRACE, adopt_orphans: bool | None = None
    ) -> None:
        self.timeout = check_seconds("timeout", timeout)
        self.grace = check_seconds("grace", grace, least=0.0)
        self.adopt_orphans = _adopts() if adopt_orphans is None else adopt_orphans
        self._live: set[ForkHandle] = set()

    def __enter__(self) -> ForkRunner:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def run(self, function: Callable[..., Any], *args: Any, **options: Any) -> ForkResult:
        """Call ``function(*args)`` in a forked child, wait for its end, and tell how it ended.

        Args and errors are those of :meth:`start`.
        """
        with self.start(function, *args, **options) as handle:
            return handle.wait()

    def start(
        self,
        function: Callable[..., Any],
        *args: Any,
        timeout: float | None = None,
        user: str | int | None = None,
        limits: Mapping[str, int] | None = None,
        new_session: bool = False,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> ForkHandle:
        """Begin to call ``function(*args)`` in a forked child.

        Args:
            function: anything callable; bind keyword arguments with ``functools.partial``.
            args: its arguments; they are not copied.
            timeout: seconds; the runner's by default.
            user: name or id of the user to become for good, with all its groups, HOME, USER and
                LOGNAME. Only the superuser can.
            limits: soft resource limits by name, see :func:`~pytest_syskit.rlimits`.
                The child's standard output is a file, so ``fsize`` holds for it, too.
            new_session: make the child the leader of a session without a terminal, not of a group
                only.
            env: the whole environment; the parent's by default.
            cwd: the working directory; the parent's by default.

        Raises:
            NotImplementedError: this platform cannot fork.
            TypeError, ValueError: an argument is wrong.
            LookupError: there is no such user.
            PermissionError: ``user`` was given, and this process is not the superuser's.
        """
        require_fork()
        load()  # each child would import it anew, which takes as long as the fork
        limit = self.timeout if timeout is None else check_seconds("timeout", timeout)
        job = ForkJob(
            check_callable(function),
            args,
            check_user(user),
            check_limits(limits or {}),
            bool(new_session),
            check_environment(env),
            check_directory(cwd),
            self.adopt_orphans,
            outputs=output_buffers.python_streams(),
            # A thread that is just writing holds a lock, which nobody gives back in the child.
            flush_outputs=threads.alone(),
            signals=child_signals.survey(),
            streams=streams_ahead(),
        )
        handle = _launch(job, limit, self.grace, self._live.discard)
        self._live.add(handle)
        return handle

    def close(self) -> None:
        """End the children that still run."""
        for handle in list(self._live):
            handle.close()


def run_in_fork(function: Callable[..., Any], *args: Any, **options: Any) -> ForkResult:
    """Call ``function(*args)`` in a forked child, wait for its end, and tell how it ended.

    The short form of ``ForkRunner().run(…)``: arguments, options (``timeout`` is 60 seconds unless
    given) and errors are those of :meth:`ForkRunner.start`.

    Example:
        >>> run_in_fork(os._exit, 3)
        Exited(code=3)
    """
    return ForkRunner().run(function, *args, **options)


def _launch(
    job: ForkJob, limit: float, grace: float, over: Callable[[ForkHandle], object]
) -> ForkHandle:
    """Fork; signals wait until the child is in safe hands, on both sides."""
    output_buffers.flush_python(job.outputs)
    output_buffers.flush_c()  # or the child would write what the parent was about to
    channel = ForkChannel()
    held = child_signals.hold(job.signals.handled)
    handle: ForkHandle | None = None
    try:
        pid = _quiet_fork()
        if pid == 0:
            live(job, channel)
        handle = ForkHandle(pid, channel, limit, grace, over)
    except BaseException:
        channel.close()
        raise
    finally:
        _release(held, handle)
    return handle


def _release(held: set[int], handle: ForkHandle | None) -> None:
    try:
        child_signals.release(held)
    except BaseException:  # a signal that had to wait raises here
        if handle is not None:
            handle.close()
        raise


def _quiet_fork() -> int:
    """Fork without Python's warning that this process has threads (3.12 and newer).

    The child resets what it needs, and under ``-W error`` the warning would fail tests that did
    nothing wrong: an xdist worker always has threads.
    """
    if threads.alone():
        return int(real.fork())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        return int(real.fork())


def _adopts() -> bool:
    return capabilities.missing("subreaper") is None and libc.is_subreaper()

"""A live forked child, in the hands of its parent."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from ...host.processes import children
from ...host.processes.pid_watch import PidWatch
from ...host.processes.process_group import is_empty
from ...host.real import real
from ...host.signals import hang_trace
from . import fork_coverage, fork_leftovers, fork_verdict
from .fork_channel import ForkChannel, Message
from .fork_leftovers import EscapedChild, Leftover
from .fork_results import ForkResult
from .fork_slate import Stage

if TYPE_CHECKING:
    import resource

_WNOHANG = getattr(os, "WNOHANG", 0)  # not on Windows, where nothing forks
_DYING = 10.0  # seconds that a killed process may take; more means that the kernel cannot end it


class ForkHandle:
    """A forked child that runs; made by :meth:`ForkRunner.start`.

    Use it as a context manager: at the end of the block the child and all its descendants have
    ended.

    Attributes:
        pid: the child's process id, which is also its process group.
        limit: seconds it may take from its start.
        result: how it ended, once :meth:`wait` or :meth:`close` have seen that.
    """

    def __init__(
        self,
        pid: int,
        channel: ForkChannel,
        limit: float,
        grace: float,
        over: Callable[[ForkHandle], object],
    ) -> None:
        self.pid = pid
        self.limit = limit
        self.result: ForkResult | None = None
        self._grace = grace
        self._channel = channel
        self._over: Callable[[ForkHandle], object] | None = over
        self._owner = real.getpid()
        self._started = real.monotonic()
        self._status: int | None = None
        self._rusage: resource.struct_rusage | None = None
        channel.parent_side()
        self._watch = PidWatch(pid)

    def __enter__(self) -> ForkHandle:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def wait(self, timeout: float | None = None) -> ForkResult:
        """Wait until the child has ended and tell how; later calls return the same.

        Args:
            timeout: seconds from now; by default what remains of the child's limit.

        Returns:
            ``TimedOut`` if it took longer: child and descendants have been ended then (SIGTERM,
            grace, SIGKILL), and ``stderr`` ends with the stacks of the child's threads.

        Raises:
            OSError, RuntimeError: the child could not be prepared (``cwd``, ``user``, ``limits``),
                or an earlier wait was interrupted, which ended the child.
        """
        if self.result is None:
            self._require_parent()
            if self._over is None:
                raise RuntimeError(f"forked child {self.pid} was ended without a result")
            try:
                self.result = self._await(timeout)
            finally:
                self._let_go()
        return self.result

    def send_signal(self, number: int) -> None:
        """Send a signal to the child alone (``ProcessLookupError`` when it has ended)."""
        self._require_parent()
        if self._has_ended():
            raise ProcessLookupError(f"forked child {self.pid} has ended and takes no more signals")
        real.kill(self.pid, number)

    def kill(self) -> None:
        """End the child and its descendants at once, by SIGKILL; :meth:`wait` tells the result."""
        self._require_parent()
        if not self._has_ended():
            descendants = self._descendants()
            real.kill(self.pid, signal.SIGKILL)
            self._end(descendants, 0.0)

    def close(self) -> None:
        """End the child and its descendants (SIGTERM, grace, SIGKILL) if they still run."""
        if self._over is None or real.getpid() != self._owner:
            return
        try:
            if not self._watch.ended():
                self._end([self.pid], self._grace)
            self.result = self._conclude(None)
        finally:
            self._let_go()

    # Waiting:

    def _require_parent(self) -> None:
        if real.getpid() != self._owner:
            raise RuntimeError(
                f"forked child {self.pid} belongs to process {self._owner}, which alone can wait "
                f"for it and signal it; this is process {real.getpid()}"
            )

    def _has_ended(self) -> bool:
        return self._over is None or self._watch.ended()

    def _await(self, timeout: float | None) -> ForkResult:
        begun = self._started if timeout is None else real.monotonic()
        seconds = self.limit if timeout is None else timeout
        try:
            in_time = self._ends_by(begun + seconds)
            if not in_time and self._channel.slate.stage is Stage.SENT:
                # It was in time and has only its last call to make.
                in_time = self._ends_by(real.monotonic() + _DYING)
            if not in_time:
                hang_trace.request(self.pid, self._channel.stderr)
                self._end([self.pid], self._grace)
        except BaseException:
            # An interrupt, or a time limit of the test itself: nothing may live on.
            if not self._watch.ended():
                self._end([self.pid], 0.0)
            self._conclude(None)
            raise
        return self._conclude(None if in_time else seconds)

    def _ends_by(self, deadline: float) -> bool:
        """Wait, taking in a large result meanwhile: the child cannot end before it is rid of it."""
        reader = self._channel.reader
        while not self._watch.ended():
            remaining = deadline - real.monotonic()
            if remaining <= 0:
                return False
            self._watch.wait(remaining, reader)
            if reader >= 0 and not self._channel.take():
                reader = -1  # closed on the other side: would count as readable for ever
        return True

    # Ending:

    def _descendants(self) -> list[int]:
        from ...host.processes.process_tree import descendants  # noqa: PLC0415  # psutil, on this path only

        return [process.pid for process in descendants(self.pid)]

    def _end(self, pids: list[int], grace: float) -> None:
        if pids:
            from ...host.processes.process_tree import end_tree  # noqa: PLC0415  # psutil, on this path only

            for pid in end_tree(pids, grace, reap=self._reap):
                self._reap(pid)  # the last may have ended after its turn
        # A child in the middle of sending a large result ends only when that is read.
        if not self._ends_by(real.monotonic() + _DYING):
            raise TimeoutError(
                f"forked child {self.pid} did not end within {_DYING:g} seconds of SIGKILL; "
                "it hangs in the kernel"
            )

    def _reap(self, pid: int) -> None:
        if pid == self.pid:
            self._collect()
        else:
            children.reap(pid)

    def _collect(self) -> None:
        """Take the child's status, unless somebody else did."""
        if self._status is None:
            try:
                pid, status, rusage = real.wait4(self.pid, _WNOHANG)
            except ChildProcessError:
                return  # other code waits for any child, or SIGCHLD is ignored
            if pid:
                self._status, self._rusage = status, rusage

    def _let_go(self) -> None:
        over, self._over = self._over, None
        self._watch.close()
        self._channel.close()
        if over is not None:
            over(self)

    # The result:

    def _conclude(self, overtime: float | None) -> ForkResult:
        """Put together the result of a child that has ended."""
        duration = real.monotonic() - self._started
        self._channel.take()
        self._collect()
        message = self._channel.message()
        leaks = self._leaks(message)
        fork_leftovers.end(leaks, self._grace)
        stdout, stderr = self._channel.output()
        evidence = {
            "stdout": stdout,
            "stderr": stderr,
            "duration": duration,
            "rusage": self._rusage,
            "leaks": leaks,
        }
        if message is None or overtime is not None:
            return fork_verdict.seen(self._status, self._channel.slate.stage, overtime, evidence)
        fork_coverage.add(message.get("coverage", []))
        return fork_verdict.told(message, evidence)

    def _leaks(self, message: Message | None) -> tuple[Leftover, ...]:
        escapes = tuple(EscapedChild(*escape) for escape in self._channel.slate.escapes())
        if message is not None:
            return (*fork_leftovers.unpack(message.get("leaks", ())), *escapes)
        if is_empty(self.pid):
            return escapes
        return (*fork_leftovers.strays(self.pid), *escapes)

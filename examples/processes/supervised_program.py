"""One program under a name: started, watched, started again after a crash, ended with its group.

Exercise D29; ``process_supervisor.py`` keeps many of these.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from command_group import Mark, ask_group, end_group, has_ended, start_group


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When to start a crashed program again.

    Attributes:
        limit: restarts in a row after which it is given up; 0 means never start again.
        first_pause: seconds before the first restart; each further pause is twice as long.
        longest_pause: seconds that no pause exceeds.
        steady: seconds of running after which a crash counts as the first one again.
    """

    limit: int = 5
    first_pause: float = 0.5
    longest_pause: float = 30.0
    steady: float = 10.0

    def pause(self, crashes: int) -> float:
        """Return the seconds to wait after so many crashes in a row (1 or more)."""
        # 2.0 ** 1024 would be an error, and long before that the longest pause is reached.
        return min(self.first_pause * 2.0 ** min(crashes - 1, 60), self.longest_pause)


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes:
        argv: the command, as an argument list.
        log: the file to which its output is added; nowhere if not given.
        env: variables on top of this process's own.
        cwd: where it runs.
        grace: seconds between TERM and KILL when it is stopped.
        restart: what to do when it crashes.
    """

    argv: Sequence[str]
    log: str | os.PathLike[str] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | os.PathLike[str] | None = None
    grace: float = 5.0
    restart: RestartPolicy = field(default_factory=RestartPolicy)


@dataclass(frozen=True, slots=True)
class Status:
    """How a program is.

    Attributes:
        name: its name.
        state: ``running``; ``stopped`` on request; ``finished`` with status 0; ``waiting`` for its
            next start after a crash; ``failed`` for good.
        pid: while it runs.
        restarts: how often it was started again, by hand or after a crash, since its first start.
        exit_status: of its last end, ``-N`` for signal N.
        error: why it could not be started, if that was the trouble.
    """

    name: str
    state: str
    pid: int | None
    restarts: int
    exit_status: int | None
    error: OSError | None = None


class Supervised:
    """One program under a name; every method may be called from any thread.

    Args:
        name: for messages.
        program: what to run.
        mark: what it and its descendants bear in their environment.
        clock: seconds that only grow.
    """

    def __init__(
        self, name: str, program: Program, mark: Mark, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.program = program
        self._mark = mark
        self._clock = clock
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._state = "stopped"
        self._restarts = -1  # the first start is none
        self._crashes = 0
        self._exit_status: int | None = None
        self._error: OSError | None = None
        self._asked_at: float | None = None
        self._started_at = 0.0
        self._due_at = 0.0

    @property
    def status(self) -> Status:
        """Return how it is, having looked."""
        with self._lock:
            self._look()
            pid = None if self._process is None else self._process.pid
            return Status(
                self.name, self._state, pid, max(self._restarts, 0), self._exit_status, self._error
            )

    def start(self) -> None:
        """Start it (``OSError`` if that cannot be); one that runs goes on."""
        with self._lock:
            self._look()
            if self._state == "stopped":
                self.stop(0)  # Ctrl-C may have broken off an earlier one
            if self._process is None:
                self._crashes = 0
                self._launch()

    def stop(self, grace: float | None = None) -> int | None:
        """End it with its whole group: TERM, grace, KILL; return its exit status."""
        with self._lock:
            if self._process is not None:
                self._state = "stopped"  # first: from now on its end is no crash
                self._collect(self._grace_left(grace), ask=self._asked_at is None)
            elif self._state == "waiting":
                self._state = "stopped"
            return self._exit_status

    def ask_to_end(self) -> None:
        """Send TERM and do not wait, so that several can end at the same time; then ``stop``."""
        with self._lock:
            if self._process is not None:
                self._state = "stopped"
                self._asked_at = self._clock()
                ask_group(self._process, self._mark)

    def _grace_left(self, grace: float | None) -> float:
        seconds = self.program.grace if grace is None else grace
        if self._asked_at is None:
            return seconds
        return max(seconds - (self._clock() - self._asked_at), 0)

    def attend(self) -> None:
        """Look whether it crashed, and start it again when it is time; the watcher's turn."""
        if not self._lock.acquire(blocking=False):
            return  # somebody stops or starts it right now
        try:
            self._look()
            if self._state == "waiting" and self._clock() >= self._due_at:
                self._try_again()
        finally:
            self._lock.release()

    def _try_again(self) -> None:
        try:
            self._launch()
        except OSError:  # told by the status
            self._note_crash()

    def _launch(self) -> None:
        program = self.program
        self._restarts += 1
        self._error, self._asked_at = None, None
        try:
            with _output(program.log) as output:
                self._process = start_group(
                    program.argv,
                    mark=self._mark,
                    env={**os.environ, **program.env},
                    cwd=program.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
        except OSError as error:
            self._error = error
            self._state = "failed"
            raise
        self._started_at = self._clock()
        self._state = "running"

    def _look(self) -> None:
        """See whether it has ended by itself, and what that means."""
        if self._process is None or self._state != "running" or not has_ended(self._process):
            return
        if self._clock() - self._started_at >= self.program.restart.steady:
            self._crashes = 0
        if self._collect(0) == 0:  # whoever it left behind would be in the way of the next one
            self._state = "finished"
        else:
            self._note_crash()

    def _collect(self, grace: float, *, ask: bool = True) -> int:
        assert self._process is not None
        self._exit_status = end_group(self._process, grace, self._mark, ask=ask)
        self._process = None
        return self._exit_status

    def _note_crash(self) -> None:
        policy = self.program.restart
        self._crashes += 1
        self._state = "waiting" if self._crashes <= policy.limit else "failed"
        self._due_at = self._clock() + policy.pause(self._crashes)


@contextlib.contextmanager
def _output(path: str | os.PathLike[str] | None) -> Iterator[IO[bytes] | int]:
    if path is None:
        yield subprocess.DEVNULL
        return
    with open(path, "ab") as file:
        yield file

"""Keep named programs running: start, stop, restart, watch, and end them all.

Exercise D29.  A program that crashes is started again after a pause that doubles each time; one
that crashes too often in a row is given up.  The traps of a process manager, and what is done here:

- a pipe that nobody reads fills up and stops the child: output goes to a file, or nowhere;
- a restart loses its count: the count belongs to the name, not to the process;
- the watching thread starts again what is being stopped: each program has a lock, ``stop`` says so
  under the lock before it does anything, and the watcher passes by what is being worked on;
- the leader died, its group lives on: the group is ended before the leader's status is collected;
- a daemon leaves the group: it is found by its mark, see ``command_group.py``.

If this process itself is killed (SIGKILL), its programs live on: no code of it runs any more.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from command_group import end_marked, new_mark
from supervised_program import Program, Status, Supervised

WATCH = 0.05  # seconds between looks of the watcher: soon enough for people, cheap enough to go on


class Supervisor:
    """Named programs, and a thread that watches them; use it as a context manager.

    Example::

        with Supervisor() as supervisor:
            supervisor.start("web", Program(["python3", "-m", "http.server", "8000"]))
            ...

    At the end of the block, however it is left, everything it started is gone.
    """

    def __init__(self) -> None:
        self._mark = new_mark()
        self._known: dict[str, Supervised] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def __enter__(self) -> Supervisor:  # noqa: PYI034  # typing.Self needs Python 3.11
        try:
            self._watcher.start()
        except BaseException:  # Ctrl-C, when the thread runs already
            self.shutdown()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()

    def start(self, name: str, program: Program | None = None) -> Status:
        """Start a new program under a name, or one that is known and does not run.

        Raises:
            KeyError: nothing is known under this name, and no program was given.
            ValueError: the name is taken by another program.
            OSError: it cannot be started.
            RuntimeError: the supervisor is shutting down.
        """
        # Signal handlers run in the main thread only: Ctrl-C cannot break a start off half-way.
        with ThreadPoolExecutor(1) as undisturbed:
            return undisturbed.submit(self._start, name, program).result()

    def _start(self, name: str, program: Program | None) -> Status:
        with self._lock:
            if self._closing.is_set():
                raise RuntimeError(f"{name!r} is not started: the supervisor is shutting down")
            supervised = self._enlisted(name, program)
            supervised.start()  # under the lock: shutdown must not miss it
        return supervised.status

    def stop(self, name: str, grace: float | None = None) -> Status:
        """End a program and its group (``KeyError`` for an unknown name); again is no error."""
        supervised = self._find(name)
        supervised.stop(grace)
        return supervised.status

    def restart(self, name: str) -> Status:
        """End a program and start it again; its count of restarts goes on."""
        self._find(name).stop()
        return self.start(name)

    def status(self, name: str) -> Status:
        """Say how one program is (``KeyError`` for an unknown name)."""
        return self._find(name).status

    def list(self) -> list[Status]:
        """Say how all programs are, by name."""
        return [self._known[name].status for name in sorted(self._known)]

    def shutdown(self) -> None:
        """End all programs at the same time, and the watcher; again is no error.

        Ctrl-C meanwhile: no more grace, everybody is killed, then it goes on as KeyboardInterrupt.
        """
        try:
            with self._lock:  # whoever starts something has done so, or will be refused
                self._closing.set()
            self._end_watcher()
            for supervised in self._known.values():
                supervised.ask_to_end()
            for supervised in self._known.values():
                supervised.stop()
        finally:
            self._closing.set()
            self._kill_all()

    def _kill_all(self) -> None:
        with contextlib.ExitStack() as ending:  # goes on with the others when one fails
            # Last: what no name leads to, such as a daemon's late child.
            ending.callback(end_marked, self._mark)
            ending.callback(self._end_watcher)
            for supervised in self._known.values():
                ending.callback(supervised.stop, 0)

    def _enlisted(self, name: str, program: Program | None) -> Supervised:
        known = self._known.get(name)
        if known is None:
            if program is None:
                raise KeyError(f"no program {name!r} is known; known are {sorted(self._known)}")
            known = self._known[name] = Supervised(name, program, self._mark.within())
        elif program is not None and program != known.program:
            raise ValueError(f"{name!r} is the name of another program already")
        return known

    def _find(self, name: str) -> Supervised:
        try:
            return self._known[name]
        except KeyError:
            raise KeyError(
                f"no program {name!r} is known; known are {sorted(self._known)}"
            ) from None

    def _watch(self) -> None:
        while not self._closing.wait(WATCH):
            for supervised in list(self._known.values()):
                with contextlib.suppress(TimeoutError):  # the kernel holds it: look again later
                    supervised.attend()

    def _end_watcher(self) -> None:
        if self._watcher.ident is not None:
            self._watcher.join()

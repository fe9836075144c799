"""A program that runs for a test: read it, write to it, wait for it, end it."""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .exit_verdict import ExitVerdict
from .process_errors import ProcessError
from .process_output import ProcessOutput
from .process_waiting import checked_seconds
from .program_family import ProgramFamily
from .program_input import InputPipe, ProgramInput
from .program_watch import ProgramWatch
from .readiness import Condition, Holds, compiled


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a program is to be ended, and what its own end means."""

    stop_signal: int = signal.SIGTERM
    stop_grace: float = 5.0
    daemonises: bool = False


class StartedProcess:
    """One program started by a ``ProcessFactory``, with all its descendants.

    Every wait has a limit in seconds, ends as soon as the program ends, and then shows what the
    program wrote.  A ``stream`` is ``"stdout"`` or ``"stderr"``.
    """

    def __init__(
        self,
        name: str,
        family: ProgramFamily,
        output: ProcessOutput,
        stdin: InputPipe | None,
        conduct: Conduct,
    ) -> None:
        self.name = name
        self.pid = family.pid
        self._family = family
        self._output = output
        self._conduct = conduct
        self._verdict = ExitVerdict()
        self._watch = ProgramWatch(
            name, family, output, self._verdict, daemonises=conduct.daemonises
        )
        self._input = ProgramInput(stdin, self._watch)
        self._stopped = False

    def __str__(self) -> str:
        return str(self._watch)

    def __repr__(self) -> str:
        return f"<StartedProcess {self.name!r} pid={self.pid}>"

    @property
    def running(self) -> bool:
        """Say whether the program itself still runs; of a daemon only the descendants do."""
        return not self._family.has_ended()

    @property
    def returncode(self) -> int | None:
        """Return the exit status: ``-N`` when signal N killed it, ``None`` while it runs."""
        return self._family.returncode

    @property
    def stdout(self) -> str:
        """Return everything written to standard output so far."""
        return self._output.text("stdout")

    @property
    def stderr(self) -> str:
        """Return everything written to standard error so far; empty with ``merge_stderr=True``."""
        return self._output.text("stderr")

    @property
    def output(self) -> str:
        """Return standard output followed by standard error.

        In which order the two were written is known only with ``merge_stderr=True``.
        """
        return self.stdout + self.stderr

    def status_in_words(self) -> str:
        """Say how the program is, in words that follow its name."""
        return self._watch.status_in_words()

    def excerpt(self, lines: int = 20, characters: int = 4096) -> str:
        """Return the end of each output stream, cut to a length that suits a message."""
        return self._output.excerpt(lines, characters)

    def expect(
        self, pattern: str | re.Pattern[str], timeout: float = 10.0, stream: str | None = None
    ) -> re.Match[str]:
        r"""Wait until the program has written something that matches, and return the match.

        Each stream is searched behind its own last match, standard output first.  Output arrives in
        pieces: let a pattern for a number or a line go on to what follows it: ``r"port (\d+)\n"``.

        Args:
            pattern: a regular expression; in a str, ``^`` and ``$`` match at line ends.
            timeout: seconds.
            stream: look at this one only.

        Raises:
            ProcessExited: the program ended, and nothing it wrote matches.
            ProcessTimeout: the time is over.
        """
        regex = compiled(pattern)
        names = self._output.names(stream)

        def lack() -> str:
            where = "that it wrote" if stream is None else f"on {stream}"
            before = self._output.matched_before(regex, names)
            hint = " (but something did that an earlier expect() has passed)" if before else ""
            return f"nothing new {where} matches {regex.pattern!r}{hint}"

        return self._watch.until(lambda: self._output.next_match(regex, names), timeout, lack)

    def until(self, question: Callable[..., Any], timeout: float = 10.0) -> Any:
        r"""Ask again and again until the answer is true, and return that answer.

        The general wait, for what neither output nor exit tells: ``until((box / "done").exists)``,
        ``until(lambda program: "3 clients" in status_of(program.pid))``.

        Args:
            question: called with this object if it takes an argument.  It must not block.  An
                ``OSError`` means "not yet"; any other exception comes out.
            timeout: seconds.

        Raises:
            ProcessExited: the program ended, and the answer is still not true; of a program that
                ``daemonises`` the last descendant ended.
            ProcessTimeout: the time is over; names the question and its last outcome.
            TypeError: the question cannot be called.
        """
        if not callable(question):
            raise TypeError(f"until() takes something to call, got {question!r}")
        asked = Holds(question)
        return self._watch.until(lambda: asked.answer(self), timeout, asked.lack)

    def lines(self, stream: str = "stdout", timeout: float = 10.0) -> Iterator[str]:
        """Yield each line, without its end, once it is complete; stop when the program has ended.

        Begins with the very first line each time, and leaves the position of ``expect`` alone.

        Args:
            stream: the one to read.
            timeout: seconds to wait for one line.

        Raises:
            ProcessTimeout: the program runs, but wrote no further line in time.
        """
        (name,) = self._output.names(stream)
        return self._lines_from_start(name, checked_seconds("timeout", timeout))

    def _lines_from_start(self, name: str, timeout: float) -> Iterator[str]:
        position = 0
        while line := self._next_line(name, position, timeout):
            position += len(line)
            yield line.removesuffix("\n")

    def _next_line(self, name: str, position: int, timeout: float) -> str | None:
        """Return the next line with its end; a last one may lack it; ``None`` at the end."""

        def found() -> tuple[str | None] | None:
            over = self._watch.is_over()  # asked first: what was written before is in the file then
            line = self._output.line_at(name, position, complete=not over)
            return (line,) if line or over else None

        return self._watch.until(found, timeout, lambda: f"{name} brought no further line")[0]

    def send_line(self, text: str = "", timeout: float = 10.0) -> None:
        """Write a line to the program's standard input; the line end is added.

        Raises:
            ProcessTimeout: the program does not read, and the pipe is full.
            ProcessExited: the program has ended.
            ProcessError: standard input is closed on either side, or was never ours.
        """
        self._input.send(f"{text}\n".encode(), checked_seconds("timeout", timeout))

    def close_stdin(self) -> None:
        """Let the program see the end of its input; closing twice is fine."""
        self._input.close()

    def send_signal(self, number: int) -> None:
        """Send a signal to the program itself, not to its children.

        Its death by this signal, or any exit status after TERM, INT or QUIT, is then no fault.

        Raises:
            ValueError: this machine has no such signal.
            ProcessExited: the program has ended.
        """
        if number not in signal.valid_signals():
            raise ValueError(f"{number!r} is no signal here; take one from signal.Signals")
        if not self.running:
            self._watch.raise_exited(f"signal {int(number)} reaches nobody")
        self._verdict.note_signal(int(number))
        self._family.signal_program(number)

    def wait(self, timeout: float = 10.0) -> int:
        """Wait until the program ends by itself, and return its status (``-N`` for signal N).

        The test has seen the status then, so that it is no fault whatever it is.

        Raises:
            ProcessTimeout: the program still runs; it goes on running.
            ProcessError: the status is lost, because other code waited for the process.
        """
        self._watch.until(lambda: not self.running, timeout, lambda: "it has not ended")
        self._verdict.seen = True
        if self.returncode is None:
            raise ProcessError(f"{self} {self.status_in_words()}")
        return self.returncode

    def expect_exit(self, *statuses: int) -> None:
        """Declare that the program may end by itself: with these statuses, or with any if none."""
        self._verdict.allowed = frozenset(statuses) or None

    def await_ready(self, conditions: Sequence[Condition], timeout: float) -> None:
        """Wait until each condition has held once; ``ProcessFactory.start`` does this.

        Raises:
            ProcessExited: the program ended before.
            ProcessTimeout: the time is over.
        """
        pending = list(conditions)

        def found() -> bool:
            pending[:] = [each for each in pending if not each.holds(self)]
            return not pending

        def lack() -> str:
            return f"it was not ready: {'; '.join(each.lack() for each in pending)}"

        self._watch.until(found, timeout, lack)

    def stop(self, grace: float | None = None) -> int | None:
        """End the program and all its descendants, daemons included; return its exit status.

        TERM (or the ``stop_signal``), up to ``grace`` seconds, then KILL.  Of a program that has
        ended already this ends what it left behind.  Stopping twice is fine.

        Args:
            grace: seconds; the ``stop_grace`` of the start unless given.

        Raises:
            ProcessError: somebody survived.
        """
        if grace is None:
            grace = self._conduct.stop_grace
        checked_seconds("grace", grace)
        if not self._stopped:
            self.note_end()
            try:
                self._end_family(grace)
            finally:
                self.let_go()
        return self.returncode

    def _end_family(self, grace: float) -> None:
        try:
            self._family.end(self._conduct.stop_signal, grace)
            self._stopped = True
        except BaseException:  # Ctrl-C while we waited: no more grace, but nobody stays
            with contextlib.suppress(ProcessError):  # the first error is the one to tell
                self._family.end(signal.SIGTERM, 0)
            raise

    def note_end(self) -> None:
        """Fix whether the program ended by itself: what happens from now on is our doing."""
        self._verdict.settle(ended=not self.running)

    def let_go(self) -> None:
        """Close our descriptors; the output so far remains as text."""
        self.close_stdin()
        self._output.close()

    @property
    def is_ours(self) -> bool:
        """Say whether this process started the program; a fork of the test process did not."""
        return self._family.is_ours

    def fault(self) -> str | None:
        """Say how the program ended by itself, if that was neither declared nor seen."""
        if not self._verdict.is_fault(self.returncode):
            return None
        return f"{self} {self.status_in_words()}\n{self.excerpt()}"

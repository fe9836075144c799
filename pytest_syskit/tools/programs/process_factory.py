"""Starting real programs for the life of a test."""

from __future__ import annotations

import contextlib
import os
import signal
import uuid
from collections.abc import Iterator, Mapping, Sequence
from subprocess import DEVNULL, PIPE, STDOUT, Popen
from types import TracebackType

from pytest_syskit.host.processes.fake_calls import ADVICE, subprocess_is_fooled
from pytest_syskit.host.processes.proc import shows_program

from .output_stream import OutputStream
from .process_command import Command, Word, checked_argv, environment, refusal
from .process_errors import ProcessError, ProcessExited, ProcessNotStarted
from .process_output import ProcessOutput
from .process_waiting import checked_seconds, turns
from .program_family import ProgramFamily
from .program_input import InputPipe
from .readiness import Condition, conditions
from .started_process import Conduct, StartedProcess

_EXEC_PATIENCE = 1.0  # seconds: the kernel needs microseconds, unless the machine swaps
_EXCERPT_LINES, _EXCERPT_CHARACTERS = 50, 8192  # per stream: a report is read, not searched


class ProcessFactory:
    """Starts programs and ends every one of them, with its descendants, when it is closed.

    A program that ends by itself with another status than 0, unseen and undeclared, is an error
    when the factory is closed: a server that crashed behind the test's back fails the test.

    What it cannot find: a descendant that both cleared its environment and left the session after
    its parent had ended (see ``host/cookies.py``).

    Example:
        >>> import sys
        >>> with ProcessFactory() as factory:
        ...     program = factory([sys.executable, "-c", "print(input()[::-1])"])
        ...     program.send_line("drawer")
        ...     program.expect("reward")[0], program.wait()
        ('reward', 0)
    """

    def __init__(self) -> None:
        self._programs: list[StartedProcess] = []
        self._closed = False

    def __enter__(self) -> ProcessFactory:  # noqa: PYI034  # typing.Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(check=kind is None)

    def __call__(
        self,
        argv: Sequence[Word],
        *,
        ready: object = None,
        timeout: float = 10.0,
        env: Mapping[str, str] | None = None,
        extra_env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        stdin: bool = True,
        merge_stderr: bool = False,
        pass_fds: Sequence[int] = (),
        new_session: bool = True,
        name: str | None = None,
        stop_signal: int = signal.SIGTERM,
        stop_grace: float = 5.0,
        daemonises: bool = False,
    ) -> StartedProcess:
        """Start a program, wait until it is ready, and return it.

        Never before the program has taken the place of this one's copy: on Linux ``/proc`` then
        shows its own name, arguments and environment (elsewhere ``subprocess`` alone is asked).

        Args:
            argv: the program and its arguments, as a list; no shell is involved.
            ready: what must hold before this returns; see the table in ``readiness.py``.  What the
                output matched here is still there for ``expect``.
            timeout: seconds until it must be ready.
            env: the whole environment; without it the test's own, with ``PYTHONUNBUFFERED=1`` so
                that Python programs show their output at once.  A ``SYSKIT_PROCESS_ID``, by which
                daemons are found again, is always added.
            extra_env: variables on top.
            cwd: the working directory.
            stdin: a pipe for ``send_line``; ``False``: nothing to read.
            merge_stderr: standard error goes where standard output goes, in the order written.
            pass_fds: descriptors that the program shall inherit.
            new_session: without a controlling terminal, safe from the terminal's Ctrl-C.
            name: for messages; the last part of the program's path unless given.
            stop_signal: what asks it to end.
            stop_grace: seconds from there to KILL.
            daemonises: it puts itself into the background: after its exit with status 0, waits go
                on as long as a descendant lives.

        Raises:
            ProcessNotStarted: there is no such program, it may not be run, or ``ready`` holds
                already.
            ProcessExited: it ended before it was ready.
            ProcessTimeout: it was not ready in time, and was ended.
            TypeError: a wrong argument, such as a string for ``argv``.
            ValueError: a value that cannot work, such as a negative time.
        """
        if self._closed:
            raise ProcessError("this process factory is closed: it starts nothing any more")
        conduct = _conduct(stop_signal, stop_grace, daemonises)
        wanted, limit = conditions(ready), checked_seconds("timeout", timeout)
        cookie = uuid.uuid4().hex
        directory = None if cwd is None else os.fspath(cwd)
        command = Command(checked_argv(argv), environment(env, extra_env, cookie), directory)
        _refuse_fake_calls(command)
        for condition in wanted:
            condition.refuse_early()
        with _streams(merge_stderr) as streams:
            popen = _spawn(command, streams, stdin, pass_fds, new_session)
            program = StartedProcess(
                command.short_name if name is None else name,
                ProgramFamily(popen, cookie),
                ProcessOutput(streams),
                InputPipe(popen.stdin) if popen.stdin else None,
                conduct,
            )
            self._programs.append(program)
        _await_exec(program.pid)
        if wanted:
            self._await_ready(program, wanted, limit)
        return program

    start = __call__

    def _await_ready(self, program: StartedProcess, wanted: list[Condition], limit: float) -> None:
        try:
            program.await_ready(wanted, limit)
        except BaseException:
            with contextlib.suppress(ProcessError):  # the first error is the one to tell
                program.stop()
            raise

    @property
    def programs(self) -> tuple[StartedProcess, ...]:
        """Return everything started so far, the oldest first."""
        return tuple(self._programs)

    def excerpts(self) -> list[tuple[str, str]]:
        """Return for each program a title with its status, and the end of its output."""
        return [
            (f"{each} {each.status_in_words()}", each.excerpt(_EXCERPT_LINES, _EXCERPT_CHARACTERS))
            for each in self._programs
        ]

    def close(self, *, check: bool = True) -> None:
        """End all programs, the youngest first; closing twice is fine.

        In a fork of the process that started them it only lets go of its copies.

        Args:
            check: raise when something went wrong; without it, nothing but Ctrl-C comes out.

        Raises:
            ProcessExited: programs had ended by themselves, see the class.
            ProcessError: somebody could not be ended.
        """
        already_closed, self._closed = self._closed, True
        ours = [each for each in self._programs if each.is_ours]
        for program in ours:
            program.note_end()
        survivors: list[str] = []
        with contextlib.ExitStack() as ending:  # ends the others too when one is interrupted
            for program in self._programs:
                ending.callback(_end, program, survivors)
        if check and not already_closed:
            _complain(survivors, [fault for each in ours if (fault := each.fault())])


def _conduct(stop_signal: int, stop_grace: float, daemonises: bool) -> Conduct:
    if stop_signal not in signal.valid_signals():
        raise ValueError(f"stop_signal must be a signal of this machine, got {stop_signal!r}")
    return Conduct(stop_signal, checked_seconds("stop_grace", stop_grace), daemonises)


def _refuse_fake_calls(command: Command) -> None:
    """Refuse where ``subprocess`` cannot work."""
    if subprocess_is_fooled():
        raise ProcessNotStarted(f"cannot start {command.argv[0]!r}: {ADVICE}")


@contextlib.contextmanager
def _streams(merge_stderr: bool) -> Iterator[list[OutputStream]]:
    """Make the output files; close the writing ends after the start, everything after a failure."""
    with contextlib.ExitStack() as undo:
        streams: list[OutputStream] = []
        for name in ["stdout"] if merge_stderr else ["stdout", "stderr"]:
            streams.append(OutputStream(name))
            undo.callback(streams[-1].close)
        yield streams
        for stream in streams:
            stream.handed_over()
        undo.pop_all()


def _spawn(
    command: Command,
    streams: list[OutputStream],
    stdin: bool,
    pass_fds: Sequence[int],
    new_session: bool,
) -> Popen[bytes]:
    try:
        return Popen(
            command.argv,
            stdin=PIPE if stdin else DEVNULL,
            stdout=streams[0].write_fd,
            stderr=STDOUT if len(streams) == 1 else streams[1].write_fd,
            env=command.environ,
            cwd=command.cwd,
            bufsize=0,
            pass_fds=pass_fds,
            start_new_session=new_session,
        )
    except OSError as error:
        raise refusal(command, error) from error


def _await_exec(pid: int) -> None:
    """Wait until a fresh process shows what it runs; one that hides it is not waited for longer."""
    for _ in turns(_EXEC_PATIENCE):
        if shows_program(pid):
            return


def _end(program: StartedProcess, survivors: list[str]) -> None:
    if not program.is_ours:
        program.let_go()
        return
    try:
        program.stop()
    except ProcessError as error:
        survivors.append(str(error))


def _complain(survivors: list[str], faults: list[str]) -> None:
    if faults:
        count = "1 program" if len(faults) == 1 else f"{len(faults)} programs"
        advice = "wait() for it, or declare expect_exit(...), if that is meant"
        raise ProcessExited(
            "\n".join([f"{count} ended during the test; {advice}", *faults, *survivors])
        )
    if survivors:
        raise ProcessError("\n".join(survivors))

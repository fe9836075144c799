"""Two sides of a pseudo-terminal, and programs that believe in it.

the test                                          a program
.controller  writes what fingers type   ──▶ ─┐ ┌─ ──▶ stdin            (.terminal)
             reads what the screen shows ◀── ┘ └─ ◀── stdout, stderr
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from ...host.files import terminal
from ...host.files.terminal import TerminalSize
from ...host.processes.fake_calls import ADVICE, subprocess_is_fooled
from ...host.real import real
from .channel_end import DEFAULT_TIMEOUT
from .channel_pair import ChannelPair, opened
from .channel_role import Role

_CONTROLLER = Role(
    "pty", "controller", "terminal", "the terminal was hung up (no process has it open any more)"
)
_TERMINAL = Role("pty", "terminal", "controller", "the controller typed end-of-file or was closed")
_LARGEST = 0xFFFF  # rows and columns are 16-bit numbers in struct winsize
_GRACE = 0.5  # seconds between TERM and KILL: a shell may save its history meanwhile
_CLOSED_BY_SPAWN = "spawn() gave the terminal to a program"


class PtyPair(ChannelPair):
    """What :func:`pty_pair` gives; both sides read and write.

    Attributes:
        controller: the person's side; the same as ``.writer``.
        terminal: the program's side; the same as ``.reader``.
        path: the terminal's path, such as ``/dev/pts/3``.
    """

    def __init__(self, timeout: float) -> None:
        super().__init__(timeout)
        fingers, screen, path = terminal.open_terminal()
        self.path = Path(path)
        self.controller = self.writer = self.add(_CONTROLLER, opened(fingers)).open()
        self.terminal = self.reader = self.add(_TERMINAL, opened(screen)).open()
        self._cooked = terminal.read_modes(screen.fd)
        self._programs: list[subprocess.Popen[bytes]] = []

    @property
    def size(self) -> TerminalSize:
        """Rows and columns of the window."""
        return terminal.read_size(self.controller.fd)

    def set_size(self, rows: int, columns: int) -> None:
        """Resize the window; the program in the foreground gets SIGWINCH."""
        size = TerminalSize(_checked_length("rows", rows), _checked_length("columns", columns))
        terminal.write_size(self.controller.fd, size)

    def set_raw(self, raw: bool = True) -> None:
        """Let every byte through as it is, or go back to lines, echo and Ctrl-C."""
        fd = self._modes_fd()
        if raw:
            terminal.write_raw(fd)
        else:
            terminal.write_modes(fd, self._cooked)

    def set_echo(self, echo: bool) -> None:
        """Show on the screen (``controller.read…``) what the controller writes, or do not."""
        terminal.write_echo(self._modes_fd(), echo)

    def spawn(
        self,
        argv: Sequence[str | os.PathLike[str]],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | os.PathLike[str] | None = None,
    ) -> subprocess.Popen[bytes]:
        r"""Start a program whose standard streams and controlling terminal are ``.terminal``.

        It leads a new session, so Ctrl-C (``controller.write(b"\x03")``) and ``/dev/tty`` work.
        The terminal is closed on this side, so that the controller sees the end of the stream when
        the last program has left.  What still runs when the pair is closed is ended, with its
        children, and waited for.

        Args:
            argv: program and arguments.  The program is looked up as it will be: on the PATH of
                ``env`` (the system's default path where that has none), and seen from ``cwd``.
            env: its whole environment; that of this process unless given.
            cwd: its working directory.

        Raises:
            FileNotFoundError: there is no such program.
            RuntimeError: a fake file system keeps ``subprocess`` from working.
        """
        command = _checked_command(argv, env, cwd)
        slave = terminal.open_path(str(self.path))
        try:
            program = subprocess.Popen(
                [*_entry(env), *command],
                stdin=slave,
                stdout=slave,
                stderr=slave,
                start_new_session=True,
                env=env,
                cwd=cwd,
            )
        finally:
            real.close(slave)
        self._programs.append(program)
        self.terminal.close(_CLOSED_BY_SPAWN)
        return program

    def close(self) -> None:
        """End the programs that still run, and close both sides; twice does no harm."""
        with ExitStack() as closing:
            closing.callback(super().close)
            for program in self._programs:
                closing.callback(_end, program)

    def _modes_fd(self) -> int:
        # Where the program's side is open it is asked, as POSIX wants; Linux takes either.
        return (self.controller if self.terminal.closed else self.terminal).fd


@contextmanager
def pty_pair(
    rows: int = 24,
    columns: int = 80,
    *,
    raw: bool = False,
    echo: bool = True,
    timeout: float = DEFAULT_TIMEOUT,
) -> Iterator[PtyPair]:
    r"""Make a pseudo-terminal whose sides never wait longer than ``timeout`` seconds.

    Both sides read and write: ``.controller`` (also ``.writer``) is the person, ``.terminal`` (also
    ``.reader``) the program.  :meth:`PtyPair.spawn` starts a program on it.  As on any terminal a
    line reaches the program at its end, and shows on the screen as it is typed, unless ``raw`` or
    ``echo=False`` says otherwise; ``"\n"`` from the program shows as ``b"\r\n"``.  Closing the
    controller is a hang-up: the kernel may drop what was typed and not read by then.

    Args:
        rows: height of the window.
        columns: width of the window.
        raw: let every byte through as it is.
        echo: show what is typed.
        timeout: seconds for each call on a side that does not say otherwise.

    Raises:
        NotImplementedError: this platform has no pseudo-terminals (Windows).

    >>> with pty_pair(echo=False) as pair:
    ...     program = pair.spawn(["sh", "-c", "read line; stty size; echo got $line"])
    ...     _ = pair.controller.write(b"spam\n")
    ...     pair.controller.read_line(), pair.controller.read_until_eof()
    (b'24 80\r\n', b'got spam\r\n')
    """
    pair = PtyPair(timeout)
    try:
        pair.set_size(rows, columns)
        if raw:
            pair.set_raw()
        elif not echo:
            pair.set_echo(False)
        yield pair
    finally:
        pair.close()


def _entry(env: Mapping[str, str] | None) -> list[str]:
    """Return the command that takes the terminal and then becomes the program.

    It runs isolated and without site packages, so no setting of the test reaches it.
    """
    ctype = (os.environ if env is None else env).get("LC_CTYPE")
    told = "unset" if ctype is None else f"={ctype}"
    return [sys.executable, "-I", "-S", terminal.ENTRY_SCRIPT, told]


def _checked_command(
    argv: Sequence[str | os.PathLike[str]],
    env: Mapping[str, str] | None,
    cwd: str | os.PathLike[str] | None,
) -> list[str]:
    if isinstance(argv, (str, bytes)) or not argv:
        raise TypeError(f"argv={argv!r}: a list is expected, such as ['python', '-q']")
    words = [os.fspath(word) for word in argv]
    search = (os.environ if env is None else env).get("PATH", os.defpath)
    if subprocess_is_fooled():
        raise RuntimeError(f"pty_pair cannot start {words[0]!r}: {ADVICE}")
    if not _is_there(words[0], search, os.fspath(cwd or "")):
        where = "" if os.path.dirname(words[0]) else f" on PATH={search}"
        raise FileNotFoundError(f"pty_pair cannot start {words[0]!r}: no such program{where}")
    return words


def _is_there(program: str, search: str, cwd: str) -> bool:
    """Say whether a child that works in ``cwd`` finds a program."""
    if os.path.dirname(program):
        return shutil.which(os.path.join(cwd, program)) is not None
    places = [os.path.join(cwd, each) for each in search.split(os.pathsep)]
    return shutil.which(program, path=os.pathsep.join(places)) is not None


def _checked_length(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        raise ValueError(f"{name}={value!r}: a whole number from 0 to {_LARGEST} is expected")
    return value


def _end(program: subprocess.Popen[bytes]) -> None:
    """End a program and its children, and collect its status."""
    if program.poll() is not None:
        return
    from ...host.processes.process_tree import end_tree  # noqa: PLC0415  # loads psutil, seldom needed

    end_tree([program.pid], _GRACE, reap=lambda pid: pid == program.pid and program.poll())
    program.wait()

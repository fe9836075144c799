"""Pseudo-terminals: making one, its size, its line discipline.

controller (the test: fingers and eyes)  ◀──▶  terminal (the program: stdin and stdout)
"""

from __future__ import annotations

import os
import struct
from typing import Any, NamedTuple

from ..descriptors.stream import ControllerStream, TerminalStream
from ..real import real

_SIZE = "HHHH"  # struct winsize of <termios.h>: rows, columns, and two sizes in pixels
# Run by an interpreter, it starts a program on the terminal that it has as standard input.
ENTRY_SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "terminal_entry.py")
_LOCAL_MODES = 3  # index into the list of tcgetattr


class TerminalSize(NamedTuple):
    """Rows and columns of a terminal, in characters."""

    rows: int
    columns: int


def open_terminal() -> tuple[ControllerStream, TerminalStream, str]:
    """Make a pair: controller, terminal, and the terminal's path.

    The C library opens the terminal with O_NOCTTY, so it never becomes ours by accident.
    """
    controller, terminal = real.openpty()
    return ControllerStream(controller), TerminalStream(terminal), os.ttyname(terminal)


def open_path(path: str) -> int:
    """Open a terminal by its path, blocking, without making it ours."""
    fd: int = real.open(path, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    return fd


def read_size(fd: int) -> TerminalSize:
    """Read the size of the window."""
    import termios  # noqa: PLC0415  # not on Windows

    answer = real.ioctl(fd, termios.TIOCGWINSZ, bytes(struct.calcsize(_SIZE)))
    rows, columns, _, _ = struct.unpack(_SIZE, answer)
    return TerminalSize(rows, columns)


def write_size(fd: int, size: TerminalSize) -> None:
    """Set the size; the kernel sends SIGWINCH to the program in the foreground."""
    import termios  # noqa: PLC0415  # not on Windows

    real.ioctl(fd, termios.TIOCSWINSZ, struct.pack(_SIZE, size.rows, size.columns, 0, 0))


def read_modes(fd: int) -> list[Any]:
    """Read the modes of the line discipline (termios(3))."""
    import termios  # noqa: PLC0415  # not on Windows

    return termios.tcgetattr(fd)


def write_modes(fd: int, modes: list[Any]) -> None:
    """Set the modes at once, keeping what was typed."""
    import termios  # noqa: PLC0415  # not on Windows

    termios.tcsetattr(fd, termios.TCSANOW, modes)


def write_raw(fd: int) -> None:
    """Let every byte through as it is: no lines, no echo, no signals, no new-line translation."""
    import termios  # noqa: PLC0415  # not on Windows
    import tty  # noqa: PLC0415  # not on Windows

    tty.setraw(fd, termios.TCSANOW)


def write_echo(fd: int, echo: bool) -> None:
    """Show on the screen what is typed, or do not."""
    import termios  # noqa: PLC0415  # not on Windows

    modes = read_modes(fd)
    modes[_LOCAL_MODES] &= ~termios.ECHO
    modes[_LOCAL_MODES] |= termios.ECHO if echo else 0
    write_modes(fd, modes)

r"""The old popen family (popen, popen2, popen3, popen4), rebuilt on ``subprocess``.

Exercise B5.  A command is a sequence of arguments, or a text for the shell where shell syntax is
meant; never put foreign text into the latter.

The trap is the deadlock.  A pipe holds 64 KiB on Linux.  Who writes everything before reading
anything waits for room, while the child waits for room as well:

 parent ──write, full──▶ stdin  [ child ]
        ◀──nobody reads, full── stdout

``Popen.communicate`` reads and writes by turns, so every function here is safe for any length.
:func:`write_then_read` is the wrong way, kept to show what happens.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from subprocess import DEVNULL, PIPE, STDOUT
from typing import TypeAlias

Command: TypeAlias = "str | Sequence[str]"


def popen_read(command: Command, timeout: float | None = None) -> str:
    """Return what a command writes to standard output; it has nothing to read.

    Raises (as do the other functions):
        subprocess.CalledProcessError: its exit status was not 0.
        subprocess.TimeoutExpired: it took longer than ``timeout`` seconds, and was ended.
        OSError: it could not be started.
    """
    return _run(command, stdin=DEVNULL, stdout=PIPE, timeout=timeout).stdout


def popen_write(command: Command, text: str, timeout: float | None = None) -> None:
    """Give a command ``text`` to read; its output goes where ours goes."""
    _run(command, input=text, timeout=timeout)


def popen2(command: Command, text: str, timeout: float | None = None) -> str:
    """Give a command ``text`` to read, and return what it writes to standard output."""
    return _run(command, input=text, stdout=PIPE, timeout=timeout).stdout


def popen3(command: Command, text: str, timeout: float | None = None) -> tuple[str, str]:
    """Give a command ``text`` to read; return standard output and standard error."""
    done = _run(command, input=text, stdout=PIPE, stderr=PIPE, timeout=timeout)
    return done.stdout, done.stderr


def popen4(command: Command, text: str, timeout: float | None = None) -> str:
    """Give a command ``text`` to read; return standard output and error as one, in true order."""
    return _run(command, input=text, stdout=PIPE, stderr=STDOUT, timeout=timeout).stdout


def _run(command: Command, **options: object) -> subprocess.CompletedProcess[str]:
    sys.stdout.flush()  # what waits there was written before the command's own output
    return subprocess.run(  # type: ignore[call-overload]  # options are those of run
        command, shell=isinstance(command, str), check=True, text=True, **options
    )


def write_then_read(command: Command, text: str) -> str:
    """Do it WRONG: write everything, then read.  Waits for ever once both pipes are full."""
    with subprocess.Popen(
        command, shell=isinstance(command, str), text=True, stdin=PIPE, stdout=PIPE
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(text)
        child.stdin.close()
        return child.stdout.read()


def main() -> int:
    """Show each member of the family."""
    through = "through stdin to stdout"
    both = 'cat -; echo ";to stderr" 1>&2'
    print("popen, read:")
    print(f"\tstdout: {popen_read('echo to stdout')!r}")
    print("\npopen, write:")
    popen_write("cat -", "\tstdin: to stdin\n")
    print("\npopen2:")
    print(f"\tpass through: {popen2('cat -', through)!r}")
    print("\npopen3:")
    out, err = popen3(both, through)
    print(f"\tpass through: {out!r}\n\tstderr: {err!r}")
    print("\npopen4:")
    print(f"\tcombined output: {popen4(both, through)!r}")
    print("\npopen2, cmd as sequence:")
    print(f"\tpass through: {popen2(['cat', '-'], through)!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

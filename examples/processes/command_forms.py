"""Run a command in each of the forms there are, and know what each passes to ``execvp``.

Exercise C4.

 form                                   words that execvp gets
 os.system("ls -l")                     sh  -c  "ls -l"
 os.popen("ls -l")                      sh  -c  "ls -l"
 subprocess.run("ls -l", shell=True)    sh  -c  "ls -l"
 subprocess.run(["ls", "-l"])           ls  -l
 subprocess.run("ls -l")                "ls -l"            a program of that name: not found
 subprocess.run(["ls", "-l"], shell=True)   sh  -c  ls  -l    -l is an argument of sh, not of ls

Traps: the last two.  And ``os.popen`` reports a failure only through ``close``, as a status word,
which reading in a ``for`` loop forgets.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TypeAlias

from shell_system import run_in_shell
from wait_status import ChildStatus, decode

SHELL = "/bin/sh"  # what subprocess and os.popen take; os.system takes the C library's, the same
Command: TypeAlias = "str | Sequence[str]"


def exec_words(command: Command, *, shell: bool = False) -> list[str]:
    """Return the words that ``execvp`` gets for a command; the first names the program.

    Args:
        command: as for ``subprocess.run``.
        shell: as for ``subprocess.run``; ``os.system`` and ``os.popen`` always have it.
    """
    words = [command] if isinstance(command, str) else list(command)
    return [SHELL, "-c", *words] if shell else words


def popen_read(command: str) -> tuple[str, ChildStatus]:
    """Return all that a command line writes, as one text, and how it ended."""
    sys.stdout.flush()  # what waits there was written before the command's own output
    with os.popen(command) as output:
        return output.read(), _status(output.close())


def popen_lines(command: str) -> tuple[list[str], ChildStatus]:
    """Return the lines that a command line writes, with their ends, and how it ended."""
    sys.stdout.flush()
    with os.popen(command) as output:
        return output.readlines(), _status(output.close())


def _status(word: int | None) -> ChildStatus:
    return decode(word or 0)  # None stands for a success


def run(command: Command, *, shell: bool = False) -> str:
    """Return what a command writes; give a list wherever foreign text is about.

    Raises:
        OSError: there is no such program.  A text without a shell is the name of one, blanks and
            all.
        subprocess.CalledProcessError: it failed; the shell says so of a missing program, too.
    """
    sys.stdout.flush()
    done = subprocess.run(
        command,
        shell=shell,
        check=True,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    return done.stdout


def main() -> int:
    """Show each form with its words and what comes of it."""
    line, words = "echo one two", ["echo", "one", "two"]
    print(f"os.system, {exec_words(line, shell=True)}:")
    print(f"it {run_in_shell(line)}")
    print(f"os.popen, {exec_words(line, shell=True)}:")
    print(f"read {popen_read(line)[0]!r}, readlines {popen_lines(line)[0]}")
    for command, shell in ((line, True), (words, False), (line, False), (words, True)):
        how = ", shell=True" if shell else ""
        print(f"subprocess.run{how}, {exec_words(command, shell=shell)}:")
        try:
            print(repr(run(command, shell=shell)))
        except OSError as error:
            print(f"{error.filename!r}: {error.strerror}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Run commands through the shell with ``os.system``, and without it where foreign text is about.

Exercise B11.  Traps.  The result is a status word, no exit code.  The shell reads what a file name
brings along: ``x; rm -rf ~`` is a name.  The safe form, a list of arguments, stands beside it.  A
command put into the background belongs to nobody; here its output ends when it does, so it can be
waited for.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from wait_status import ChildStatus, decode


def run_in_shell(command: str) -> ChildStatus:
    """Run a command line, ours and not somebody else's, through the shell.

    The shell expands ``$TMPDIR``, ``*`` and the like.  Meanwhile Ctrl-C reaches the command alone.
    A command that is killed shows as exit status 128 + signal if the shell waited for it, and as
    that signal if the shell became the command, as it may with a single one.
    """
    sys.stdout.flush()  # what waits there was written before the command's own output
    return decode(os.system(command))


def lines_in_file_unsafe(path: str) -> ChildStatus:
    """Count lines the WRONG way: the shell runs whatever the name says."""
    return run_in_shell(f"wc -l {path}")


def lines_in_file_quoted(path: str) -> ChildStatus:
    """Count lines through the shell, with the name quoted; ``--`` for one that begins with "-"."""
    return run_in_shell(f"wc -l -- {shlex.quote(path)}")


def lines_in_file(path: str) -> int:
    """Count lines without a shell, as all new code should.

    Raises:
        subprocess.CalledProcessError: wc could not; it has said why on standard error.
    """
    command = ["wc", "-l", "--", path]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return int(done.stdout.split()[0])


def expand_without_shell(argument: str) -> str:
    """Expand variables and ``~`` as the shell does, but run nothing."""
    return os.path.expanduser(os.path.expandvars(argument))


@contextmanager
def _report_path() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "report")
        os.mkfifo(path, 0o600)
        yield path


def show_background(command: str = "echo finished in the background") -> str:
    """Put a command into the background, go on at once, then wait for its end.

    Nothing sleeps: the command's output is a named pipe, so it cannot write before the reader is
    there, and the reader sees the end when the command has ended.

    Returns:
        What the command wrote.

    Raises:
        OSError: the shell could not start it.
    """
    with _report_path() as path:
        print("Calling...", flush=True)
        status = run_in_shell(f"({command}) > {shlex.quote(path)} 2>&1 &")
        if not status.succeeded:
            raise OSError(f"the shell {status}")
        print("Sleeping...", flush=True)
        with open(path, encoding="utf-8", errors="surrogateescape") as report:
            return report.read()


def main() -> int:
    """Show exit statuses, expansion, and a command in the background."""
    for command in ("true", "exit 3", "kill -TERM $$"):
        print(f"{command}: {run_in_shell(command)}")
    run_in_shell("echo $TMPDIR")
    print(show_background(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())

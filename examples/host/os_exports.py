"""Use the other things that ``os`` exports, each in a function that is one line of work.

Exercise C15.  A script: ``python os_exports.py``; it works in a temporary directory.  What else
there is to say of each is said in an example of its own: ``environment_lookups.py``,
``fork_and_wait.py``, ``file_descriptors.py``, ``exec_replaces.py``, ``spawn_forms.py``,
``create_directories.py``, ``pipefifo.py``, ``stat_report.py`` and ``tree_walk.py``.

Traps: a forked child that runs on, which ``or os._exit`` prevents here; ``execlp`` and ``spawnv``,
which want the program's own name as first argument; a pipe with an end that stays open.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable

FORK_STATUS = 7  # any but 0, which a mistake would give as well
_EXIT = "import sys; sys.exit(6)"


def show_environ(_folder: str) -> str | None:
    """environ: what the environment says, or ``None``."""
    return os.environ.get("PATH")


def show_fork(_folder: str) -> int:
    """fork: the exit status of a child; the child ends at once, as the value of the line is 0."""
    return os.waitstatus_to_exitcode(os.waitpid(os.fork() or os._exit(FORK_STATUS), 0)[1])


def show_pipe(_folder: str) -> bytes:
    """pipe: what was written at one end is read at the other."""
    reader, writer = os.pipe()
    with open(reader, "rb") as source:
        with open(writer, "wb") as sink:
            sink.write(b"spam")
        return source.read()


def show_execlp(_folder: str) -> int:
    """execlp: become another program, found on PATH; here in a child, for this one goes on."""
    return os.waitstatus_to_exitcode(os.waitpid(os.fork() or _exec_or_exit(), 0)[1])


def _exec_or_exit() -> int:
    try:
        os.execlp("sh", "sh", "-c", "exit 5")
    finally:
        os._exit(127)  # after an error; else there is no "after"


def show_spawnv(_folder: str) -> int:
    """spawnv: fork, exec and wait in one; the exit status."""
    return os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-I", "-S", "-c", _EXIT])


def show_open(folder: str) -> str:
    """open: a descriptor, closed again; says what is in the file."""
    os.close(os.open(os.path.join(folder, "opened"), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return f"{os.path.getsize(os.path.join(folder, 'opened'))} bytes"


def show_mkdir(folder: str) -> bool:
    """mkdir: a directory."""
    os.mkdir(os.path.join(folder, "made"))
    return os.path.isdir(os.path.join(folder, "made"))


def show_mkfifo(folder: str) -> bool:
    """mkfifo: a named pipe."""
    os.mkfifo(os.path.join(folder, "fifo"))
    return stat.S_ISFIFO(os.lstat(os.path.join(folder, "fifo")).st_mode)


def show_stat(folder: str) -> str:
    """stat: kind and permissions, as ``ls`` shows them."""
    return stat.filemode(os.stat(folder).st_mode)


def show_remove(folder: str) -> bool:
    """remove: a file is gone."""
    with open(os.path.join(folder, "removed"), "x", encoding="utf-8") as file:
        os.remove(file.name)
    return not os.path.exists(file.name)


def show_walk(folder: str) -> list[str]:
    """walk: every name below, in order."""
    found = (entry for _, folders, files in os.walk(folder) for entry in folders + files)
    return sorted(found)


EXPORTS: dict[str, Callable[[str], object]] = {
    "environ": show_environ,
    "fork": show_fork,
    "pipe": show_pipe,
    "execlp": show_execlp,
    "spawnv": show_spawnv,
    "open": show_open,
    "mkdir": show_mkdir,
    "mkfifo": show_mkfifo,
    "stat": show_stat,
    "remove": show_remove,
    "walk": show_walk,
}


def main() -> int:
    """Run each line in a temporary directory and show what it gives."""
    with tempfile.TemporaryDirectory() as folder:
        for name, show in EXPORTS.items():
            print(f"os.{name}: {show(folder)!r}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Become another program: what ``exec`` keeps of a process, and what it drops.

Exercise A15.  Kept: pid, parent, working directory, descriptors that are inheritable, ignored
signals, the signal mask.  Dropped: the program with all its memory, so handlers (those signals have
their default action again), ``atexit`` functions, ``finally`` blocks, and output still in a buffer.

The traps it avoids: output lost because it was not flushed; ``argv[0]`` forgotten, so that the
first argument is taken for the name of the program; an error that does not say which program is
missing.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn


def replace_process(
    argv: Sequence[str],
    *,
    program: str | None = None,
    env: Mapping[str, str] | None = None,
    keep_fds: Sequence[int] = (),
) -> NoReturn:
    """Replace this process by another program; returns only by an exception.

    Args:
        argv: what the program sees as its arguments, its own name first.
        program: the program, looked up on PATH (of ``env``, if given); ``argv[0]`` by default.
        env: its whole environment; that of this process by default.
        keep_fds: descriptors to leave open; Python opens all others so that exec closes them.

    Raises:
        ValueError: ``argv`` is empty.
        OSError: there is no such program, or it cannot be run; this process is what it was, but
            that its output is flushed.
    """
    if not argv:
        raise ValueError("argv is empty: a program sees its own name as the first argument")
    name = argv[0] if program is None else program
    environ = dict(os.environ if env is None else env)
    path = shutil.which(name, path=environ.get("PATH", os.defpath))
    if path is None:
        raise FileNotFoundError(2, "no such program on PATH", name)
    sys.stdout.flush()
    sys.stderr.flush()
    _execute(path, argv, environ, keep_fds)


def _execute(
    path: str, argv: Sequence[str], environ: Mapping[str, str], keep_fds: Sequence[int]
) -> NoReturn:
    were = {fd: os.get_inheritable(fd) for fd in keep_fds}
    try:
        for fd in were:
            os.set_inheritable(fd, True)
        os.execve(path, list(argv), environ)
    finally:  # not reached unless exec failed
        for fd, inheritable in were.items():
            os.set_inheritable(fd, inheritable)

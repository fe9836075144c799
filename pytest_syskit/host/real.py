"""The operating system's calls and clocks, held where no fake can reach them.

Tests patch ``os.listdir``, freeze ``time.monotonic`` and swap whole modules.  pyfakefs and freezegun
rewrite module attributes, also aliases in other modules; attributes of a class they leave alone.
So what must see the true machine calls ``real.listdir`` instead of ``os.listdir``.
"""

from __future__ import annotations

import os
import signal
import time
from types import ModuleType
from typing import Any, NoReturn


def _call(name: str, module: ModuleType = os) -> Any:
    """Bind a function, or a stand-in that says which one this platform lacks."""

    def absent(*_args: object, **_kwargs: object) -> NoReturn:
        raise NotImplementedError(f"{module.__name__}.{name} does not exist on this platform")

    return staticmethod(getattr(module, name, absent))


class real:  # noqa: N801  # reads as an adjective where it is used: real.fork()
    """Namespace of true calls; never instantiated."""

    close = _call("close")
    exit_now = _call("_exit")
    dup = _call("dup")
    fork = _call("fork")
    fstat = _call("fstat")
    getpid = _call("getpid")
    getsid = _call("getsid")
    kill = _call("kill")
    killpg = _call("killpg")
    listdir = _call("listdir")
    lstat = _call("lstat")
    open = _call("open")
    pipe = _call("pipe")
    read = _call("read")
    readlink = _call("readlink")
    stat = _call("stat")
    waitid = _call("waitid")
    waitpid = _call("waitpid")
    write = _call("write")
    get_inheritable = _call("get_inheritable")

    monotonic = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)
    time = staticmethod(time.time)
    setitimer = _call("setitimer", signal)
    getitimer = _call("getitimer", signal)


def read_file(path: str, limit: int = 1 << 20) -> bytes:
    """Return up to ``limit`` bytes of a file, through true calls only (raises ``OSError``)."""
    fd = real.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        parts: list[bytes] = []
        while limit > 0 and (part := real.read(fd, min(limit, 1 << 16))):
            parts.append(part)
            limit -= len(part)
        return b"".join(parts)
    finally:
        real.close(fd)

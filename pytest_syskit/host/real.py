"""The operating system's calls and clocks, held where no fake can reach them.

Tests patch ``os.listdir``, freeze ``time.monotonic`` and swap whole modules.  pyfakefs and
freezegun rewrite module attributes, also aliases in other modules; attributes of a class they leave
alone.  So what must see the true machine calls ``real.listdir`` instead of ``os.listdir``.
"""

from __future__ import annotations

import importlib
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


def _module(name: str) -> ModuleType:
    """Import a module that only POSIX has; elsewhere one that is empty."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return ModuleType(name)


class real:  # noqa: N801  # reads as an adjective where it is used: real.fork()
    """Namespace of true calls; never instantiated."""

    chdir = _call("chdir")
    chmod = _call("chmod")
    chown = _call("chown")
    clock_gettime = _call("clock_gettime", time)
    close = _call("close")
    exit_now = _call("_exit")
    dup = _call("dup")
    dup2 = _call("dup2")
    fchdir = _call("fchdir")
    fcntl = _call("fcntl", _module("fcntl"))
    fork = _call("fork")
    fstat = _call("fstat")
    getcwd = _call("getcwd")
    getpid = _call("getpid")
    getsid = _call("getsid")
    ioctl = _call("ioctl", _module("fcntl"))
    kill = _call("kill")
    killpg = _call("killpg")
    link = _call("link")
    listdir = _call("listdir")
    lseek = _call("lseek")
    lstat = _call("lstat")
    memfd_create = _call("memfd_create")
    mkdir = _call("mkdir")
    mkfifo = _call("mkfifo")
    open = _call("open")
    openpty = _call("openpty")
    pidfd_open = _call("pidfd_open")
    pipe = _call("pipe")
    pread = _call("pread")
    read = _call("read")
    readlink = _call("readlink")
    rename = _call("rename")
    rmdir = _call("rmdir")
    set_blocking = _call("set_blocking")
    set_inheritable = _call("set_inheritable")
    setpgid = _call("setpgid")
    setsid = _call("setsid")
    stat = _call("stat")
    symlink = _call("symlink")
    umask = _call("umask")
    unlink = _call("unlink")
    utime = _call("utime")
    wait4 = _call("wait4")
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

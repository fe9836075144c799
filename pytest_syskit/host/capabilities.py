"""What this machine can do, asked of the machine itself and remembered.

Ask "can it?", never "who is it?": containers, kernels and users differ more than platforms do.
Each probe answers ``None`` for *yes*, or the reason for *no* as a phrase that follows "because".
"""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from . import libc
from .real import real

Probe = Callable[[], "str | None"]
_PROBES: dict[str, tuple[Probe, str]] = {}


def _probe(purpose: str) -> Callable[[Probe], Probe]:
    """Register a probe under its function's name, with what the capability is for."""

    def register(function: Probe) -> Probe:
        _PROBES[function.__name__.rstrip("_")] = (function, purpose)
        return function

    return register


def names() -> list[str]:
    """List the words that ``requires(...)`` knows."""
    return sorted(_PROBES)


def purpose(name: str) -> str:
    """Say what a capability is good for (``KeyError`` for an unknown word)."""
    return _PROBES[name][1]


@functools.cache
def missing(name: str) -> str | None:
    """Return why this machine lacks a capability, or ``None`` when it has it (asked once).

    Raises:
        KeyError: no probe of that name.
    """
    probe, _ = _PROBES[name]
    try:
        return probe()
    except (OSError, NotImplementedError) as error:
        return str(error)


def _needs(attribute: str, module: object = os) -> str | None:
    name = getattr(module, "__name__", "os")
    return None if hasattr(module, attribute) else f"{name}.{attribute} does not exist here"


@contextmanager
def _scratch() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="syskit-probe-") as folder:
        yield folder


@_probe("running code in a child that shares this process's memory image")
def fork() -> str | None:  # noqa: D103  # the decorator says it
    return _needs("fork")


@_probe("creating named pipes")
def mkfifo() -> str | None:  # noqa: D103
    if lack := _needs("mkfifo"):
        return lack
    with _scratch() as folder:
        os.mkfifo(os.path.join(folder, "fifo"))
    return None


@_probe("creating symbolic links")
def symlink() -> str | None:  # noqa: D103
    with _scratch() as folder:
        os.symlink("target", os.path.join(folder, "link"))
    return None


@_probe("creating hard links")
def hardlink() -> str | None:  # noqa: D103
    with _scratch() as folder:
        source = os.path.join(folder, "a")
        os.close(os.open(source, os.O_CREAT | os.O_WRONLY))
        os.link(source, os.path.join(folder, "b"))
    return None


@_probe("pseudo-terminals")
def pty() -> str | None:  # noqa: D103
    if lack := _needs("openpty"):
        return lack
    for fd in os.openpty():
        os.close(fd)
    return None


@_probe("interval timers and SIGALRM")
def alarm() -> str | None:  # noqa: D103
    return _needs("setitimer", signal)


@_probe("sockets with a path")
def af_unix() -> str | None:  # noqa: D103
    if lack := _needs("AF_UNIX", socket):
        return lack
    with _scratch() as folder, socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(os.path.join(folder, "s"))
    return None


@_probe("file permissions that hold for the user who runs the tests")
def dac() -> str | None:  # noqa: D103
    with _scratch() as folder:
        path = os.path.join(folder, "closed")
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        os.chmod(path, 0)
        try:
            os.close(os.open(path, os.O_RDONLY))
        except PermissionError:
            return None
    return "this user reads files of mode 000 (root or CAP_DAC_OVERRIDE)"


@_probe("acts that only the superuser may do")
def root() -> str | None:  # noqa: D103
    if lack := _needs("geteuid"):
        return lack
    return None if os.geteuid() == 0 else f"the tests run as user id {os.geteuid()}, not 0"


@_probe("an ordinary user")
def nonroot() -> str | None:  # noqa: D103
    if lack := _needs("geteuid"):
        return lack
    return None if os.geteuid() != 0 else "the tests run as root"


@_probe("the process file system")
def proc() -> str | None:  # noqa: D103
    real.stat("/proc/self/fd")
    return None


@_probe("seeing all processes of this user in /proc, and their parents")
def proc_children() -> str | None:  # noqa: D103
    real.stat(f"/proc/self/task/{real.getpid()}/children")
    return None


@_probe("adopting orphaned descendants")
def subreaper() -> str | None:  # noqa: D103
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no child subreaper"
    libc.is_subreaper()
    return None


@_probe("naming a process by a descriptor")
def pidfd() -> str | None:  # noqa: D103
    if lack := _needs("pidfd_open"):
        return lack
    os.close(os.pidfd_open(real.getpid()))
    return None


@_probe("anonymous files in memory")
def memfd() -> str | None:  # noqa: D103
    if lack := _needs("memfd_create"):
        return lack
    os.close(os.memfd_create("syskit-probe"))
    return None


@_probe("user namespaces without privileges")
def userns() -> str | None:  # noqa: D103
    if lack := _needs("fork"):
        return lack
    if not sys.platform.startswith("linux"):
        return f"{sys.platform} has no user namespaces"
    pid = real.fork()
    if pid == 0:  # unshare changes the caller for good, so a child tries it
        clone_newuser = 0x10000000  # CLONE_NEWUSER in linux/sched.h
        real.exit_now(0 if libc.library().unshare(clone_newuser) == 0 else 1)
    _, status = real.waitpid(pid, 0)
    return None if status == 0 else "unshare(CLONE_NEWUSER) is refused"


@_probe("asynchronous input on many descriptors")
def epoll() -> str | None:  # noqa: D103
    import select  # noqa: PLC0415  # only probes need it

    return _needs("epoll", select)


_FREE_DISK = 100 * 1024 * 1024  # bytes; enough for any test that writes "a large file"


@_probe("100 MiB of free space in the temporary directory")
def free_disk() -> str | None:  # noqa: D103
    import shutil  # noqa: PLC0415  # only probes need it

    free = shutil.disk_usage(tempfile.gettempdir()).free
    return None if free >= _FREE_DISK else f"only {free // 1024 // 1024} MiB are free"

"""Probes for what data and events travel through: terminals, sockets, memory, event queues."""

# ruff: noqa: D103  # what each probe asks is the text it is registered with

from __future__ import annotations

import importlib
import os
import select
import socket
import sys
import tempfile

from .. import libc
from ..probing import needs, needs_linux, probe, scratch
from ..real import real


@probe("pseudo-terminals")
def pty() -> str | None:
    if lack := needs("openpty"):
        return lack
    for fd in os.openpty():
        os.close(fd)
    return None


@probe("sockets with a path")
def af_unix() -> str | None:
    if lack := needs("AF_UNIX", socket):
        return lack
    # the name must fit in sockaddr_un, which it does not below a deep temporary directory
    parents = filter(os.path.isdir, (tempfile.gettempdir(), "/tmp"))  # noqa: S108  # mkdtemp there
    with scratch(min(parents, key=len)) as folder, socket.socket(socket.AF_UNIX) as endpoint:
        endpoint.bind(os.path.join(folder, "s"))
    return None


@probe("sockets on the loopback address ::1")
def ipv6() -> str | None:
    with socket.socket(socket.AF_INET6) as endpoint:
        endpoint.bind(("::1", 0))
    return None


@probe("anonymous files in memory")
def memfd() -> str | None:
    if lack := needs("memfd_create"):
        return lack
    real.close(real.memfd_create("syskit-probe"))  # asked late, perhaps beside a fake file system
    return None


@probe("shared memory with a name")
def shm() -> str | None:
    try:
        calls = importlib.import_module("_posixshmem")  # shared_memory would start a tracker
    except ImportError:
        return None if sys.platform == "win32" else "this Python was built without shm_open"
    name = f"/syskit-probe-{real.getpid()}"
    os.close(calls.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600))
    calls.shm_unlink(name)
    return None


@probe("asynchronous input on many descriptors, the way of Linux")
def epoll() -> str | None:
    if lack := needs("epoll", select):
        return lack
    select.epoll().close()
    return None


@probe("asynchronous input on many descriptors, the way of BSD and macOS")
def kqueue() -> str | None:
    return needs("kqueue", select)


@probe("counters as descriptors")
def eventfd() -> str | None:
    if lack := needs("eventfd"):
        return lack
    os.close(os.eventfd(0))
    return None


@probe("watching files for changes")
def inotify() -> str | None:
    if lack := needs_linux("inotify"):
        return lack
    fd = libc.library().inotify_init1(os.O_CLOEXEC)
    if fd < 0:
        import ctypes  # noqa: PLC0415  # loaded by the call above

        return f"inotify_init1: {os.strerror(ctypes.get_errno())}"
    os.close(fd)
    return None

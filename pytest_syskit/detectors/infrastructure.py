"""What libraries open once and keep for the life of the process.

Each is recognised by the live object that owns it, never by its command line, and only if its
module was imported already.  Sources: multiprocessing/resource_tracker.py, resource_sharer.py and
forkserver.py, subprocess.py and asyncio/unix_events.py of CPython 3.10 to 3.13;
loky/backend/resource_tracker.py of loky 3.
"""

from __future__ import annotations

import socket
import stat
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..host.descriptors import descriptors
from ..leaks.resource import Resource


@dataclass(frozen=True, slots=True)
class Fixture:
    """Where a library keeps a process, a descriptor or a thread for ever, and why."""

    module: str
    instance: str
    kind: str
    attribute: str
    reason: str


_TRACKER = "multiprocessing's resource tracker, started once and kept"
_FORKSERVER = "multiprocessing's fork server, started once and kept"
_SHARER = "multiprocessing's resource sharer, started once and kept"
_LISTENER = "_listener._listener._socket"  # a Listener has a SocketListener has a socket
_LOKY = "loky's resource tracker, started once and kept"

KEPT = (
    Fixture("multiprocessing.resource_tracker", "_resource_tracker", "process", "_pid", _TRACKER),
    Fixture("multiprocessing.resource_tracker", "_resource_tracker", "fd", "_fd", _TRACKER),
    Fixture("multiprocessing.forkserver", "_forkserver", "process", "_forkserver_pid", _FORKSERVER),
    Fixture("multiprocessing.forkserver", "_forkserver", "fd", "_forkserver_alive_fd", _FORKSERVER),
    Fixture("multiprocessing.resource_sharer", "_resource_sharer", "thread", "_thread", _SHARER),
    Fixture("multiprocessing.resource_sharer", "_resource_sharer", "fd", _LISTENER, _SHARER),
    Fixture("loky.backend.resource_tracker", "_resource_tracker", "process", "_pid", _LOKY),
    Fixture("loky.backend.resource_tracker", "_resource_tracker", "fd", "_fd", _LOKY),
)

# Threads that the standard library starts to wait for a child: the child is the leak, if any.
_AUXILIARY = {
    "subprocess": "a reader of subprocess.Popen on Windows, which ends with the program",
    "asyncio.unix_events": "asyncio's watch over a child, which ends with it",
}


def reason_to_stay(resource: Resource) -> str | None:
    """Return why a resource is meant to stay, or ``None`` if no library claims it."""
    return next((reason for reason in _reasons(resource)), None)


def _reasons(resource: Resource) -> Iterator[str]:
    for kept in KEPT:
        if kept.kind == resource.kind and kept.module in sys.modules:
            owner = getattr(sys.modules[kept.module], kept.instance, None)
            if _first_of_key(owner, kept) == resource.key[0]:
                yield kept.reason
    if resource.kind == "thread" and (reason := _AUXILIARY.get(_module_of_target(resource))):
        yield reason
    if "uvloop" in sys.modules and resource.kind == "fd" and _is_token_pipe(resource):
        yield "libuv's signal lock, a pipe made by the first uvloop and kept"


def _first_of_key(owner: object, kept: Fixture) -> object:
    """Return what the key of the kept resource begins with: a pid, a number, an identity."""
    each: Any = owner
    for attribute in kept.attribute.split("."):
        each = getattr(each, attribute, None)
    if kept.kind == "thread":
        return id(each)
    return each.fileno() if isinstance(each, socket.socket) else each


def _module_of_target(resource: Resource) -> str:
    """Return the module of the function that a thread runs; empty when it cannot be told."""
    found = (each for each in threading.enumerate() if id(each) == resource.key[0])
    target = getattr(next(found, None), "_target", None)
    return str(getattr(target, "__module__", ""))


def _is_token_pipe(resource: Resource) -> bool:
    """Tell libuv's lock: a pipe with a single byte in it, the token (libuv/src/unix/signal.c).

    No Python object owns it, so it is known by that byte.
    """
    fd, kind = resource.key[0], resource.key[3]
    return kind == stat.S_IFIFO and isinstance(fd, int) and descriptors.waiting_bytes(fd) == 1

"""Probes for what can be done with processes: forking, users, limits, namespaces, /proc."""

# ruff: noqa: D103  # what each probe asks is the text it is registered with

from __future__ import annotations

import os
import signal
import subprocess
import sys

from .. import libc
from ..probing import needs, needs_linux, needs_module, probe
from ..real import real


@probe("running code in a child that starts as a copy of this process")
def fork() -> str | None:
    return needs("fork")


@probe("interval timers and SIGALRM")
def alarm() -> str | None:
    return needs("setitimer", signal)


@probe("limits on what a process may use")
def rlimit() -> str | None:
    return needs_module("resource")


@probe("acts that only the superuser may do")
def root() -> str | None:
    if lack := needs("geteuid"):
        return lack
    return None if os.geteuid() == 0 else f"the tests run as user id {os.geteuid()}, not 0"


@probe("an ordinary user")
def nonroot() -> str | None:
    if lack := needs("geteuid"):
        return lack
    return None if os.geteuid() != 0 else "the tests run as root"


@probe("the process file system")
def proc() -> str | None:
    real.stat("/proc/self/fd")
    return None


@probe("the list of a process's children in /proc")
def proc_children() -> str | None:
    real.stat(f"/proc/self/task/{real.getpid()}/children")
    return None


@probe("adopting orphaned descendants")
def subreaper() -> str | None:
    if lack := needs_linux("child subreaper"):
        return lack
    libc.set_subreaper(libc.is_subreaper())  # changes nothing, but is refused where setting is
    return None


@probe("naming a process by a descriptor")
def pidfd() -> str | None:
    if lack := needs("pidfd_open"):
        return lack
    os.close(os.pidfd_open(real.getpid()))
    return None


# unshare changes the caller for good, so another interpreter tries it.  Some systems allow the
# namespace but no mapping into it, which makes it useless.  0x10000000 is CLONE_NEWUSER.
_ENTER_NAMESPACE = """
import ctypes, os, sys
user, c_library = os.geteuid(), ctypes.CDLL(None, use_errno=True)
if c_library.unshare(0x10000000):
    sys.exit("unshare(CLONE_NEWUSER): " + os.strerror(ctypes.get_errno()))
try:
    with open("/proc/self/uid_map", "w") as mapping:
        mapping.write(f"0 {user} 1")
except OSError as error:
    sys.exit(f"uid_map: {error.strerror}")
"""
_INTERPRETER_RUNS = 20  # seconds; a hundred times what it takes on a busy machine


@probe("user namespaces without privileges")
def userns() -> str | None:
    if lack := needs_linux("user namespaces"):
        return lack
    tried = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _ENTER_NAMESPACE],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_INTERPRETER_RUNS,
    )
    return None if tried.returncode == 0 else tried.stderr.strip() or "the attempt was ended"

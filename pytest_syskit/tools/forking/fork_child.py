"""The child's whole life, from the fork to its end by ``_exit``.

    streams, signals ──▶ place, user, limits ──▶ function ──▶ what is left? ──▶ send ──▶ _exit

Nothing here returns: a child that came back would run its parent's program a second time.  A child
of the child that comes back from the function is noted and ended where it appears.
"""

from __future__ import annotations

import faulthandler
import gc
import io
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from ...host import libc
from ...host.descriptors import descriptors, output_buffers
from ...host.files import c_environment
from ...host.processes import privileges
from ...host.real import real
from ...host.signals import child_signals, hang_trace
from . import fork_coverage, fork_leftovers
from .fork_call import RAISED, call, encoded
from .fork_channel import ForkChannel, Message, null_input
from .fork_slate import Stage
from .remote_errors import pack_error
from .rlimits import apply_limits, lift_limits

_CUT_OFF = 70  # EX_SOFTWARE of sysexits.h; nobody sees it unless this code is at fault

Streams = tuple[io.TextIOWrapper, io.TextIOWrapper, io.TextIOWrapper]


class ForkJob(NamedTuple):  # made for each child, and three times as fast as a frozen dataclass
    """What a child shall run and how; everything in it was checked by the parent."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    identity: privileges.Identity | None
    limits: Mapping[str, int]
    new_session: bool
    env: Mapping[str, str] | None
    cwd: str | None
    adopt_orphans: bool
    outputs: Sequence[object]
    flush_outputs: bool
    signals: child_signals.SignalSurvey
    streams: Streams | None


def live(job: ForkJob, channel: ForkChannel) -> NoReturn:
    """Run a job in this process, which is a child of whoever wants to know, and end it."""
    status = _CUT_OFF
    try:
        status = _live(job, channel)
    except BaseException:  # noqa: BLE001  # whatever it is must not leave this function
        real.write(2, traceback.format_exc().encode("utf-8", "backslashreplace"))
    finally:
        real.exit_now(status)
    os.abort()  # never reached; tells the type checker that nobody comes back


def _live(job: ForkJob, channel: ForkChannel) -> int:
    gc.freeze()  # the parent's objects are no garbage of ours: collecting would copy their pages
    fork_coverage.enter_child()
    pid = real.getpid()
    try:
        _prepare(job, channel)
    except BaseException as error:  # noqa: BLE001  # the parent raises it
        return _ship(channel, {"kind": "unprepared", "error": pack_error(error)}, RAISED)
    before = descriptors.numbers()
    channel.slate.stage = Stage.RUNNING
    child_signals.open_mask()
    message, status = call(job.function, job.args, pid, channel)
    child_signals.hold()  # what the function armed must not go off in our code
    channel.slate.stage = Stage.DONE
    lift_limits()
    message = encoded(message, job.function)
    message["leaks"] = fork_leftovers.pack(fork_leftovers.find(before))
    output_buffers.flush_python(job.outputs if job.flush_outputs else ())
    output_buffers.flush_python(output_buffers.python_streams())
    output_buffers.flush_c()
    message["coverage"] = fork_coverage.collected()
    return _ship(channel, message, status)


def _ship(channel: ForkChannel, message: Message, status: int) -> int:
    return status if channel.send(message) else _CUT_OFF


# Before the function:


def _prepare(job: ForkJob, channel: ForkChannel) -> None:
    channel.child_side()
    _take_streams(channel, job.streams)
    child_signals.reset(job.signals)
    real.setsid() if job.new_session else real.setpgid(0, 0)
    if job.adopt_orphans:
        libc.set_subreaper(True)
    faulthandler.enable(2)
    hang_trace.install(2)
    apply_limits({"core": 0})
    _take_place(job)
    apply_limits(job.limits)


def _take_streams(channel: ForkChannel, streams: Streams | None) -> None:
    """Connect 0, 1 and 2, and Python's streams with them: one open file for each, never two."""
    null_input()
    real.dup2(channel.stdout, 1)
    real.dup2(channel.stderr, 2)
    channel.outputs_taken()
    _inherited_input[:] = [sys.stdin, sys.__stdin__]
    stdin, stdout, stderr = streams or make_streams()
    sys.stdin = sys.__stdin__ = stdin  # type: ignore[misc]  # ours to replace in this process
    sys.stdout = sys.__stdout__ = stdout  # type: ignore[misc]  # the same
    sys.stderr = sys.__stderr__ = stderr  # type: ignore[misc]  # the same


_ahead: list[Streams] = []
_inherited_input: list[object] = []  # kept: their end would close what the parent still shares


def streams_ahead() -> Streams | None:
    """Return the child's streams, made once in the parent; ``None`` if that cannot be.

    Each child has its own copy of them, by the fork.
    """
    try:
        if not _ahead or any(stream.closed for stream in _ahead[0]):
            _ahead[:] = [make_streams()]
    except (OSError, ValueError):
        return None  # one of 0 to 2 is closed here, or a child detached its streams and forks on
    return _ahead[0]


def make_streams() -> Streams:
    """Return new text streams on descriptors 0, 1 and 2, which they do not own."""
    reader = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, "r", closefd=False)), encoding="utf-8")
    return reader, _writer(1, "surrogateescape"), _writer(2, "backslashreplace")


def _writer(fd: int, errors: str) -> io.TextIOWrapper:
    """Return a text stream without any buffer, so that nothing is lost however the process ends."""
    raw = io.FileIO(fd, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)  # type: ignore[arg-type,type-var,unused-ignore]  # as python -u does


def _take_place(job: ForkJob) -> None:
    if job.cwd is not None:
        real.chdir(job.cwd)
    if job.env is not None:
        _replace_environment(job.env)
    if job.identity is not None:
        os.environ.update(job.identity.environment())
        privileges.become(job.identity)


def _replace_environment(env: Mapping[str, str]) -> None:
    os.environ.clear()
    for name in c_environment.c_environment():
        os.unsetenv(name)  # set by C code, which os.environ does not know of
    os.environ.update(env)

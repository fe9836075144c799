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
import pickle
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from ..host import (
    c_environment,
    child_signals,
    descriptors,
    hang_trace,
    libc,
    output_buffers,
    privileges,
)
from ..host.real import real
from . import fork_coverage, fork_leftovers
from .fork_channel import ForkChannel, null_input
from .fork_slate import Stage
from .remote_errors import pack_error, text_of, type_name
from .rlimits import apply_limits, lift_limits

ESCAPED = 70  # EX_SOFTWARE of sysexits.h: the fault is in the program that forked
CUT_OFF = 70
_RAISED = 1  # as the interpreter ends after an exception

Message = dict[str, Any]
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
    status = CUT_OFF
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
        return _ship(channel, {"kind": "unprepared", "error": pack_error(error)}, _RAISED)
    before = descriptors.numbers()
    channel.slate.stage = Stage.RUNNING
    child_signals.open_mask()
    message, status = _guarded_call(job, pid, channel)
    child_signals.hold()  # what the function armed must not go off in our code
    channel.slate.stage = Stage.DONE
    lift_limits()
    message = _encoded(message, job.function)
    message["leaks"] = fork_leftovers.pack(fork_leftovers.find(before))
    output_buffers.flush_python(job.outputs if job.flush_outputs else ())
    output_buffers.flush_python(output_buffers.python_streams())
    output_buffers.flush_c()
    message["coverage"] = fork_coverage.collected()
    return _ship(channel, message, status)


def _ship(channel: ForkChannel, message: Message, status: int) -> int:
    return status if channel.send(message) else CUT_OFF


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


# The function:


def _guarded_call(job: ForkJob, pid: int, channel: ForkChannel) -> tuple[Message, int]:
    try:
        return _call(job, pid, channel)
    except BaseException as error:  # noqa: BLE001  # a signal between the function and our next line
        return _raised(error), _RAISED


def _call(job: ForkJob, pid: int, channel: ForkChannel) -> tuple[Message, int]:
    """Call the function; come back only in the process that was meant to."""
    try:
        value = job.function(*job.args)
    except SystemExit as leaving:
        _stop_escape(pid, channel, "raised SystemExit")
        code = _exit_code(leaving.code)
        return {"kind": "exited", "code": code}, code
    except BaseException as error:  # noqa: BLE001  # that is the result
        if real.getpid() != pid:  # asked first: making the text may run code of the error
            _stop_escape(pid, channel, f"raised {type_name(error)}: {text_of(error)}")
        return _raised(error), _RAISED
    _stop_escape(pid, channel, f"returned {type_name(value)}")
    return {"kind": "returned", "value": value}, 0


def _stop_escape(pid: int, channel: ForkChannel, how: str) -> None:
    """End this process if it is not the child: the function forked, and its child came back."""
    own = real.getpid()
    if own == pid:
        return
    channel.slate.note_escape(own, how)
    text = f"process {own}, forked by the function that process {pid} runs, {how}: it ends here\n"
    real.write(2, text.encode("utf-8", "backslashreplace"))
    real.exit_now(ESCAPED)


def _exit_code(code: object) -> int:
    """Return what a shell would see of ``sys.exit(code)``, and write its text as Python does."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stderr.write(f"{code}\n")
    return 1


def _raised(error: BaseException) -> Message:
    """Describe an exception; afterwards nothing holds its frames and what they held."""
    traceback_ = error.__traceback__
    # The first frame is ours.
    error.__traceback__ = traceback_.tb_next if traceback_ else None
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    packed = pack_error(error)
    traceback.clear_frames(error.__traceback__)
    return {"kind": "raised", "error": packed, "traceback": text}


def _encoded(message: Message, function: Callable[..., Any]) -> Message:
    """Pickle a value, and load it once: only what loads is worth sending."""
    if message["kind"] != "returned":
        return message
    value = message["value"]
    try:
        pickled = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        if not isinstance(value, _SAFE):
            pickle.loads(pickled)  # noqa: S301  # our own bytes
    except Exception as refusal:  # noqa: BLE001  # user code runs in there: any error
        return _raised(_unsendable(function, value, refusal))
    return {"kind": "returned", "value": pickled}


_SAFE = (type(None), bool, int, float, str, bytes)  # always load


def _unsendable(function: Callable[..., Any], value: object, refusal: Exception) -> TypeError:
    name = getattr(function, "__qualname__", repr(function))
    error = TypeError(
        f"{name} returned a value of type {type_name(value)}, which cannot be sent to the parent "
        f"({type_name(refusal)}: {refusal}); return what pickle can copy: numbers, text, bytes, "
        "lists, dicts, or objects of classes at the top level of a module"
    )
    error.__cause__ = refusal
    return error

"""From what a child said, or what was seen of it, to the result."""

from __future__ import annotations

import os
import pickle
import signal
from typing import Any

from .fork_channel import Message
from .fork_results import Exited, ForkResult, Killed, Raised, Returned, TimedOut
from .fork_slate import Stage
from .remote_errors import RemoteError, add_note, unpack_error


def told(message: Message, evidence: dict[str, Any]) -> ForkResult:
    """Return what the child said of itself (raises what kept it from being prepared)."""
    kind = message["kind"]
    if kind == "unprepared":
        raise _unprepared(message)
    if kind == "exited":
        return Exited(message["code"], **evidence)
    if kind == "raised":
        return Raised(unpack_error(message["error"]), message["traceback"], **evidence)
    try:
        value = pickle.loads(message["value"])  # noqa: S301  # from our own child
    except Exception as refusal:  # noqa: BLE001  # what exists in the child may not exist here
        return Raised(_not_loaded(refusal), str(refusal), **evidence)
    return Returned(value, **evidence)


def seen(
    status: int | None, stage: Stage, overtime: float | None, evidence: dict[str, Any]
) -> ForkResult:
    """Return what was seen of a child that said nothing.

    Args:
        status: as from ``os.wait4``; ``None`` if somebody else took it.
        stage: how far the child got.
        overtime: the limit in seconds, if the child was ended for it.
        evidence: the fields that all results share.
    """
    if overtime is not None:
        return TimedOut(overtime, **evidence)
    if stage is Stage.CUT_OFF:
        return Raised(_lost(), **evidence)
    if status is None:
        return Exited(None, **evidence)
    if os.WIFSIGNALED(status):
        return Killed(_named(os.WTERMSIG(status)), **evidence)
    return Exited(os.WEXITSTATUS(status), **evidence)


def _named(number: int) -> int:
    try:
        return signal.Signals(number)
    except ValueError:
        return number  # real-time signals have no names of their own


def _unprepared(message: Message) -> BaseException:
    error = unpack_error(message["error"])
    add_note(
        error, "This happened while the forked child was prepared; the function was not called."
    )
    return error


def _not_loaded(refusal: Exception) -> TypeError:
    error = TypeError(
        "the function returned, but its value cannot be loaded in this process "
        f"({type(refusal).__name__}: {refusal}); its type must be importable here, too"
    )
    error.__cause__ = refusal
    return error


def _lost() -> RemoteError:
    return RemoteError(
        "ConnectionError",
        "the function came to its end, but its result, more than 60 KB, is lost: the function "
        "closed the descriptor of the pipe to the parent (os.closerange?); let it leave "
        "descriptors open that it did not open, or return less",
    )

"""The function itself in the child, and the message that tells what became of it."""

from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Callable
from typing import Any

from ...host.real import real
from .fork_channel import ForkChannel, Message
from .remote_errors import pack_error, text_of, type_name

_ESCAPED = 70  # EX_SOFTWARE of sysexits.h: the fault is in the program that forked
RAISED = 1  # the status an interpreter ends with after an exception


def call(
    function: Callable[..., Any], args: tuple[Any, ...], pid: int, channel: ForkChannel
) -> tuple[Message, int]:
    """Call the function and return a message and an exit status; does not raise.

    Comes back only in the process ``pid``: a child of it that came back is noted and ended.
    """
    try:
        return _call(function, args, pid, channel)
    except BaseException as error:  # noqa: BLE001  # a signal between the function and our next line
        return _raised(error), RAISED


def _call(
    function: Callable[..., Any], args: tuple[Any, ...], pid: int, channel: ForkChannel
) -> tuple[Message, int]:
    """Call the function; come back only in the process that was meant to."""
    try:
        value = function(*args)
    except SystemExit as leaving:
        _stop_escape(pid, channel, "raised SystemExit")
        code = _exit_code(leaving.code)
        return {"kind": "exited", "code": code}, code
    except BaseException as error:  # noqa: BLE001  # that is the result
        if real.getpid() != pid:  # asked first: making the text may run code of the error
            _stop_escape(pid, channel, f"raised {type_name(error)}: {text_of(error)}")
        return _raised(error), RAISED
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
    real.exit_now(_ESCAPED)


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


def encoded(message: Message, function: Callable[..., Any]) -> Message:
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

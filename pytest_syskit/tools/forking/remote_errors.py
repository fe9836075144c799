"""Exceptions that cross from a child to its parent.

An exception travels as itself if it survives the journey; that is tried in the child before anybody
relies on it.  Beside it travels a description in plain values, from which a stand-in is made when
the original cannot be sent, or cannot be loaded on this side.  Causes and contexts travel as a
chain.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeAlias

    Packed: TypeAlias = dict[str, Any]

_LONGEST_CHAIN = 50  # links; a longer chain of causes is a loop or not for people
_LINKS = ("__cause__", "__context__")


class RemoteError(Exception):
    """Stands for an exception that could not leave the child it was raised in.

    Attributes:
        type_name: module and name of the original's type.
        message: the original's text.
        reason: why it could not travel.

    Notes, ``__cause__`` and ``__context__`` are those of the original, or stand-ins for them.
    """

    def __init__(self, type_name: str, message: str, reason: str = "") -> None:
        super().__init__(type_name, message, reason)
        self.type_name = type_name
        self.message = message
        self.reason = reason

    def __str__(self) -> str:
        text = f"{self.type_name}: {self.message}" if self.message else self.type_name
        return f"{text} (a stand-in: {self.reason})" if self.reason else text


def pack_error(error: BaseException) -> Packed:
    """Describe an exception and its chain in plain values that can always be sent."""
    return _pack(error, set())


def _pack(error: BaseException, seen: set[int]) -> Packed:
    seen.add(id(error))
    pickled, reason = _survivor(error)
    packed: Packed = {
        "pickled": pickled,
        "reason": reason,
        "type": type_name(error),
        "message": text_of(error),
        "notes": [str(note) for note in getattr(error, "__notes__", None) or ()],
        "suppress": error.__suppress_context__,
    }
    for link in _LINKS:
        other = getattr(error, link)
        if other is not None and id(other) not in seen and len(seen) < _LONGEST_CHAIN:
            packed[link] = _pack(other, seen)
    return packed


def type_name(value: object) -> str:
    """Return the name of a value's type with its module, but ``ValueError`` for builtins."""
    kind = type(value)
    inner = kind.__qualname__
    return inner if kind.__module__ == "builtins" else f"{kind.__module__}.{inner}"


def text_of(error: BaseException) -> str:
    """Return an exception's text, or say that it has none; never raises."""
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001  # a broken __str__ may raise anything
        return f"<its text is not available: __str__ raised {type(broken).__name__}>"


def _survivor(error: BaseException) -> tuple[bytes | None, str]:
    """Return the pickled exception, or ``None`` and why it would not arrive."""
    try:
        pickled = pickle.dumps(error, pickle.HIGHEST_PROTOCOL)
        arrived = pickle.loads(pickled)  # noqa: S301  # our own bytes
    except Exception as refusal:  # noqa: BLE001  # user code runs in there: any error
        return None, f"it does not survive pickling, {type_name(refusal)}: {text_of(refusal)}"
    if type(arrived) is not type(error):
        return None, f"pickling turns it into {type_name(arrived)}"
    return pickled, ""


def unpack_error(packed: Packed) -> BaseException:
    """Rebuild an exception with its chain; never raises."""
    error = _revive(packed)
    for link in _LINKS:
        if link in packed:
            setattr(error, link, unpack_error(packed[link]))
    error.__suppress_context__ = packed["suppress"]  # setting the cause has set it, too
    return error


def _revive(packed: Packed) -> BaseException:
    reason = packed["reason"]
    if packed["pickled"] is not None:
        try:
            error = pickle.loads(packed["pickled"])  # noqa: S301  # from our own child
        except Exception as refusal:  # noqa: BLE001  # what exists in the child may not exist here
            reason = f"the parent cannot load it, {type_name(refusal)}: {text_of(refusal)}"
        else:
            if isinstance(error, BaseException):
                return error
    stand_in = RemoteError(packed["type"], packed["message"], reason)
    for note in packed["notes"]:
        add_note(stand_in, note)
    return stand_in


def add_note(error: BaseException, note: str) -> None:
    """Attach a note, also before Python 3.11, where pytest alone shows notes."""
    notes = getattr(error, "__notes__", None)
    error.__notes__ = [*(notes or ()), note]  # type: ignore[attr-defined,unused-ignore]  # 3.11

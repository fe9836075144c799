"""Signals around a fork: held back while it happens, and as good as new in the child.

    parent   survey() ── hold() ── fork ── release(held)
                                    │
    child                           └── reset() ── open_mask()

A signal that arrived between ``fork`` and the child's reset would run the *parent's* handler in the
child, and an exception from it would carry the child into the parent's code.  What needs a reset is
looked up before the fork: each page of memory that a child touches must be copied first.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..real import read_file

if TYPE_CHECKING:
    from typing import TypeAlias

    Action: TypeAlias = Callable[[int, Any], Any] | int | signal.Handlers | None

# The same calls, but numbers stay numbers: looking up the name of each signal touches much memory.
_plain: Any = sys.modules.get("_signal", signal)

_UNTOUCHABLE = {"SIGKILL", "SIGSTOP"}
# Faults of the code that runs cannot wait; faulthandler gives them back when it is switched off.
_FAULTS = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP"}


def _numbers(names: Iterable[str]) -> set[int]:
    return {int(getattr(signal, name)) for name in names if hasattr(signal, name)}


_FAULT_NUMBERS = _numbers(_FAULTS)
_ALL = {int(each) for each in signal.Signals} - _numbers(_UNTOUCHABLE)
# 32 and 33 belong to the C library's threads and are refused to everybody else.
_KNOWN = sorted({int(n) for n in signal.valid_signals()} - {32, 33} - _numbers(_UNTOUCHABLE))
_BLOCK = int(getattr(signal, "SIG_BLOCK", 0))
_SET_MASK = int(getattr(signal, "SIG_SETMASK", 0))
_DEFAULT = getattr(_plain, "SIG_DFL", 0)
_IGNORE = getattr(_plain, "SIG_IGN", 1)
# What a fresh interpreter does; every other signal has the system's default action.
_FRESH: dict[int, Action] = {
    **dict.fromkeys(_numbers({"SIGINT"}), signal.default_int_handler),
    **dict.fromkeys(_numbers({"SIGPIPE", "SIGXFSZ"}), _IGNORE),
}


@dataclass(frozen=True, slots=True)
class SignalSurvey:
    """How this process treats signals: what it handles by code, and what a child must change."""

    handled: frozenset[int]
    changes: tuple[tuple[int, Action], ...]


def survey() -> SignalSurvey:
    """Look how this process treats signals; handlers that C code set without Python do not show."""
    odd = {number for number in _KNOWN if _plain.getsignal(number) is not _DEFAULT}
    handled = {number for number in odd if _plain.getsignal(number) is not _IGNORE}
    changes = [
        (number, _FRESH.get(number, _DEFAULT))
        for number in sorted(odd | _FRESH.keys())
        if _plain.getsignal(number) is not _FRESH.get(number, _DEFAULT)
    ]
    return SignalSurvey(frozenset(handled), tuple(changes))


def _masks(pid: int | str) -> tuple[int, int] | None:
    """Read which signals a process handles and ignores (signal n is bit n - 1)."""
    try:
        status = read_file(f"/proc/{pid}/status")
    except OSError:
        return None  # gone, no /proc here, or no descriptor left to read it with
    caught, ignored = status.find(b"\nSigCgt:"), status.find(b"\nSigIgn:")
    if caught < 0 or ignored < 0:
        return None
    return int(status[caught + 8 :].split(None, 1)[0], 16), int(
        status[ignored + 8 :].split(None, 1)[0], 16
    )


def catches(pid: int, number: int) -> bool:
    """Say whether a process handles a signal by code of its own (``False`` when unknown)."""
    masks = _masks(pid)
    return masks is not None and bool(masks[0] >> (number - 1) & 1)


def hold(numbers: Iterable[int] = frozenset(_ALL - _FAULT_NUMBERS)) -> set[int]:
    """Block signals, by default all that can come from outside; give the answer to :func:`release`.

    Signals without a handler need no holding: they end the process, or nothing.
    """
    return set(_plain.pthread_sigmask(_BLOCK, numbers))


def release(held: set[int]) -> None:
    """Restore the mask of before; what came meanwhile is delivered here and may raise."""
    _plain.pthread_sigmask(_SET_MASK, held)


def open_mask() -> None:
    """Let every signal through."""
    _plain.pthread_sigmask(_SET_MASK, ())


def reset(found: SignalSurvey) -> None:
    """Give every signal the action it has in a fresh interpreter.

    That is the system's default, but SIGINT raises ``KeyboardInterrupt``, and SIGPIPE and SIGXFSZ
    are ignored so that they become ``OSError``.  The wakeup descriptor is unset: it is the
    parent's.  The mask is left alone.
    """
    signal.set_wakeup_fd(-1)
    faulthandler.disable()
    for number, action in found.changes:
        _plain.signal(number, action)

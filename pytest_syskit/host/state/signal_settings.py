"""Handlers, blocked signals and the wakeup descriptor, as Python keeps them.

The C functions behind the module ``signal`` are called, which take and give plain numbers: through
the enums, reading all handlers takes 70 microseconds instead of two.

What C code sets with sigaction(2) does not show in Python's table; other threads' masks are not
read.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import types
from collections.abc import Callable, Hashable
from typing import Any

from ..signals.signal_names import catchable_signals, signal_name
from .identities import Identities

BLOCKED = "blocked "  # begins the name of a blocked signal: "blocked SIGUSR1"
WAKEUP = "wakeup fd"
NO_FD = -1  # what set_wakeup_fd gives and takes for "none"
_C: Any = sys.modules.get("_signal", signal)
# The signals that tests and programs handle; the others are looked at less often.
_FREQUENT = frozenset(
    f"SIG{name}"
    for name in ("INT", "TERM", "HUP", "ALRM", "CHLD", "USR1", "USR2", "PIPE", "QUIT", "WINCH")
)
_BLOCK, _UNBLOCK, _SET = (
    int(getattr(signal, name, 0)) for name in ("SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK")
)

Beneath = Callable[[Any], Any]


class SignalSettings:
    """The settings by name: ``SIGTERM``, ``blocked SIGTERM``, ``wakeup fd``.

    Args:
        beneath: returns, for a handler that the runner has put over another, that other one.

    A handler's value is a number that stands for the object: keeping the object itself would keep
    alive what it holds.
    """

    def __init__(self, beneath: Beneath = lambda handler: handler) -> None:
        self._beneath = beneath
        self._identities = Identities()
        self._names = {number: signal_name(number) for number in catchable_signals()}
        self._numbers = {name: number for number, name in self._names.items()}
        self._every = tuple(self._names)
        self._frequent = tuple(number for number in self._every if self._names[number] in _FREQUENT)
        self._get: Callable[[int], Any] = _C.getsignal
        self._mask: Callable[..., Any] = getattr(_C, "pthread_sigmask", _no_mask)
        self._handlers: tuple[Any, ...] = ()
        self._frequent_handlers: tuple[Any, ...] = ()
        self._blocked: frozenset[int] = frozenset()
        self._wakeup = NO_FD
        self._handles = True

    def stands(self, closely: bool) -> bool:
        """Say whether all is as it was read last, or, not closely, the most used handlers."""
        try:
            if not closely:
                return tuple(map(self._get, self._frequent)) == self._frequent_handlers
            if tuple(map(self._get, self._every)) != self._handlers:
                return False
        except Exception:  # noqa: BLE001  # two handlers were compared, by a user's __eq__
            return False
        if self._handles:
            return self._mask_and_wakeup() == (self._blocked, self._wakeup)
        return self._mask(_BLOCK, ()) == self._blocked and self._wakeup_fd() == self._wakeup

    def read(self) -> dict[str, Hashable]:
        """Return every setting that this thread can read."""
        self._handlers = tuple(map(self._get, self._every))
        self._frequent_handlers = tuple(map(self._get, self._frequent))
        handlers = [each for each in self._handlers if each is not signal.default_int_handler]
        self._handles = any(map(callable, handlers))
        self._blocked, self._wakeup = self._mask_and_wakeup()
        found: dict[str, Hashable] = {
            self._names[number]: self._value(self._beneath(handler))
            for number, handler in zip(self._every, self._handlers, strict=True)
        }
        found |= {BLOCKED + signal_name(number): True for number in self._blocked}
        return found | ({WAKEUP: self._wakeup} if self._wakeup != NO_FD else {})

    def _mask_and_wakeup(self) -> tuple[frozenset[int], int]:
        """Read the mask of this thread; while all signals wait, read the wakeup descriptor.

        They need not wait if none has a handler but Ctrl-C, whose handler needs no waking up.
        """
        before = self._mask(_BLOCK, self._every if self._handles else ())
        try:
            return frozenset(before), self._wakeup_fd()
        finally:
            if self._handles:
                self._mask(_SET, before)

    def _wakeup_fd(self) -> int:
        """Read the descriptor by setting the one that is known, which changes nothing mostly.

        A signal that came between two calls would not wake its loop, so signals have to wait.
        """
        known = self._wakeup
        try:
            fd = _set_wakeup_fd(known)
        except ValueError:
            return known  # not the main thread: it cannot be asked
        except OSError:  # the known one was closed
            known, fd = NO_FD, _set_wakeup_fd(NO_FD)
        if fd != known:
            with contextlib.suppress(ValueError, OSError):  # closed meanwhile: none is as good
                _set_wakeup_fd(fd)
        return fd

    def _value(self, handler: Any) -> Hashable:
        if handler is None or isinstance(handler, int):
            return None if handler is None else int(handler)
        if isinstance(handler, types.MethodType):  # made anew each time the attribute is read
            pair = (handler.__self__, handler.__func__)
            return tuple(map(self._identities.number, pair))
        return (self._identities.number(handler),)

    def handler(self, value: Hashable) -> Any:
        """Return the handler that a value stands for; ``LookupError`` when it has gone."""
        if not isinstance(value, tuple):
            return value
        parts: list[Any] = [self._identities.holder(number) for number in value]
        if any(part is None for part in parts):
            raise LookupError("the handler does not exist any more")
        return parts[0] if len(parts) == 1 else types.MethodType(parts[1], parts[0])

    def write(self, name: str, value: Hashable) -> None:
        """Put one setting back; main thread only (``ValueError``, ``LookupError``, ``OSError``)."""
        if name == WAKEUP:
            _set_wakeup_fd(NO_FD if value is None else value)
        elif name.startswith(BLOCKED):
            self._set_blocked(self._numbers[name.removeprefix(BLOCKED)], blocked=bool(value))
        else:
            handler = self.handler(value)
            if handler is not None:  # one that C code had set; Python cannot put it back
                _C.signal(self._numbers[name], handler)

    def _set_blocked(self, number: int, *, blocked: bool) -> None:
        if not blocked:
            _discard_pending(number)
        self._mask(_BLOCK if blocked else _UNBLOCK, (number,))


def _no_mask(_how: int, _numbers: Any) -> frozenset[int]:
    """Stand for pthread_sigmask on Windows."""
    return frozenset()


def _set_wakeup_fd(fd: Any) -> int:
    """Set the descriptor; whether it was to warn of a full buffer, Python does not tell."""
    if fd == NO_FD:
        return int(_C.set_wakeup_fd(fd))
    return int(_C.set_wakeup_fd(fd, warn_on_full_buffer=False))


def _discard_pending(number: int) -> None:
    """Throw away what waits behind the mask: it was sent for a handler that is not ours to call.

    A Ctrl-C is left to arrive.
    """
    while number != signal.SIGINT and number in signal.sigpending():
        if hasattr(signal, "sigtimedwait"):
            signal.sigtimedwait([number], 0)  # another thread may have been quicker
        else:
            signal.sigwait([number])  # macOS

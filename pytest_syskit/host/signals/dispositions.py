"""What the process does with each signal: Python's table and the kernel's, read and put back.

    signal.getsignal()   Python's own table: knows nothing of handlers that C code installs
    sigaction(2)         the kernel's: function, flags and mask, an opaque block of bytes to us

The block is read and written back as a whole, so its layout matters only in one place: the function
is its first word (true on Linux except MIPS, on macOS and on the BSDs).
"""

from __future__ import annotations

import ctypes
import functools
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from .. import libc

_LARGEST_SIGACTION = 512  # bytes; 152 on 64-bit Linux, less elsewhere
_WORD = ctypes.sizeof(ctypes.c_void_p)


@dataclass(frozen=True, slots=True)
class Disposition:
    """What happens on one signal.

    Attributes:
        number: the signal.
        handler: Python's view; ``None`` when C code had a handler before Python looked.
        native: the kernel's view, or ``None`` where it cannot be read.
    """

    number: int
    handler: Any
    native: bytes | None = field(default=None, compare=False, repr=False)

    @property
    def foreign(self) -> bool:
        """Whether C code, not Python, handles the signal."""
        if self.handler is None:
            return True
        if self.native is None or self.handler not in (signal.SIG_DFL, signal.SIG_IGN):
            return False
        return int.from_bytes(self.native[:_WORD], sys.byteorder) != int(self.handler)


def read_disposition(number: int) -> Disposition:
    """Read what happens on a signal now."""
    return Disposition(number, signal.getsignal(number), _read_native(number))


def restore_disposition(saved: Disposition) -> None:
    """Put one signal back, flags and mask included; main thread only.

    A handler that C code installed before is put back too.  One that C code installed since, while
    Python's view stayed the same, is left alone: a library that was loaded meanwhile relies on it.
    """
    now = read_disposition(saved.number)
    unchanged_for_python = now.handler is saved.handler
    if unchanged_for_python and (saved.native is None or (now.foreign and not saved.foreign)):
        return
    if not unchanged_for_python:
        # Python cannot be told "a C handler": its table shows the default, the kernel has the rest.
        signal.signal(saved.number, signal.SIG_DFL if saved.handler is None else saved.handler)
    if saved.native is not None:
        _write_native(saved.number, saved.native)


@contextmanager
def broken_pipe_as_error() -> Iterator[None]:
    """Let a write to a pipe without reader fail with ``EPIPE`` where SIGPIPE would kill us.

    Python ignores SIGPIPE from the start; only when a test brought the default action back is the
    signal held off and taken out of the queue.  A Python handler of the test gets to see it.
    """
    number = getattr(signal, "SIGPIPE", None)
    if number is None or signal.getsignal(number) is not signal.SIG_DFL:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    waiting = number in signal.sigpending()
    try:
        yield
    finally:
        if not waiting and number in signal.sigpending():
            signal.sigwait([number])  # sent to this very thread, so nobody else can take it
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@functools.cache
def _sigaction() -> Callable[..., int] | None:
    """Return the C function, or ``None`` where there is none (Windows)."""
    try:
        return libc.library().sigaction
    except (AttributeError, OSError, TypeError):
        return None


def _read_native(number: int) -> bytes | None:
    block = ctypes.create_string_buffer(_LARGEST_SIGACTION)
    sigaction = _sigaction()
    if sigaction is None or sigaction(number, None, block) != 0:
        return None
    return block.raw


def _write_native(number: int, native: bytes) -> None:
    sigaction = _sigaction()
    if sigaction is not None:
        sigaction(number, ctypes.create_string_buffer(native, len(native)), None)

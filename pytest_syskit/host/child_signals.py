"""Signals around a fork: held back while it happens, and as good as new in the child.

    parent   hold() ── fork ── release(held)
                         │
    child                └── reset() ── open_mask()

A signal that arrived between ``fork`` and the child's reset would run the *parent's* handler in the
child, and an exception from it would carry the child into the parent's code.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable

from .real import read_file, real

# What a fresh interpreter does; every other signal has the system's default action.
_OWN_DEFAULTS = {
    "SIGINT": signal.default_int_handler,
    "SIGPIPE": signal.SIG_IGN,
    "SIGXFSZ": signal.SIG_IGN,
}
# Held back: what comes from outside.  Faults of our own code cannot wait, KILL and STOP do not ask.
_FAULTS = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGTRAP", "SIGKILL", "SIGSTOP"}
_HELD = {each for each in signal.Signals if each.name not in _FAULTS}
# Real-time signals stay out of it: nobody sends them unasked, and each costs microseconds to name.
_HELD -= {getattr(signal, "SIGRTMIN", None), getattr(signal, "SIGRTMAX", None)}
_UNTOUCHABLE = {"SIGKILL", "SIGSTOP"}


def hold() -> set[int]:
    """Block the signals that come from outside; give the answer to :func:`release`."""
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, _HELD))


def release(held: set[int]) -> None:
    """Restore the mask of before; what came meanwhile is delivered here and may raise."""
    signal.pthread_sigmask(signal.SIG_SETMASK, held)


def open_mask() -> None:
    """Let every signal through."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def reset() -> None:
    """Give every signal the action it has in a fresh interpreter.

    That is the system's default, but SIGINT raises ``KeyboardInterrupt``, and SIGPIPE and SIGXFSZ are
    ignored so that they become ``OSError``.  The wakeup descriptor is unset: it is the parent's.  The
    mask is left alone.
    """
    signal.set_wakeup_fd(-1)
    for number in _changed():
        signal.signal(number, signal.SIG_DFL)
    for name, action in _OWN_DEFAULTS.items():
        signal.signal(getattr(signal, name), action)


def _changed() -> Iterable[int]:
    """Return the signals without their default action, those that C code handles included."""
    try:
        status = read_file("/proc/self/status")
    except OSError:
        return _all()  # no /proc here, or no descriptor left to read it with
    masks = dict(line.split(b":", 1) for line in status.splitlines() if line.startswith(b"Sig"))
    if b"SigCgt" not in masks or b"SigIgn" not in masks:
        return _all()
    bits = int(masks[b"SigCgt"], 16) | int(masks[b"SigIgn"], 16)
    # 32 and 33 belong to the C library's threads and are refused to everybody else.
    return [number for number in range(1, 65) if bits >> (number - 1) & 1 and number not in {32, 33}]


def _all() -> list[int]:
    return [each for each in signal.Signals if each.name not in _UNTOUCHABLE]


def catches(pid: int, number: int) -> bool:
    """Say whether a process handles a signal by code of its own (``False`` when unknown)."""
    try:
        status = read_file(f"/proc/{pid}/status")
    except OSError:
        return False  # gone, or no /proc here
    for line in status.splitlines():
        if line.startswith(b"SigCgt:"):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def send(pid: int, number: int) -> None:
    """Send a signal (raises ``ProcessLookupError`` when the process is gone)."""
    real.kill(pid, number)

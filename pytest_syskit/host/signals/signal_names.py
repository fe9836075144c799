"""The signals of this machine: which there are, what they are called, which can be caught."""

from __future__ import annotations

import signal

# Signals that no program can catch, block or ignore (signal(7)).
_UNCATCHABLE = frozenset(
    number for name in ("SIGKILL", "SIGSTOP") if (number := getattr(signal, name, None)) is not None
)


def signal_name(number: int) -> str:
    """Return the name people know: ``SIGUSR1``, ``SIGRTMIN+3``, or ``signal 99``."""
    try:
        return signal.Signals(number).name
    except ValueError:  # real-time signals between the first and the last have no member
        first = getattr(signal, "SIGRTMIN", None)
        if first is not None and first < number < signal.SIGRTMAX:
            return f"SIGRTMIN+{number - first}"
        return f"signal {number}"


def catchable_signals() -> list[int]:
    """List the signals that a program may handle here, by number."""
    return sorted(int(number) for number in signal.valid_signals() if number not in _UNCATCHABLE)


def catchable_signal(value: object) -> int:
    """Return the number of a signal given by number, by member, or by name (``"SIGUSR1"``).

    Raises:
        TypeError: the value is none of these.
        ValueError: there is no such signal, or no program can catch it.
    """
    number = _number(value)
    if number in _UNCATCHABLE:
        raise ValueError(
            f"{signal_name(number)} cannot be caught: the kernel acts on it and tells no program"
        )
    if number not in signal.valid_signals():
        raise ValueError(
            f"{value!r} is no signal of this system; the numbers end at {max(catchable_signals())}"
        )
    return number


def _number(value: object) -> int:
    if isinstance(value, str):
        return _number_of_name(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    raise TypeError(f"{value!r} is no signal: give signal.SIGUSR1, its number, or its name")


def _number_of_name(name: str) -> int:
    try:
        return signal.Signals[name]
    except KeyError:
        raise ValueError(
            f"{name!r} is no signal of this system; names look like 'SIGUSR1' or 'SIGTERM'"
        ) from None

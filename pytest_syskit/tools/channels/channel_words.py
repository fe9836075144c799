"""How the ends say what happened: who waited for what, what came, who holds the other end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .channel_role import Role, Wanted

if TYPE_CHECKING:
    from .channel_end import ChannelEnd

_SHOWN = 60  # bytes that a message quotes; enough for a line


def counted(number: int, noun: str) -> str:
    """Return "1 byte", "2 bytes"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def quoted(data: bytes) -> str:
    """Show bytes, cut where they get long."""
    rest = len(data) - _SHOWN
    return repr(bytes(data[:_SHOWN])) + (f"… and {counted(rest, 'byte')} more" if rest > 0 else "")


def read_timeout_text(
    role: Role, seconds: float, wanted: Wanted, arrived: bytes, holder: str
) -> str:
    """Say that a read waited in vain."""
    came = f"{len(arrived)} arrived: {quoted(arrived)}" if arrived else "nothing arrived"
    return f"{role} waited {seconds:g} s for {wanted.name}; {came}; {holder}"


def write_timeout_text(role: Role, seconds: float, done: int, total: int, holder: str) -> str:
    """Say that nobody made room."""
    return (
        f"{role} waited {seconds:g} s for room; {done} of {counted(total, 'byte')} went out, "
        f"and nobody reads the rest; {holder}"
    )


def ended_text(role: Role, wanted: Wanted, arrived: bytes) -> str:
    """Say that the stream ended too early."""
    if not arrived:
        return f"{role} wanted {wanted.name}; {role.ending} before anything came"
    total = f" of {counted(wanted.total, 'byte')}" if wanted.total else ""
    after = f"{len(arrived)}{total}" if total else counted(len(arrived), "byte")
    return f"{role} wanted {wanted.name}; {role.ending} after {after}: {quoted(arrived)}"


def nobody_reads_text(role: Role, done: int, total: int, facing: Sequence[ChannelEnd]) -> str:
    """Say that the last reader has gone."""
    closed = [end for end in facing if end.closed_because is not None]
    here = "".join(
        f" (the {end.role.side} of this process is closed: {end.closed_because})"
        for end in closed[:1]
    )
    return (
        f"{role}: nobody reads any more; {done} of {counted(total, 'byte')} had been written{here}"
    )


def holder_text(role: Role, facing: Sequence[ChannelEnd], *, met: bool = True) -> str:
    """Say where the other end is open; ``met`` is false when nobody has ever been there."""
    fds = [f"fd {end.open_fd}" for end in facing if end.open_fd is not None]
    if len(fds) == 1:
        return f"the {role.other} is still open in this process as {fds[0]}"
    if fds:
        return f"{len(fds)} {role.other}s are still open in this process: {', '.join(fds)}"
    if not met:
        return f"no {role.other} has opened it yet"
    return f"no {role.other} is open in this process, so another process holds one"

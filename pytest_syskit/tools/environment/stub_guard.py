"""Commands that nobody stubbed: kept from running, recorded, and said aloud."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_syskit.host.real import real

from .stub_command import Call
from .stub_plan import Plan, check_name, quoted

_SHOWN = 10  # calls listed in the message; a loop would fill the screen


class UnexpectedCommand(AssertionError):  # says what happened, like TimeoutExpired
    """A command was called that is neither stubbed nor allowed."""


def guard_plan() -> Plan:
    """Return the part of a guard: it complains and ends like a command that was not found."""
    message = b"this command is not stubbed, and other commands are forbidden here\n"
    replies: dict[str, list[Any]] = {
        "stdout": [b""],
        "stderr": [message],
        "exit_code": [127],
        "delay": [0.0],
        "signal": [0],
    }
    return Plan(replies)


def commands_on(path: str) -> set[str]:
    """Name every entry of the directories of a PATH."""
    names: set[str] = set()
    for folder in filter(None, path.split(os.pathsep)):
        with suppress(OSError):  # PATH names directories that do not exist, or are not ours to list
            names.update(real.listdir(folder))
    return names


def link_allowed(folder: Path, names: Iterable[str], path: str) -> None:
    """Link commands of this machine into the directory of the stubs.

    Raises:
        FileNotFoundError: there is no such command; nothing was linked.
    """
    found = {check_name(name): shutil.which(name, path=path) for name in names}
    if missing := [name for name, program in found.items() if program is None]:
        raise FileNotFoundError(f"forbid_others: allow names {missing[0]!r}, which is not on PATH")
    for name, program in found.items():
        if program is not None and not os.path.lexists(folder / name):
            real.symlink(os.path.abspath(program), folder / name)


def unexpected_text(calls: Sequence[Call], stubbed: Sequence[str]) -> str:
    """Say which forbidden commands ran, and what to do."""
    count = len(calls)
    lines = [f"{count} {'call' if count == 1 else 'calls'} of commands that are not stubbed:"]
    lines += [
        f"  {quoted(call.argv)}  (in {call.cwd}, by process {call.parent_pid})"
        for call in calls[:_SHOWN]
    ]
    if count > _SHOWN:
        lines.append(f"  … and {count - _SHOWN} more")
    have = ", ".join(map(repr, stubbed)) if stubbed else "none"
    names = ", ".join(map(repr, dict.fromkeys(call.argv[0] for call in calls)))
    lines.append(f"stubbed: {have}; stub {names} too, or name it in forbid_others(allow=...)")
    return "\n".join(lines)

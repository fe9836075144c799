"""What a stubbed command is told to do, checked, and rendered into an executable."""

from __future__ import annotations

import math
import os
import shlex
import signal as signals
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_syskit.host.real import read_file, real

if TYPE_CHECKING:
    from typing import TypeAlias

    Text: TypeAlias = str | bytes
    OneOrMany: TypeAlias = Any  # a value, or a sequence with one value for each call

Value = TypeVar("Value")
# Linux before 5.1 cuts the first line of a script here, and blanks split it everywhere.
_SHEBANG_LIMIT = 127  # bytes, "#!" included
_FLAGS = "-ISXutf8"  # isolated, no site, UTF-8 whatever the locale: one word, Linux passes one
_PROGRAM = str(Path(__file__).with_name("stub_script.py"))


@dataclass(frozen=True, slots=True)
class Plan:
    """The part that a stub plays: replies with one value for each call, and what holds for all."""

    replies: dict[str, list[Any]]
    script: bytes | None = None
    patience: float | None = None


def check_name(name: object) -> str:
    """Return a command's name.

    Raises:
        TypeError, ValueError: it is no text, or no name that a lookup on PATH can find.
    """
    if not isinstance(name, str):
        raise TypeError(f"stub_command takes the name of a command as text, not {name!r}")
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise ValueError(
            f"stub_command({name!r}): a command is found on PATH by a plain name, without '/' and "
            "NUL; a program that is called by its full path cannot be replaced"
        )
    return name


def make_plan(
    name: str,
    *,
    stdout: OneOrMany,
    stderr: OneOrMany,
    exit_code: OneOrMany,
    delay: OneOrMany,
    signal: OneOrMany,
    script: object,
    stdin_patience: float | None,
) -> Plan:
    """Check the arguments of ``stub_command`` (``TypeError`` and ``ValueError`` name the one)."""
    who = f"stub_command({name!r})"
    replies: dict[str, list[Any]] = {
        "stdout": _each(f"{who}: stdout", stdout, _output),
        "stderr": _each(f"{who}: stderr", stderr, _output),
        "exit_code": _each(f"{who}: exit_code", exit_code, _status),
        "delay": _each(f"{who}: delay", delay, _seconds),
        "signal": _each(f"{who}: signal", signal, _signal),
    }
    if script is not None and any(replies["exit_code"] + replies["signal"]):
        raise ValueError(
            f"{who}: a script ends with its own status; leave exit_code and signal out, "
            "or write `exit 3` and `kill -s TERM $$` in the script"
        )
    return Plan(
        replies,
        None if script is None else _script(f"{who}: script", script),
        None if stdin_patience is None else _seconds(f"{who}: stdin_patience", stdin_patience),
    )


def _each(what: str, value: OneOrMany, check: Callable[[str, object], Value]) -> list[Value]:
    """Check a value, or each of a sequence of them."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        return [check(what, value)]
    if not value:
        raise ValueError(f"{what}: an empty sequence says nothing about the first call")
    return [check(f"{what}[{index}]", item) for index, item in enumerate(value)]


def _output(what: str, value: object) -> bytes:
    if isinstance(value, str):
        return os.fsencode(value)
    if isinstance(value, bytes):
        return value
    raise TypeError(f"{what} is {value!r}; it takes text or bytes, or a sequence of them")


def _status(what: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} is {value!r}; it takes a number from 0 to 255, or a sequence")
    if not 0 <= value <= 255:  # noqa: PLR2004  # what the kernel hands to a parent
        raise ValueError(
            f"{what} is {value!r}; it takes a number from 0 to 255 (for death by a signal: signal=)"
        )
    return value


def _seconds(what: str, value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{what} is {value!r}; it takes seconds as a number")
    if not 0 <= value < math.inf:
        raise ValueError(f"{what} is {value!r}; it takes seconds, 0 or more")
    return float(value)


def _signal(what: str, value: object) -> int:
    if value is None:
        return 0  # no signal in this call
    if not isinstance(value, int) or value not in signals.valid_signals():
        raise ValueError(f"{what} is {value!r}; it takes a signal such as signal.SIGTERM, or None")
    return int(value)


def _script(what: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError(
            f"{what} is {value!r}; it takes the text of an sh script, because the stand-in runs "
            "in processes that know nothing of this one"
        )
    if "\0" in value:
        raise ValueError(f"{what} holds a NUL, which no argument of a program can")
    return os.fsencode(value)


def find_shell() -> str:
    """Return the path of ``sh``.

    Raises:
        NotImplementedError: this machine has none, so it runs no ``#!`` programs either.
    """
    for folder in filter(os.path.isabs, system_path().split(os.pathsep)):
        with suppress(OSError):  # not here: the next directory
            real.stat(path := os.path.join(folder, "sh"))
            return path
    raise NotImplementedError(
        f"stub_command needs a machine that runs '#!' programs, and found no sh on "
        f"{system_path()!r}"
    )


def system_path() -> str:
    """Return the PATH on which this system keeps the standard utilities (POSIX ``CS_PATH``)."""
    try:
        return (os.confstr("CS_PATH") or os.defpath).rstrip(os.pathsep)
    except (AttributeError, ValueError, OSError):
        return os.defpath  # a platform without confstr, or without this name


def render(configuration: Mapping[str, object], interpreter: str | None = None) -> bytes:
    """Return the text of an executable that plays ``configuration``.

    The interpreter is named directly where the kernel can find it so, and through ``sh`` when its
    path has blanks or is too long; that shell may add PWD, SHLVL and ``_`` to what is recorded.
    """
    program = read_file(_PROGRAM)
    ending = f"\n\nmain(**{dict(configuration)!r})\n".encode("ascii", "backslashreplace")
    return _first_lines(interpreter or _interpreter()) + program + ending


def _interpreter() -> str:
    if not sys.executable:
        raise NotImplementedError("stub_command needs sys.executable, which is empty here")
    return sys.executable


def _first_lines(interpreter: str) -> bytes:
    direct = os.fsencode(f"#!{interpreter} {_FLAGS}\n")
    if len(direct) <= _SHEBANG_LIMIT and not set(interpreter) & set(" \t\n"):
        return direct
    # For sh the second line is a command; for Python it is a string that goes on until the third.
    command = f"'''exec' {shlex.quote(interpreter)} {_FLAGS} \"$0\" \"$@\""
    return os.fsencode(f"#!/bin/sh\n{command}\n' '''\n")


def write_executable(path: str, content: bytes, mode: int, draft: str) -> None:
    """Put a program in place whole: who starts it meanwhile gets the old one or the new one."""
    create_file(draft, mode, content)
    try:
        real.rename(draft, path)
    except BaseException:
        real.unlink(draft)
        raise


def create_file(path: str, mode: int, content: bytes = b"") -> None:
    """Create a file of exactly this mode, whatever the umask is."""
    fd = real.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        while content:
            content = content[real.write(fd, content) :]
        real.chmod(path, mode)
    finally:
        real.close(fd)


def quoted(arguments: Iterable[str]) -> str:
    """Write a command line for a message; what is no plain text shows as escapes."""
    return shlex.join(arguments).encode("utf-8", "backslashreplace").decode()

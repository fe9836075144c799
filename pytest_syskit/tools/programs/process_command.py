"""What shall be started: checked before, and explained when the system refuses it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pytest_syskit.host.processes.cookies import marked

from .process_errors import ProcessNotStarted

Word: TypeAlias = "str | bytes | os.PathLike[str]"


@dataclass(frozen=True, slots=True)
class Command:
    """A checked command line with its complete environment and working directory."""

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    cwd: str | None

    @property
    def short_name(self) -> str:
        """Return the last part of the program's path."""
        return os.path.basename(self.argv[0]) or self.argv[0]


def checked_argv(argv: Sequence[Word]) -> tuple[str, ...]:
    """Return the command line as strings; a wrong entry is a ``TypeError`` or ``ValueError``."""
    if isinstance(argv, (str, bytes, os.PathLike)):
        raise TypeError(
            "argv must be a list of words such as ['ping', '-c', '1', 'localhost'], "
            f"got {argv!r}; shlex.split() makes a list of a command line"
        )
    words = tuple(_checked_word(f"argv[{index}]", word) for index, word in enumerate(argv))
    if not words or not words[0]:
        raise ValueError(f"argv must begin with the program to start, got {list(argv)!r}")
    return words


def _checked_word(place: str, word: object) -> str:
    if not isinstance(word, (str, bytes, os.PathLike)):
        raise TypeError(
            f"{place} must be a str, bytes or a path, got {word!r} ({type(word).__name__})"
        )
    text = os.fsdecode(word)
    if "\0" in text:
        raise ValueError(f"{place} holds a NUL character, which no program can be given: {text!r}")
    return text


def environment(
    env: Mapping[str, str] | None, extra_env: Mapping[str, str] | None, cookie: str
) -> dict[str, str]:
    """Return the environment to start with.

    ``env`` replaces the inherited one altogether; ``extra_env`` is laid over either.  Without
    ``env``, Python programs are asked not to hold their output back.
    """
    inherited = {"PYTHONUNBUFFERED": "1", **os.environ} if env is None else env
    chosen = {**_checked_env("env", inherited), **_checked_env("extra_env", extra_env or {})}
    return marked(chosen, cookie)


def _checked_env(origin: str, environ: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(environ, Mapping):
        raise TypeError(f"{origin} must be a mapping of names to values, got {environ!r}")
    for name, value in environ.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError(f"{origin}[{name!r}] must map a str to a str, got {value!r}")
        if not name or "=" in name or "\0" in name + value:
            raise ValueError(
                f"{origin}[{name!r}] = {value!r} fits no environment: a name is not empty and "
                "holds no '=', and neither name nor value holds a NUL character"
            )
    return dict(environ)


def refusal(command: Command, error: OSError) -> ProcessNotStarted:
    """Explain why the system would not start a command."""
    return ProcessNotStarted(f"cannot start {command.argv[0]!r}: {_reason(command, error)}")


def _reason(command: Command, error: OSError) -> str:
    if command.cwd is not None and error.filename == command.cwd:  # subprocess tells which failed
        return f"the working directory {command.cwd!r}: {error.strerror}"
    if error.errno == errno.ENOEXEC:
        return "it is no program for this machine; a script begins with a line such as #!/bin/sh"
    if os.path.dirname(command.argv[0]):
        return _reason_for_path(os.path.join(command.cwd or "", command.argv[0]), error)
    search = command.environ.get("PATH", os.defpath)
    if (found := shutil.which(command.argv[0], os.F_OK, search)) is not None:
        return _reason_for_path(found, error)
    return f"no program of that name on PATH={search}"


def _reason_for_path(path: str, error: OSError) -> str:
    if os.path.isdir(path):
        return f"{path} is a directory"
    if error.errno == errno.EACCES:
        return f"{path} may not be executed{_mode(path)}; chmod +x it, or pass its interpreter"
    if error.errno != errno.ENOENT:
        return error.strerror or str(error)
    if os.path.exists(path):
        return f"{path} is there, but not the interpreter that its first line names"
    return f"{os.path.abspath(path)} does not exist"


def _mode(path: str) -> str:
    try:
        return f" (mode {os.stat(path).st_mode & 0o7777:04o})"
    except OSError:
        return ""  # in a directory that may not be searched

"""The arguments of a forked call, checked before anything is forked."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Mapping
from typing import Any

from ...host import capabilities
from ...host.processes import privileges


@functools.cache
def require_fork() -> None:
    """Raise ``NotImplementedError`` where there is no fork."""
    lack = capabilities.missing("fork")
    if lack is not None:
        raise NotImplementedError(f"a forked child needs fork, and {lack}")


def check_seconds(name: str, value: float, least: float | None = None) -> float:
    """Return a time in seconds: above 0, or ``least`` and more (raises ``ValueError``)."""
    good = not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value)
    if not good or (value <= 0 if least is None else value < least):
        kind = "more than 0" if least is None else f"{least:g} or more"
        raise ValueError(f"{name}={value!r}: expected a number of seconds, {kind}, and finite")
    return float(value)


def check_callable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function (raises ``TypeError`` when it is none)."""
    if not callable(function):
        raise TypeError(
            f"{function!r} is not callable; give the function itself, then its arguments"
        )
    return function


def check_user(user: str | int | None) -> privileges.Identity | None:
    """Return whom to become (raises ``LookupError``, ``PermissionError``, ``TypeError``)."""
    if user is None:
        return None
    identity = privileges.look_up(user)
    privileges.require_superuser(user)
    return identity


def check_environment(env: Mapping[str, str] | None) -> dict[str, str] | None:
    """Return a copy of an environment (raises ``TypeError``)."""
    for name, value in (env or {}).items():
        if not isinstance(name, str) or not isinstance(value, str) or "=" in name or not name:
            raise TypeError(f"env[{name!r}]={value!r}: expected a name without '=' and a text")
    return None if env is None else dict(env)


def check_directory(cwd: str | os.PathLike[str] | None) -> str | None:
    """Return the path of a directory (raises ``NotADirectoryError``)."""
    if cwd is None:
        return None
    path = os.fspath(cwd)
    if not os.path.isdir(path):
        raise NotADirectoryError(f"cwd={path!r} is not a directory")
    return path

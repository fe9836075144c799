"""The register of probes, and the steps that several of them share."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TypeVar

Probe = Callable[[], "str | None"]
AnyProbe = TypeVar("AnyProbe", bound=Probe)

PROBES: dict[str, tuple[Probe, str]] = {}


def probe(purpose: str) -> Callable[[AnyProbe], AnyProbe]:
    """Register a probe under its function's name, with what the capability is for.

    A probe returns ``None`` for *yes*, or the reason for *no*; an ``OSError`` is a *no* as well.
    It tries the thing itself where that is cheap, and leaves nothing behind.
    """

    def register(function: AnyProbe) -> AnyProbe:
        PROBES[function.__name__] = (function, purpose)
        return function

    return register


def needs(attribute: str, module: ModuleType = os) -> str | None:
    """Return the reason for *no* if a module lacks a function."""
    if hasattr(module, attribute):
        return None
    return f"{module.__name__}.{attribute} does not exist here"


def needs_module(name: str) -> str | None:
    """Return the reason for *no* if a module of the standard library was not built."""
    return None if importlib.util.find_spec(name) else f"the module {name} does not exist here"


def needs_linux(what: str) -> str | None:
    """Return the reason for *no* if this is not Linux, for calls that Python does not wrap."""
    return None if sys.platform == "linux" else f"{sys.platform} has no {what}"


@contextmanager
def scratch(parent: str | None = None) -> Iterator[str]:
    """Yield a private directory for the length of a probe."""
    with tempfile.TemporaryDirectory(prefix="syskit-probe-", dir=parent) as folder:
        yield folder


def make_file(folder: str) -> str:
    """Make an empty file and return its path."""
    path = os.path.join(folder, "file")
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    return path

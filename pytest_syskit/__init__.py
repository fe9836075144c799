"""Test system code: leaked processes and descriptors, forks, FIFOs, signals, workspaces.

Every tool is importable from here and works without pytest; the plugin hands the same tools out as
fixtures.  Names are loaded on first use, so importing this package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .leaks.leak import Leak as Leak
    from .leaks.owner import Owner as Owner
    from .leaks.resource import Detector as Detector
    from .leaks.resource import Resource as Resource

__version__ = "0.1.0"

# Public name -> the module that defines it.
_HOMES = {
    "Detector": "leaks.resource",
    "Leak": "leaks.leak",
    "Owner": "leaks.owner",
    "Resource": "leaks.resource",
}

__all__ = ["Detector", "Leak", "Owner", "Resource", "__version__"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

"""Which system this is, for markers that must ask "who?" rather than "can it?"."""

from __future__ import annotations

import os
import sys

WORDS = ("posix", "linux", "macos", "windows")

_TITLES = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}


def words_here() -> frozenset[str]:
    """Return those of ``WORDS`` that hold for the running interpreter.

    Android and iOS are POSIX, but neither Linux nor macOS; Cygwin is POSIX, not Windows.
    Other systems (the BSDs, Solaris, WASI) are POSIX and nothing else.
    """
    found = {
        "posix": os.name == "posix",
        "linux": sys.platform == "linux",
        "macos": sys.platform == "darwin",
        "windows": sys.platform == "win32",
    }
    return frozenset(word for word, holds in found.items() if holds)


def title() -> str:
    """Return this system's name as its users write it (``sys.platform`` for the rarer ones)."""
    return _TITLES.get(sys.platform, sys.platform)

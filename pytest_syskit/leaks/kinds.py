"""The words for what can be left behind."""

from __future__ import annotations

KINDS = ("process", "fd", "thread", "cwd", "umask", "env", "signal", "timer")

# Kinds whose resources are values: key = (name, value), there while the value is not the first one.
VALUES = frozenset({"cwd", "umask", "env", "signal", "timer"})

"""What the places of this machine, of this run and of this Python are called in plain labels."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator

import pytest

from ..leaks.plain_labels import TMP, TMP_PATH, PlainLabels


def plain_labels(config: pytest.Config) -> PlainLabels:
    """Return what makes labels comparable with those of another run."""
    places = dict(_places(config))
    return PlainLabels({os.path.realpath(path): name for path, name in places.items()} | places)


def _places(config: pytest.Config) -> Iterator[tuple[str, str]]:
    """Yield paths and their names; of two names for one path the later holds."""
    yield os.path.expanduser("~"), "~"
    yield tempfile.gettempdir(), TMP
    if sys.prefix != sys.base_prefix:  # a system's Python is at home in /usr, with everything else
        yield sys.prefix, "<environment>"
    if sys.executable:
        yield sys.executable, "<python>"
    if base := config.getoption("basetemp", None):
        yield os.path.abspath(base), TMP_PATH
    yield str(config.rootpath), "<root>"

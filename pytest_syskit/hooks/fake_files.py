"""Load our modules before a fake file system is there.

pyfakefs gives modules that are imported meanwhile fakes for ``os`` and ``fcntl``, and has them
forgotten afterwards: ours would go on with fakes that are over, and have each class twice.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

import pytest

_FAKES = {"fs", "fs_class", "fs_module", "fs_session"}  # the fixtures of pyfakefs
_PROGRAMS = ("stub_script", "terminal_entry")  # for interpreters of their own, never imported


def load_before_fakes(items: Iterable[pytest.Item]) -> None:
    """Import what fixtures may need if a test has a fake file system; other suites pay nothing."""
    if any(map(_has_fake_files, items)):
        from .. import detectors, host, tools  # noqa: PLC0415  # see above

        for room in (host, detectors, tools):
            _load(room)


def _load(room: ModuleType) -> None:
    for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        if not module.name.endswith(_PROGRAMS):
            importlib.import_module(module.name)


def _has_fake_files(item: pytest.Item) -> bool:
    return not _FAKES.isdisjoint(getattr(item, "fixturenames", ()))

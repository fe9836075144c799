"""The hooks that this plugin offers to others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..leaks.leak import Leak
    from ..leaks.owner import Owner
    from ..leaks.resource import Detector, Resource


@pytest.hookspec
def pytest_syskit_detectors(config: pytest.Config) -> Iterable[Detector]:
    """Return further detectors; called once, before the first test.

    A detector's ``kind`` must be a word that no other uses.  Its resources are judged like our own.
    """
    raise NotImplementedError  # a specification has no body


@pytest.hookspec(firstresult=True)
def pytest_syskit_expected(resource: Resource, owner: Owner, config: pytest.Config) -> str | None:
    """Return a reason when this resource is meant to stay, else ``None``.

    Asked only for resources that did outlive their owner; the first reason counts.
    """
    raise NotImplementedError  # a specification has no body


@pytest.hookspec
def pytest_syskit_leak(leak: Leak, config: pytest.Config) -> None:
    """Learn of one leak, allowed ones included; called in the controlling process."""


@pytest.hookspec
def pytest_syskit_timeout(item: pytest.Item, seconds: float, config: pytest.Config) -> None:
    """Learn that a limit has passed; called before anything is raised."""

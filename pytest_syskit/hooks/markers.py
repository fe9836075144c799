"""Our markers as pytest meets them: registered at the start, read when all tests are collected."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from .marker_texts import TEXTS
from .marks import marks_of

if TYPE_CHECKING:
    from .marker_reading import Reading

COMPLAINTS = pytest.StashKey[list[str]]()
_WORKER_KEY = "syskit_wrong_markers"


def marker_lines(config: pytest.Config) -> list[str]:
    """Return the lines that register our markers (``config.addinivalue_line("markers", line)``)."""
    lines = {name: f"{text.usage}: {text.meaning}" for name, text in TEXTS.items()}
    if config.getoption("markers", False):  # somebody reads them
        from ..host import capabilities  # noqa: PLC0415  # all the probes, for their names

        lines["requires"] += f": {', '.join(capabilities.names())}"
    return list(lines.values())


def complaints(config: pytest.Config) -> list[str]:
    """Return the list to which messages about wrong marks are added during collection."""
    return config.stash.setdefault(COMPLAINTS, [])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, object, object]:
    """Read the marks of all tests before other plugins, then those that other plugins added."""
    reading = _read(config, items, None)
    result = yield
    _read(config, items, reading)
    return result


def _read(
    config: pytest.Config, items: list[pytest.Item], reading: Reading | None
) -> Reading | None:
    """Read the marks of those tests that have any of ours; what reads them is imported for them."""
    marked = [item for item in items if any(mark.name in TEXTS for mark in marks_of(item))]
    if marked:
        from .marker_reading import Reading  # noqa: PLC0415  # most runs know none of our marks

        reading = reading or Reading(complaints(config))
        reading.read(marked)
    _refuse(config, items, complaints(config))
    return reading


def _refuse(config: pytest.Config, items: list[pytest.Item], wrong: list[str]) -> None:
    """End the run with a usage error; an xdist worker runs nothing and tells its controller."""
    if not wrong:
        return
    output: dict[str, Any] | None = getattr(config, "workeroutput", None)
    if output is None:
        raise pytest.UsageError(*wrong)
    output[_WORKER_KEY] = list(wrong)
    items.clear()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of xdist complained of (each worker says the same)."""
    heard = complaints(node.config)
    for message in getattr(node, "workeroutput", {}).get(_WORKER_KEY, []):
        if message not in heard:
            heard.append(message)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """End the run of an xdist controller with the usage error that its workers found."""
    result = yield
    wrong = complaints(session.config)
    if wrong and not hasattr(session.config, "workeroutput"):
        raise pytest.UsageError(*wrong)
    return result

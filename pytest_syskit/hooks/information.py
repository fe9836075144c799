"""``--syskit-info``: what this machine can and cannot do."""

# ruff: noqa: PLC0415  # asked for once in a thousand runs, so imported then

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Print the information and end, if it was asked for."""
    if not config.getoption("syskit_info"):
        return None
    sys.stdout.writelines(f"{line}\n" for line in lines())  # there is no terminal reporter yet
    return 0


def lines() -> Iterator[str]:
    """Return what to print: mechanisms in use, then one line per capability."""
    import platform

    from ..host import capabilities

    yield f"pytest-syskit on {platform.platform()}, Python {platform.python_version()}"
    yield "mechanisms:"
    yield f"  descriptors  {_descriptors()}"
    yield f"  children     {_children()}"
    yield f"  orphans      {_orphans()}"
    yield f"  umask        {_umask()}"
    yield f"  timers       {_timers()}"
    yield "  threads      those that Python started"
    yield "capabilities:"
    for name in capabilities.names():
        lack = capabilities.missing(name)
        answer = "yes" if lack is None else f"no: {lack}"
        yield f"  {name:<14} {capabilities.purpose(name)}: {answer}"


def _descriptors() -> str:
    from ..host.descriptors import descriptors

    folder = descriptors.listing()
    counted = ", counted at once" if descriptors.counts() else ""
    return f"{folder} lists them{counted}" if folder else "each number is tried"


def _children() -> str:
    from ..host.processes import children

    return "listed by the kernel" if children.fast() else "psutil looks through all processes"


def _orphans() -> str:
    from ..host.processes import orphans

    return "looked for by our mark in their environment" if orphans.available() else "not seen"


def _umask() -> str:
    from ..host.state import file_mask

    told = "told by the kernel while other threads run"
    lone = "read while no other thread runs"
    return f"{lone}, {told}" if file_mask.told() else lone


def _timers() -> str:
    from ..host.state.armed_timers import ArmedTimers

    return ", ".join(ArmedTimers().names()) or "none here"

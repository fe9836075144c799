"""Lines that ran in a forked child only are counted, without files and settings.

coverage saves at exit, which a forked child does not have, and into a file that without
``parallel`` is its parent's.  So the child sends what it measured with its result, and the parent
adds it; a parent that is a forked child itself passes it on.

What a child measured that was killed, crashed or left by ``os._exit`` is lost, unless coverage's
own ``patch = _exit`` saves it.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any

# What this process passes on, if it is a forked child of ours; the parent of all adds it.
_passed_on: dict[str, list[bytes]] = {}


def enter_child() -> None:
    """Note that this process is a forked child."""
    _passed_on["dumps"] = []


def _current() -> Any:
    """Return the Coverage object that measures this process, without importing anything."""
    coverage = sys.modules.get("coverage")
    current = getattr(getattr(coverage, "Coverage", None), "current", None)
    return current() if current is not None else None


def collected() -> list[bytes]:
    """Stop measuring in this child and return what it and its own children measured."""
    measuring = _current()
    if measuring is None:
        return []
    try:
        return [*_dumped(measuring), *_passed_on.get("dumps", ())]
    except Exception:  # noqa: BLE001  # measuring must never change the result
        return []


def _dumped(measuring: Any) -> list[bytes]:
    measuring.stop()
    data: Any = getattr(measuring, "_data", None)
    if not hasattr(data, "_no_disk"):
        measuring.save()  # another version of coverage: leave it to its files
        return []
    data._no_disk = True  # noqa: SLF001  # no public way keeps a child off its parent's file
    return [measuring.get_data().dumps()]


def add(dumps: list[bytes]) -> None:
    """Add what a child measured to what this process measures, or keep it to pass it on."""
    if _passed_on:
        _passed_on["dumps"] += dumps
        return
    measuring = _current() if dumps else None
    if measuring is None:
        return
    from coverage import CoverageData  # noqa: PLC0415  # an extra, in use here for certain

    try:
        for dumped in dumps:
            incoming = CoverageData(no_disk=True)
            incoming.loads(dumped)
            measuring.get_data().update(incoming)
            incoming.close()
    except Exception as error:  # noqa: BLE001  # measuring must never change the result
        warnings.warn(f"coverage of a forked child is lost: {error!r}", stacklevel=2)

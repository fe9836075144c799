"""Summarise the hardware: processor, memory and disks, as one typed record.

Exercise D9.  A script: ``python hardware_summary.py [--json]``.  Everything but the processor's
name comes from ``psutil``, which asks the kernel; no output of another program is read.

The traps it avoids: the output of ``df`` split at spaces, which a mount point may contain;
``wmic``, which is gone; a fact that one system lacks, or one drive without a disk in it, ending the
summary; "free" memory reported where "available" is meant; a container's share of the processors
taken for the machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psutil
from processor_name import processor_name

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_STEP = 1024  # memory comes in powers of two


@dataclass(frozen=True, slots=True)
class Processor:
    """The processors.

    Attributes:
        name: of the first, or ``None``.
        cores: physical ones, or ``None`` where the system does not tell.
        threads: logical ones: what the system schedules on.
        usable: of those, what this process may run on.
        megahertz: the present clock, or ``None`` where the system does not tell.
        load: processes that ran or waited to run, on average over 1, 5 and 15 minutes, or ``None``.
    """

    name: str | None
    cores: int | None
    threads: int
    usable: int
    megahertz: float | None
    load: tuple[float, float, float] | None


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory, in bytes; ``available`` can be had without swapping, caches included."""

    total: int
    available: int
    swap_total: int
    swap_used: int


@dataclass(frozen=True, slots=True)
class Disk:
    """A mounted file system, in bytes; ``free`` is what an ordinary user may still write."""

    device: str
    mounted_at: str
    file_system: str
    total: int
    used: int
    free: int


@dataclass(frozen=True, slots=True)
class HardwareSummary:
    """The machine; disks that could not be looked at are in ``problems``."""

    processor: Processor
    memory: Memory
    disks: tuple[Disk, ...]
    problems: tuple[str, ...]


def hardware_summary() -> HardwareSummary:
    """Ask the system, now.

    Raises:
        psutil.Error, OSError: it does not even tell its memory.
    """
    disks, problems = disk_usage()
    return HardwareSummary(processor_facts(), memory_facts(), disks, problems)


def processor_facts() -> Processor:
    """Return the facts of the processors; what a system does not tell is ``None``."""
    threads = psutil.cpu_count() or os.cpu_count() or 1
    clock = _told("cpu_freq")
    load = _told("getloadavg")
    return Processor(
        name=processor_name(),
        cores=psutil.cpu_count(logical=False),
        threads=threads,
        usable=_usable() or threads,
        megahertz=clock.current or None if clock else None,  # 0.0 is how some say "unknown"
        load=tuple(load) if load else None,
    )


def _told(name: str) -> Any:
    """Ask psutil, which lacks the function where the system lacks the fact, or raises an error."""
    question: Callable[[], Any] | None = getattr(psutil, name, None)
    if question is None:
        return None
    try:
        return question()
    except (OSError, NotImplementedError, psutil.Error):  # containers hide parts of /sys
        return None


def _usable() -> int | None:
    """Count the processors that this process may use; macOS has no such limit."""
    if not hasattr(psutil.Process, "cpu_affinity"):
        return None
    try:
        return len(psutil.Process().cpu_affinity())
    except (OSError, psutil.Error):  # a sandbox may forbid the question
        return None


def memory_facts() -> Memory:
    """Return the facts of the memory; a system without swap has none of it."""
    memory, swap = psutil.virtual_memory(), _told("swap_memory")
    return Memory(
        memory.total, memory.available, swap.total if swap else 0, swap.used if swap else 0
    )


def disk_usage() -> tuple[tuple[Disk, ...], tuple[str, ...]]:
    """Return the disks that are mounted, each device once, and what went wrong with others."""
    disks: dict[str, Disk] = {}
    problems = []
    for part in psutil.disk_partitions(all=False):
        if part.device in disks or not part.fstype:  # mounted twice; or a drive that is empty
            continue
        try:
            usage = psutil.disk_usage(part.mountpoint)
        except OSError as error:
            problems.append(f"{part.mountpoint}: {error.strerror or error}")
            continue
        disks[part.device] = Disk(
            part.device, part.mountpoint, part.fstype, usage.total, usage.used, usage.free
        )
    return tuple(disks.values()), tuple(problems)


def in_units(size: float) -> str:
    """Write a size for people: ``1.5 GiB``."""
    unit = 0
    while size >= _STEP and unit < len(_UNITS) - 1:
        size /= _STEP
        unit += 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{size:.0f} B"


def lines(summary: HardwareSummary) -> Iterator[str]:
    """Yield the summary for people, one fact a line."""
    processor, memory = summary.processor, summary.memory
    clock = f", {processor.megahertz:.0f} MHz" if processor.megahertz else ""
    yield f"processor  {processor.name or 'unknown'}{clock}"
    yield (
        f"           {processor.cores or 'unknown number of'} cores, {processor.threads} threads, "
        f"{processor.usable} usable here"
    )
    if processor.load:
        yield f"load       {', '.join(f'{load:.2f}' for load in processor.load)}"
    yield f"memory     {in_units(memory.available)} of {in_units(memory.total)} available"
    yield f"swap       {in_units(memory.swap_used)} of {in_units(memory.swap_total)} used"
    for disk in summary.disks:
        yield (
            f"disk       {in_units(disk.free)} of {in_units(disk.total)} free on {disk.device}, "
            f"{disk.file_system}, mounted at {disk.mounted_at!a}"
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(prog="hardware_summary", description="Summarise the hardware.")
    parser.add_argument("--json", action="store_true", help="for programs instead of people")
    as_json = parser.parse_args(argv).json
    summary = hardware_summary()
    print(json.dumps(asdict(summary), indent=2) if as_json else "\n".join(lines(summary)))
    for problem in summary.problems:
        print(f"hardware_summary: {problem}", file=sys.stderr)
    return 1 if summary.problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""Run one command several ways in turn; keep processor and wall seconds of each run (POSIX)."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LIMIT = 1800  # seconds: far beyond the slowest run, so that a hang ends with a message
# Settings of the caller.  Without byte code every start would compile the plugin anew, which no
# installed package does.
_FOREIGN = ("SYSKIT_", "PYTEST_", "PYTHONDONTWRITEBYTECODE")
OK = {0, 5}  # passed, and "no tests were collected" of the empty run


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to run pytest: where, with which arguments, and what it adds to the environment."""

    name: str
    folder: Path
    arguments: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Series:
    """What the runs of one variant took, in seconds."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def median(self, clock: str = "cpu") -> float:
        """Return the median of one clock."""
        return statistics.median(getattr(self, clock))


class FailedRunError(RuntimeError):
    """A run ended with an error, so that its time means nothing; the text is its output."""


def run_once(variant: Variant) -> tuple[float, float]:
    """Run pytest once; return its processor and wall seconds (its waited-for children included).

    Plugins are off unless the variant names them, and so is the cache on disk.

    Raises:
        FailedRunError: the exit status was neither "passed" nor "no tests".
    """
    clean = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *variant.arguments]
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command,
        cwd=variant.folder,
        env={**clean, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variant.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    if done.returncode not in OK:
        raise FailedRunError(
            f"{variant.name}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
        )
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, ended - begun


def in_turn(variants: Sequence[Variant], rounds: int) -> dict[str, Series]:
    """Run every variant once for warming up, then all of them ``rounds`` times, A B A B.

    Turns spread what else the machine does over all variants; the order is reversed in every other
    round, so that being first is no advantage either.
    """
    for variant in variants:
        run_once(variant)
    series = {variant.name: Series() for variant in variants}
    for number in range(rounds):
        for variant in variants[:: -1 if number % 2 else 1]:
            cpu, wall = run_once(variant)
            series[variant.name].cpu.append(cpu)
            series[variant.name].wall.append(wall)
    return series


def ratio(series: Series, base: Series, clock: str = "cpu") -> float:
    """Return the median of the ratios of runs that stood side by side."""
    pairs = zip(getattr(series, clock), getattr(base, clock), strict=True)
    return statistics.median(own / plain for own, plain in pairs)


def extra(series: Series, base: Series, clock: str = "cpu") -> float:
    """Return the median of the differences of runs that stood side by side, in seconds."""
    pairs = zip(getattr(series, clock), getattr(base, clock), strict=True)
    return statistics.median(own - plain for own, plain in pairs)

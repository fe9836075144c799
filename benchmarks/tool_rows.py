"""The rows about forks and limits: what an empty call and an empty test cost with them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import suites
from measure import LIMIT, Variant, extra, in_turn
from rows import MICRO, OURS, Row, Scale

FORK_BUDGET = 1.5  # times a bare fork, _exit and waitpid
LIMIT_BUDGET = 10  # microseconds per test
_CALLS = 200


def forking(_folder: Path, scale: Scale) -> Iterator[Row]:
    """Forked calls beside bare forks, in a small process and in one with a heap."""
    for heap in (0, scale.heap):
        took = _forks(heap)
        ratio = took["ours"] / took["bare"]
        yield Row(
            f"an empty forked call, {heap} MiB of objects",
            f"{took['bare'] * 1000:.2f} ms",
            f"{took['ours'] * 1000:.2f} ms",
            f"{ratio:.2f} x a bare fork",
            f"{FORK_BUDGET} x",
            ratio <= FORK_BUDGET,
        )


def _forks(heap: int) -> dict[str, float]:
    """Measure in a process of its own, lest the heap be that of the benchmark."""
    script = Path(__file__).with_name("forks.py")
    done = subprocess.run(
        [sys.executable, str(script), str(_CALLS), str(heap)],
        capture_output=True, check=True, timeout=LIMIT,
    )  # fmt: skip
    medians: dict[str, float] = json.loads(done.stdout)
    return medians


def limiting(folder: Path, scale: Scale) -> Iterator[Row]:
    """Tests with a limit, beside the same without one; timeouts.py compares with pytest-timeout."""
    suite = suites.write_empty_tests(folder / "limited", scale.tests)
    variants = [
        Variant("plain", suite, OURS),
        Variant("ours", suite, (*OURS, "--syskit-timeout=60")),
    ]
    series = in_turn(variants, scale.rounds)
    added = extra(series["ours"], series["plain"]) / scale.tests * MICRO
    yield Row(
        f"{scale.tests:,} empty tests with a limit",
        f"{series['plain'].median():.2f} s",
        f"{series['ours'].median():.2f} s",
        f"{added:+.0f} µs per test",
        f"{LIMIT_BUDGET} µs per test",
        added <= LIMIT_BUDGET,
    )

"""Print what watching costs, as a table of budgets: plain pytest against ours, side by side.

Usage::

    python benchmarks/run.py            # 10,000 tests a run; about ten minutes
    python benchmarks/run.py --quick    # small and coarse, about a minute
    python benchmarks/run.py --full     # more rounds, and memory over 100,000 tests
    python benchmarks/run.py --check    # exit status 1 if a budget is missed
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import rows
import tool_rows
from rows import Row, Scale

QUICK = Scale(tests=1_000, rounds=3, starts=5, slow_tests=50, memory_tests=4_000, heap=50)
USUAL = Scale(tests=10_000, rounds=5, starts=15, slow_tests=300, memory_tests=20_000, heap=500)
FULL = Scale(tests=10_000, rounds=9, starts=25, slow_tests=300, memory_tests=100_000, heap=500)
GROUPS = {
    "watching": rows.watching,
    "starting": rows.starting,
    "remembering": rows.remembering,
    "forking": tool_rows.forking,
    "limiting": tool_rows.limiting,
    "comparing": rows.comparing,
}
WIDTHS = (58, 10, 10, 42, 22)


def main() -> int:
    """Measure, print, and return the exit status."""
    wanted = arguments()
    if not importlib.util.find_spec("pytest_syskit"):
        print("install the package first:  python -m pip install .", file=sys.stderr)
        return 2
    print(headline())
    print(line(("what", "plain", "ours", "result", "budget")), "-" * sum(WIDTHS), sep="\n")
    missed = 0
    for row in measured(wanted.only, wanted.scale):
        verdict = {None: "", True: "  met", False: "  MISSED"}[row.met]
        budget = f"{row.budget}{verdict}"
        print(line((row.what, row.plain, row.ours, row.result, budget)), flush=True)
        missed += row.met is False
    print(f"\n{missed} of the budgets were missed" if missed else "\nall budgets are met")
    return 1 if missed and wanted.check else 0


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Print the budget table.")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="scale", action="store_const", const=QUICK, default=USUAL)
    size.add_argument("--full", dest="scale", action="store_const", const=FULL)
    parser.add_argument("--check", action="store_true", help="exit with 1 if a budget is missed")
    parser.add_argument("--only", choices=GROUPS, nargs="+", default=list(GROUPS))
    return parser.parse_args()


def measured(groups: list[str], scale: Scale) -> Iterator[Row]:
    """Yield the rows of the groups as they are measured."""
    with tempfile.TemporaryDirectory(prefix="syskit-bench-") as folder:
        for group in groups:
            yield from GROUPS[group](Path(folder), scale)


def headline() -> str:
    """Say what was measured on; the numbers are medians of runs in turn."""
    return (
        f"pytest {pytest.__version__}, Python {platform.python_version()}, {platform.system()} "
        f"{platform.release()}, {os.cpu_count()} processors; plain and ours run in turn\n"
    )


def line(cells: tuple[str, ...]) -> str:
    """Lay out one line of the table."""
    return "".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


if __name__ == "__main__":
    sys.exit(main())

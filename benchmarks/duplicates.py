"""Compare the duplicate finder of the examples with fdupes and rdfind, side by side on one tree.

Usage::

    python benchmarks/duplicates.py            # 100,000 files, about 1 GB on disk for the while
    python benchmarks/duplicates.py --quick    # 10,000 files
    python benchmarks/duplicates.py --check    # exit status 1 if the budget is missed

The tree is like a home directory: sizes are log-normal (median 2 KiB, up to 1 MiB), three files in
ten are a copy of another one, one in a hundred is a hard link.  All programs only report, take
turns, and read from the page cache, so that what is compared is their work and not the disk.
What rdfind says it found includes the originals.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

OURS = Path(__file__).resolve().parent.parent / "examples" / "filesystem" / "duplicate_files.py"
BUDGET = 2.0  # times the wall clock of either
PER_FOLDER = 100
MEDIAN, SPREAD, LARGEST = 2048, 1.3, 1 << 20  # bytes; the exponent's standard deviation; bytes
COPIES, LINKS = 0.3, 0.01  # share of the files
LIMIT = 600  # seconds: far beyond the slowest run, so that a hang ends with a message


class Took(NamedTuple):
    """What one run took, in seconds, and the duplicates it found."""

    wall: float
    cpu: float
    duplicates: int


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status."""
    wanted = arguments(argv)
    with tempfile.TemporaryDirectory(prefix="syskit-duplicates-", dir=wanted.folder) as folder:
        tree = Path(folder, "tree")
        size = make_tree(tree, wanted.files, random.Random(12))
        print(headline(wanted.files, size))
        times = in_turn(commands(tree), wanted.rounds, Path(folder))
    return report(times, check=wanted.check)


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare duplicate finders.")
    parser.add_argument("--quick", action="store_true", help="10,000 files instead of 100,000")
    parser.add_argument("--files", type=int, help="another number of files")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each (default: %(default)s)")
    parser.add_argument("--folder", help="where to make the tree (default: the temporary folder)")
    parser.add_argument("--check", action="store_true", help="exit with 1 if the budget is missed")
    wanted = parser.parse_args(argv)
    wanted.files = wanted.files or (10_000 if wanted.quick else 100_000)
    return wanted


def make_tree(root: Path, files: int, chance: random.Random) -> int:
    """Fill a directory; returns bytes of content, hard links counted once."""
    made: list[Path] = []
    total = 0
    for number in range(files):
        folder = root / f"{number // (PER_FOLDER * PER_FOLDER)}" / f"{number // PER_FOLDER}"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"file {number}.dat"
        total += make_file(path, made, chance)
        made.append(path)
    return total


def make_file(path: Path, made: Sequence[Path], chance: random.Random) -> int:
    """Make a new file, a copy or a link; returns the bytes it adds."""
    kind = chance.random()
    if made and kind < LINKS:
        os.link(chance.choice(made), path)
        return 0
    if made and kind < LINKS + COPIES:
        shutil.copyfile(chance.choice(made), path)
    else:
        size = min(LARGEST, int(chance.lognormvariate(0, SPREAD) * MEDIAN))
        path.write_bytes(chance.randbytes(size))
    return path.stat().st_size


def commands(tree: Path) -> dict[str, list[str]]:
    """Return how each program is told to report only; what is not installed is left out."""
    known = {
        "ours": [sys.executable, str(OURS), "--threshold", "0", str(tree)],
        "ours, json": [sys.executable, str(OURS), "--json", "--threshold", "0", str(tree)],
        "fdupes": ["fdupes", "-r", "-q", "-n", str(tree)],
        "rdfind": ["rdfind", "-makeresultsfile", "false", str(tree)],
    }
    present = {name: command for name, command in known.items() if shutil.which(command[0])}
    for name in known.keys() - present.keys():
        print(f"{name} is not installed, so it is left out", file=sys.stderr)
    return present


def in_turn(todo: dict[str, list[str]], rounds: int, folder: Path) -> dict[str, list[Took]]:
    """Run all commands once for warming up, then ``rounds`` times, in turn and to and fro."""
    times: dict[str, list[Took]] = {name: [] for name in todo}
    for number in range(rounds + 1):
        for name in list(todo)[:: -1 if number % 2 else 1]:
            took = run(name, todo[name], folder)
            if number:
                times[name].append(took)
    return times


def run(name: str, command: Sequence[str], folder: Path) -> Took:
    """Run one program, and count what it found."""
    begun, before = time.perf_counter(), processor_time()
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
        check=True,
    )
    cpu, wall = processor_time() - before, time.perf_counter() - begun
    return Took(wall, cpu, duplicates(name, done.stdout.decode()))


def processor_time() -> float:
    """Return the seconds of all children that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def duplicates(name: str, output: str) -> int:
    """Count the files that could go, as each program tells it; rdfind adds those that could not."""
    if name == "fdupes":
        return sum(block.count("\n") for block in output.strip().split("\n\n"))
    if name == "rdfind":
        return int(output.partition("It seems like you have ")[2].split()[0])
    if name == "ours, json":
        return int(json.loads(output)["duplicates"])
    return int(output.rpartition("\n\n")[2].partition(" duplicate")[0].replace(",", ""))


def headline(files: int, size: int) -> str:
    """Say what was measured on."""
    return (
        f"{files:,} files, {size / 1e6:,.0f} MB of content; Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()}, {os.cpu_count()} processors\n"
    )


def report(times: dict[str, list[Took]], *, check: bool) -> int:
    """Print medians, and how many times as long ours took as each, run by run side by side."""
    print(f"{'program':12}{'wall':>9}{'cpu':>9}{'wall ratio':>13}{'cpu ratio':>13}{'found':>9}")
    missed = []
    for name, runs in times.items():
        wall, cpu = (
            statistics.median(own / other for own, other in zip(ours, others, strict=True))
            for ours, others in zip(columns(times["ours"]), columns(runs), strict=True)
        )
        seconds = [statistics.median(column) for column in columns(runs)]
        print(
            f"{name:12}{seconds[0]:7.2f} s{seconds[1]:7.2f} s{wall:11.2f} x{cpu:11.2f} x"
            f"{runs[-1].duplicates:9,}"
        )
        if not name.startswith("ours") and wall > BUDGET:
            missed.append(name)
    print(f"\nmore than {BUDGET:g} x of {' and '.join(missed)}" if missed else "\nwithin budget")
    return 1 if missed and check else 0


def columns(runs: Sequence[Took]) -> tuple[list[float], list[float]]:
    """Return the wall clock and the processor time of all runs."""
    return [took.wall for took in runs], [took.cpu for took in runs]


if __name__ == "__main__":
    sys.exit(main())

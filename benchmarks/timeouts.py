"""What a limit costs per test: ours beside pytest-timeout's two methods.

    python benchmarks/timeouts.py [tests] [rounds]

Runs a file of empty tests in several configurations, in turns so that a busy machine slows all of
them alike, and prints each one's median processor time over plain pytest's, per test.  The budget
of a signal_timeout is 10 µs per test with a limit, and nothing without.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_syskit.host.signals.timers import timer_clock
from pytest_syskit.tools.timeouts.time_limit import TimeLimit

ALONE = ["-p", "pytest_syskit.plugin", "--syskit-leaks=off"]
CONFIGURATIONS = {
    "plain": [],
    "syskit, no limit": ALONE,
    "syskit, limit": [*ALONE, "--syskit-timeout=60"],
    "pytest-timeout, loaded": ["-p", "pytest_timeout"],
    "pytest-timeout, signal": ["-p", "pytest_timeout", "--timeout=60"],
    "pytest-timeout, thread": ["-p", "pytest_timeout", "--timeout=60", "--timeout-method=thread"],
}


def seconds(folder: Path, options: list[str]) -> float:
    """Return the processor time of one session, which other load on the machine changes least."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--disable-plugin-autoload",
         "-p", "no:cacheprovider", *options],
        cwd=folder, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def sessions(tests: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        body = "\n".join(f"def test_{number}(): pass" for number in range(tests))
        (folder / "test_empty.py").write_text(body)
        times: dict[str, list[float]] = {label: [] for label in CONFIGURATIONS}
        for _ in range(rounds):
            for label, options in CONFIGURATIONS.items():
                times[label].append(seconds(folder, options))
    plain = statistics.median(times["plain"])
    print(f"{tests} empty tests, median of {rounds} rounds; plain pytest {plain:.3f} s")
    for label, found in times.items():
        median = statistics.median(found)
        extra = (median - plain) / tests * 1e6
        print(
            f"  {label:24} {median:7.3f} s  ratio {median / plain:5.2f}  {extra:+7.1f} µs per test"
        )


def engine(tests: int) -> None:
    """Time what one test needs of the engine: armed once, restarted twice, disarmed."""
    clock = timer_clock("real")
    samples = []
    for _ in range(tests):
        started = time.perf_counter()
        limit = TimeLimit(clock, 60.0, polite=True)
        limit.arm(None)
        limit.rest()
        limit.restart()
        limit.rest()
        limit.restart()
        limit.rest()
        limit.disarm()
        samples.append(time.perf_counter() - started)
    print(f"engine alone, three phases: {statistics.median(samples) * 1e6:.1f} µs per test")


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    engine(count)
    sessions(count, int(sys.argv[2]) if len(sys.argv) > 2 else 7)  # noqa: PLR2004  # by place

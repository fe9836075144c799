"""The rows of the budget table: what each one measures, and what it may cost."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import suites
from measure import FailedRunError, Series, Variant, extra, in_turn, ratio, run_once

OURS = ("-p", "syskit", "--syskit-leaks=warn")
AS_INSTALLED = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": ""}
MICRO = 1e6
MANY = 200  # unrelated processes, and open descriptors: what a busy developer's machine has
# The wall clock also counts what other programs take, which is more than the budget; a plugin that
# waits in every test would still show at this distance.
WALL_SLACK = 0.05
# A scan of 200 processes takes about 2,000 microseconds; below 20 there is no scan, only noise.
NO_GROWTH = 20
# Resident memory moves in steps of this size when the allocator takes a new arena.
MEMORY_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is run.

    Tests a session, rounds of A B, starts, tests for slow tools and for memory; MiB of objects in a
    process that forks.
    """

    tests: int
    rounds: int
    starts: int
    slow_tests: int
    memory_tests: int
    heap: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; ``met`` is ``None`` where there is no budget."""

    what: str
    plain: str
    ours: str
    result: str
    budget: str = ""
    met: bool | None = None


def watching(folder: Path, scale: Scale) -> Iterator[Row]:
    """Empty tests: with processes and fds, with all kinds, among processes, among descriptors."""
    suite = suites.write_empty_tests(folder / "empty", scale.tests)
    plain = Variant("plain", suite, ())
    ours = Variant("ours", suite, OURS)
    every = Variant("all kinds", suite, (*OURS, "--syskit-leak-kinds=all"))
    quiet = in_turn([plain, ours, every], scale.rounds)
    yield _ratio_row(f"{scale.tests:,} empty tests, process + fd", quiet, "ours", 1.05)
    yield _ratio_row(f"{scale.tests:,} empty tests, all kinds", quiet, "all kinds", 1.10)
    with suites.unrelated_processes(MANY):
        busy = in_turn([plain, ours], scale.rounds)
    yield _growth_with_processes(busy, quiet, scale.tests)
    crowded = suites.open_descriptors(
        suites.write_empty_tests(folder / "crowded", scale.tests), MANY
    )
    variants = [Variant("plain", crowded, ()), Variant("ours", crowded, OURS)]
    yield _growth_with_descriptors(in_turn(variants, scale.rounds), quiet, scale.tests)


def _ratio_row(what: str, series: dict[str, Series], name: str, limit: float) -> Row:
    plain, own = series["plain"], series[name]
    cpu, wall = ratio(own, plain), ratio(own, plain, "wall")
    return Row(
        what,
        _seconds(plain),
        _seconds(own),
        f"{cpu:.3f} x cpu, {wall:.3f} x wall",
        f"{limit:.2f} x",
        cpu <= limit and wall <= limit + WALL_SLACK,
    )


def _overhead(series: dict[str, Series], tests: int) -> float:
    """Return what we add to a test, in microseconds of processor time."""
    return extra(series["ours"], series["plain"]) / tests * MICRO


def _growth_with_processes(busy: dict[str, Series], quiet: dict[str, Series], tests: int) -> Row:
    growth = _overhead(busy, tests) - _overhead(quiet, tests)
    return Row(
        f"the same beside {MANY} unrelated processes",
        _seconds(busy["plain"]),
        _seconds(busy["ours"]),
        f"{ratio(busy['ours'], busy['plain']):.3f} x cpu, {growth:+.1f} µs per test",
        "no growth",
        growth <= NO_GROWTH,
    )


def _growth_with_descriptors(
    crowded: dict[str, Series], quiet: dict[str, Series], tests: int
) -> Row:
    each = (_overhead(crowded, tests) - _overhead(quiet, tests)) / MANY
    return Row(
        f"the same with {MANY} descriptors open",
        _seconds(crowded["plain"]),
        _seconds(crowded["ours"]),
        f"{ratio(crowded['ours'], crowded['plain']):.3f} x cpu, {each:+.3f} µs per fd and test",
        "1 µs per fd and test",
        each <= 1,
    )


def starting(folder: Path, scale: Scale) -> Iterator[Row]:
    """Starting pytest: its version, and a run without tests.

    Both find their plugins as users' runs do, so that the search is not counted as ours.
    """
    suite = suites.write_empty_tests(folder / "nothing", 0)
    for what, arguments in (("pytest --version", ("--version",)), ("an empty run", ())):
        plain = Variant("plain", suite, ("-p", "no:syskit", *arguments), AS_INSTALLED)
        ours = Variant("ours", suite, arguments, AS_INSTALLED)
        series = in_turn([plain, ours], scale.starts)
        cpu, wall = (extra(series["ours"], series["plain"], c) * 1000 for c in ("cpu", "wall"))
        yield Row(
            f"start-up: {what}",
            _milliseconds(series["plain"]),
            _milliseconds(series["ours"]),
            f"{cpu:+.1f} ms cpu, {wall:+.1f} ms wall",
            "15 ms",
            cpu <= 15,  # noqa: PLR2004  # the budget itself; the wall clock counts our neighbours too
        )


def remembering(folder: Path, scale: Scale) -> Iterator[Row]:
    """Memory: what a long session gains, where pytest's own reports are kept in both."""
    total = scale.memory_tests
    suite = suites.record_memory(suites.write_empty_tests(folder / "long", total), total)
    grown = {}
    for name, arguments in (("plain", ()), ("ours", OURS)):
        note = folder / f"memory-{name}.json"
        run_once(Variant(name, suite, arguments, {"MEMORY_FILE": str(note)}))
        seen = json.loads(note.read_text())
        grown[name] = seen["late"] - seen["early"]
    gained = grown["ours"] - grown["plain"]
    yield Row(
        f"memory gained over {total * 3 // 4:,} tests",
        f"{grown['plain'] / MEMORY_STEP:.1f} MiB",
        f"{grown['ours'] / MEMORY_STEP:.1f} MiB",
        f"{gained / MEMORY_STEP:+.2f} MiB over plain",
        "no growth",
        gained <= MEMORY_STEP,
    )


def comparing(folder: Path, scale: Scale) -> Iterator[Row]:
    """Other ways to notice what tests leave, and to fork them: what each adds to one test."""
    tests = scale.slow_tests
    suite = suites.write_empty_tests(folder / "few", tests)
    listing = suites.list_children_with_psutil(suites.write_empty_tests(folder / "psutil", tests))
    plain = Variant("plain", suite, ())
    others = {
        "pytest-syskit, process + fd": Variant("other", suite, OURS),
        "a conftest that asks psutil for children": Variant("other", listing, ()),
        f"pytest-openfiles {_version('pytest-openfiles')}": Variant(
            "other", suite, ("-p", "pytest_openfiles.plugin", "--open-files")
        ),
        "pytest --lsof": Variant("other", suite, ("-p", "pytester", "--lsof")),
        "pytest-syskit --syskit-fork": Variant("other", suite, (*OURS, "--syskit-fork")),
        f"pytest-forked {_version('pytest-forked')}": Variant(
            "other", suite, ("-p", "pytest_forked", "--forked")
        ),
    }
    for what, variant in others.items():
        yield _comparison(what, plain, variant, tests)


def _comparison(what: str, plain: Variant, other: Variant, tests: int) -> Row:
    label = f"{tests} empty tests: {what}"
    if lack := _lack(what):
        return Row(label, "", "", lack)
    try:
        series = in_turn([plain, other], 3)  # the slow ones take half a minute a round
    except FailedRunError as error:
        return Row(label, "", "", f"does not run on this pytest: {_last_line(error)}")
    added = extra(series["other"], series["plain"], "wall") / tests * MICRO
    share = ratio(series["other"], series["plain"], "wall")
    return Row(
        label,
        _seconds(series["plain"], "wall"),
        _seconds(series["other"], "wall"),
        f"{share:.2f} x wall, {added:+,.0f} µs per test",
    )


def _lack(what: str) -> str:
    if "openfiles" in what and not importlib.util.find_spec("pytest_openfiles"):
        return "not installed (pip install pytest-openfiles)"
    if "forked" in what and not importlib.util.find_spec("pytest_forked"):
        return "not installed (pip install pytest-forked; runs on pytest 9.1.1 and older)"
    if "lsof" in what and not shutil.which("lsof"):
        return "there is no lsof here"
    return ""


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _last_line(error: FailedRunError) -> str:
    return str(error).strip().splitlines()[-1]


def _seconds(series: Series, clock: str = "cpu") -> str:
    return f"{series.median(clock):.2f} s"


def _milliseconds(series: Series) -> str:
    return f"{series.median('wall') * 1000:.0f} ms"

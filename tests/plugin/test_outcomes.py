"""The table: bad test → what it must become, in off, warn and fail, serially and under xdist."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from inner_run import recorded, run_pytest, start_recording


class Row(NamedTuple):
    """What a test becomes without us, where its leak is booked, and whether ``fail`` makes it an error.

    ``owner`` is the last part of the owner's id; ``error`` the modes in which the owner gets an error.
    """

    test: str
    outcome: str
    kind: str | None = None
    phase: str | None = None
    owner: str | None = None
    error: tuple[str, ...] = ("fail",)
    verdict: str = "leak"
    reported: tuple[str, ...] = ("warn", "fail")


TABLE = [
    Row("test_clean", "passed"),
    Row("test_cycle", "passed"),
    Row("test_fixture_value_dies_with_the_test", "passed"),
    Row("test_module_value_dies_with_its_fixture", "passed"),
    Row("test_what_a_wide_fixture_holds_is_its_own", "passed"),
    Row("test_waited", "passed"),
    Row("test_orphan_that_ends", "passed"),
    Row("test_values_are_put_back", "passed"),
    Row("TestWithinMovedClass::test_values_of_a_wide_fixture_are_put_back", "passed"),
    Row("test_joined_thread", "passed"),
    Row("test_skipped", "skipped"),
    Row("test_descriptor", "passed", "fd", "call"),
    Row("test_zombie", "passed", "process", "call"),
    Row("test_running", "passed", "process", "call"),
    Row("test_thread", "passed", "thread", "call"),
    Row("test_directory", "passed", "cwd", "call"),
    Row("test_umask", "passed", "umask", "call"),
    Row("test_variable", "passed", "env", "call"),
    Row("test_handler", "passed", "signal", "call"),
    Row("test_timer", "passed", "timer", "call"),
    Row(
        "TestWithinLeakingClass::test_uses_class_fixture",
        "passed",
        "env",
        "setup",
        "leaking_class_fixture",
    ),
    Row("test_fails_and_leaves_a_variable", "failed", "env", "call", error=()),
    Row("test_skips_after_leaking", "skipped", "fd", "call"),
    Row("test_function_fixture", "passed", "fd", "setup"),
    Row("test_leaks_in_teardown", "passed", "fd", "teardown"),
    Row("test_uses_module_fixture", "passed", "fd", "setup", "leaking_module_fixture"),
    Row("test_uses_failing_fixture", "error", "fd", "setup", "failing_fixture"),
    Row("TestCase::test_in_set_up", "passed", "fd", "call"),
    Row("TestCase::test_in_set_up", "passed", "fd", "setup", "setUpClass"),
    Row("test_fails", "failed", "fd", "call", error=()),
    Row("test_fails_and_only_its_traceback_holds_a_file", "failed"),
    Row("test_xfails", "xfailed", "fd", "call", error=()),
    Row("test_fails_in_teardown", "error", "fd", "teardown", error=()),
    Row("test_allowed", "passed", "fd", "call", error=(), verdict="allowed"),
    Row("test_allowed_another_kind", "passed", "fd", "call"),
    Row("test_policy_off", "passed"),
    Row(
        "test_policy_fail",
        "passed",
        "fd",
        "call",
        error=("off", "warn", "fail"),
        reported=("off", "warn", "fail"),
    ),
    Row("test_policy_warn", "passed", "fd", "call", error=(), reported=("off", "warn", "fail")),
    Row("test_ignored", "passed"),
]


class Run(NamedTuple):
    mode: str
    outcomes: dict[str, list[tuple[str, str]]]
    report: dict
    output: str
    status: int

    def leaks(self, owner: str) -> list[dict]:
        return [
            x
            for x in self.report["leaks"]
            if x["owner"]["id"].rpartition("test_bad.py::")[2] == owner
        ]


@pytest.fixture(
    scope="module",
    params=[(mode, n) for n in (0, 2) for mode in ("off", "warn", "fail")],
    ids=lambda p: f"{p[0]}-{'xdist' if p[1] else 'serial'}",
)
def run(request, tmp_path_factory) -> Run:
    mode, workers = request.param
    folder = tmp_path_factory.mktemp("outcomes")
    shutil.copy(Path(__file__).with_name("bad_tests.py"), folder / "test_bad.py")
    start_recording(folder)
    (folder / "pytest.ini").write_text(
        "[pytest]\nsyskit_leak_ignore =\n    fd:/dev/null  # meant\n"
    )
    report = folder / "report.json"
    arguments = [f"--syskit-leaks={mode}"]
    arguments += ["--syskit-leak-kinds=all", "--syskit-restore=leaked"]
    arguments += ["--syskit-reap=leaked", f"--syskit-report={report}", "-W", "ignore"]
    arguments += ["-p", "xdist", f"-n{workers}"] if workers else []
    status, output = run_pytest(folder, arguments)
    outcomes = {
        test: [(phase, became) for phase, became, _ in told]
        for test, told in recorded(folder).items()
    }
    return Run(mode, outcomes, json.loads(report.read_text()), output, status)


def outcome(reports: list[tuple[str, str]]) -> str:
    """Say what a test became, the error of its teardown aside."""
    phases = dict(reports)
    if phases["setup"] != "passed":
        return {"failed": "error"}.get(phases["setup"], phases["setup"])
    return phases["call"]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.test}-{row.owner or 'test'}")
def test_a_bad_test_becomes_what_the_table_says(run, row):
    reports = run.outcomes[row.test]
    became = outcome(reports)
    teardown = dict(reports)["teardown"]
    blamed = row.owner is None and row.kind is not None and run.mode in row.error
    if row.outcome == "error" and became == "passed":
        assert teardown == "failed"  # its own teardown failed, with or without a leak
    else:
        assert became == row.outcome
        own_leaks = [
            r
            for r in TABLE
            if r.test == row.test and r.owner is None and run.mode in r.error and r.kind
        ]
        assert (teardown == "failed") == bool(blamed or own_leaks), run.output
    owner = row.owner or row.test
    leaks = run.leaks(owner)
    if row.kind is None or run.mode not in row.reported:
        assert leaks == []
    else:
        assert [(x["kind"], x["phase"], x["verdict"]) for x in leaks] == [
            (row.kind, row.phase, row.verdict)
        ]


def test_an_error_of_a_fixture_has_its_own_report(run):
    expected = (
        {"failing_fixture", "leaking_class_fixture", "leaking_module_fixture", "setUpClass"}
        if run.mode == "fail"
        else set()
    )
    tests = {row.test for row in TABLE}
    assert set(run.outcomes) - tests == expected


def test_the_exit_status_tells_of_failures(run):
    assert run.status == 1


def test_nothing_else_is_reported(run):
    known = {row.owner or row.test for row in TABLE if row.kind}
    assert {x["owner"]["id"].rpartition("test_bad.py::")[2] for x in run.report["leaks"]} <= known


def test_unused_allowances_and_rules_are_told(run):
    unused = [x["owner"]["id"].rpartition("::")[2] for x in run.report["unused_allowances"]]
    assert unused == ([] if run.mode == "off" else ["test_allowed_another_kind"])
    assert run.report["stale_rules"] == []


def test_every_test_that_is_not_off_is_counted_as_checked(run):
    tests = {row.test for row in TABLE}
    assert run.report["tests_checked"] == (2 if run.mode == "off" else len(tests) - 1)

"""The table of forked tests: what each becomes, and what its report tells, serially and under xdist."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import forked_bad_tests
import pytest
from inner_run import recorded, run_pytest, start_recording

ESCAPED = "1 forked child escaped from the test"
PASSED = ("passed", "passed", "passed")


class Row(NamedTuple):
    """What set-up, call and teardown become (``None``: no such report), and words of the failure."""

    test: str
    phases: tuple[str | None, str | None, str | None]
    told: str = ""


def crash(name):
    return Row(f"test_crashes[{name}]", ("passed", "failed", "passed"), f"was killed by {name}")


def escapes(test, told=ESCAPED):
    return Row(test, ("passed", "passed", "failed"), told)


TABLE = [
    Row("test_passes", PASSED),
    Row("test_fails", ("passed", "failed", "passed"), "assert [1] == [2]"),
    Row("test_skips", ("passed", "skipped", "passed"), "the reason"),
    Row("test_is_skipped", ("skipped", None, "passed"), "marked"),
    Row("test_xfails", ("passed", "xfailed", "passed"), "as known"),
    Row("test_xpasses", ("passed", "xfailed", "passed")),  # the recorder's word for wasxfail
    Row("test_xpasses_strictly", ("passed", "failed", "passed"), "[XPASS(strict)]"),
    Row("test_set_up_fails", ("failed", None, "passed"), "RuntimeError: broken set-up"),
    Row("test_teardown_fails", ("passed", "passed", "failed"), "RuntimeError: broken teardown"),
    Row("test_call_and_teardown_fail", ("passed", "failed", "failed"), "broken call"),
    *[crash(name) for name in forked_bad_tests.DEADLY],
    # The reports of a child come home together, when it has ended.
    Row("test_crashes_in_teardown", ("passed", "failed", "passed"), "was killed by SIGKILL"),
    Row("test_exits[0]", ("passed", "failed", "passed"), "exited with status 0"),
    Row("test_exits[3]", ("passed", "failed", "passed"), "exited with status 3"),
    Row("test_raises_system_exit", ("passed", "failed", "passed"), "SystemExit: 3"),
    Row("test_does_not_end", ("passed", "failed", "passed"), "did not end within 0.5 seconds"),
    Row("test_says_much", ("passed", "failed", "passed"), "after much output"),
    Row("test_raises_what_cannot_be_pickled", ("passed", "failed", "passed"), "with a lock"),
    Row("test_compares_what_cannot_be_pickled", ("passed", "failed", "passed"), "== 'no lock'"),
    escapes("test_child_returns"),
    escapes("test_child_raises"),
    escapes("test_child_fails_an_assertion"),
    escapes("test_child_raises_system_exit"),
    escapes("test_child_skips"),
    escapes("test_child_is_interrupted"),
    escapes("test_child_comes_out_of_set_up"),
    escapes("test_child_comes_out_of_teardown"),
    escapes("test_leaves_a_zombie", "left 1 process behind"),
    escapes("test_leaves_a_pipe", "left 2 file descriptors behind"),
]


class Run(NamedTuple):
    told: dict[str, list[tuple[str, str, str]]]
    report: dict
    output: str
    status: int


@pytest.fixture(scope="module", params=[0, 2], ids=["serial", "xdist"])
def run(request, tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("forked")
    shutil.copy(Path(forked_bad_tests.__file__), folder / "test_bad.py")
    start_recording(folder)
    (folder / "pytest.ini").write_text("[pytest]\n")
    arguments = ["--syskit-fork", "--syskit-leaks=fail", "--syskit-reap=leaked"]
    arguments += ["--syskit-report=report.json"]
    arguments += ["-p", "xdist", f"-n{request.param}"] if request.param else []
    status, output = run_pytest(folder, arguments)
    return Run(recorded(folder), json.loads((folder / "report.json").read_text()), output, status)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.test)
def test_a_forked_test_becomes_what_the_table_says(run, row):
    became = {phase: outcome for phase, outcome, _ in run.told[row.test]}
    assert tuple(map(became.get, ("setup", "call", "teardown"))) == row.phases
    assert row.told in "\n".join(text for *_, text in run.told[row.test])


def test_each_phase_is_reported_once(run):
    for told in run.told.values():
        phases = [phase for phase, *_ in told]
        assert len(phases) == len(set(phases))


def test_every_test_of_the_file_has_its_row(run):
    assert set(run.told) == {row.test for row in TABLE}


def test_every_escape_is_on_record(run):
    escaped = {x["owner"]["id"].rpartition("::")[2] for x in run.report["escaped_children"]}
    assert escaped == {row.test for row in TABLE if row.told == ESCAPED}


def test_the_run_goes_on_to_its_end(run):
    assert run.status == pytest.ExitCode.TESTS_FAILED

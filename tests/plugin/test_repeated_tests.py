"""``--syskit-repeat``: what a repeated test becomes, and how often it is said to have left something."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import NamedTuple

import pytest

from pytest_syskit.hooks.options import OPTIONS

# Workers of an inner pytest-xdist run end a moment after their controller, as orphans.
pytestmark = pytest.mark.leak_policy("fail", grace=5)

HEAD = """
import functools, os, subprocess, unittest
import pytest

KEPT = []
def leak(path="/dev/zero"): KEPT.append(os.open(path, os.O_RDONLY))
@functools.cache
def cached(name): leak()

@pytest.fixture(scope="session", autouse=True)
def _ended():
    yield
    for child in [each for each in KEPT if isinstance(each, subprocess.Popen)]:
        child.kill()
        child.wait()
"""

BAD = (
    HEAD
    + """
def test_clean(): pass
def test_every(): leak()
def test_first(): cached("first")
def test_both(): leak(); cached("both")
def test_second_only():
    KEPT.append("second")
    if KEPT.count("second") == 2: leak()
def test_process(): KEPT.append(subprocess.Popen(["sleep", "20"]))

@pytest.fixture
def function_fixture(): leak()
def test_function_fixture(function_fixture): pass

@pytest.fixture(scope="module")
def wide():
    leak()
    KEPT.append("wide")
def test_wide(wide): assert KEPT.count("wide") == 1

class TestClass:
    def test_gets_a_new_self(self):
        assert not hasattr(self, "used")
        self.used = True
        cached("class")

class TestCase(unittest.TestCase):
    def setUp(self): leak()
    def test_unittest(self):
        assert not hasattr(self, "used")
        self.used = True

@pytest.mark.run_in_fork
def test_in_fork(): leak(); cached("fork")

def test_fails_third():
    KEPT.append("fails")
    assert KEPT.count("fails") < 3
def test_skips_second():
    KEPT.append("skips")
    if KEPT.count("skips") == 2: pytest.skip("enough")
@pytest.mark.xfail(strict=True)
def test_xfails(): assert False
@pytest.fixture
def failing_teardown():
    yield
    KEPT.append("teardown")
    assert KEPT.count("teardown") < 2
def test_fails_in_teardown(failing_teardown): pass

@pytest.mark.allow_leaks("fd", reason="meant")
def test_allowed(): cached("allowed")
@pytest.mark.allow_leaks("process", reason="unused")
def test_allowed_another(): pass
@pytest.mark.leak_policy("fail")
def test_policy_fail(): cached("policy")
@pytest.mark.leak_policy("off")
def test_policy_off(): leak()
def test_last(): pass
"""
)


class Row(NamedTuple):
    """What a test becomes with three runs: outcome, how often it left what, and when that is an error."""

    test: str
    outcome: str = "passed"
    left: tuple[str, ...] = ()
    error: tuple[str, ...] = ("fail",)
    reported: tuple[str, ...] = ("warn", "fail")


EVERY, FIRST = "every time (3 of 3)", "the first time only (1 of 3)"
TABLE = [
    Row("test_clean"),
    Row("test_every", left=(EVERY,)),
    Row("test_first", left=(FIRST,)),
    Row("test_both", left=(EVERY, FIRST)),
    Row("test_second_only", left=("sometimes (1 of 3)",)),
    Row("test_process", left=(EVERY,)),
    Row("test_function_fixture", left=(EVERY,)),
    Row("test_wide"),
    Row("TestClass::test_gets_a_new_self", left=(FIRST,)),
    Row("TestCase::test_unittest", left=(EVERY,)),
    Row("test_in_fork", left=(EVERY, FIRST)),
    Row("test_fails_third", "failed"),
    Row("test_skips_second", "skipped"),
    Row("test_xfails", "xfailed"),
    Row("test_fails_in_teardown", "error"),
    Row("test_allowed", left=(FIRST,), error=()),
    Row("test_allowed_another"),
    Row("test_policy_fail", left=(FIRST,), error=("off", "warn", "fail"), reported=("off", "warn", "fail")),
    Row("test_policy_off"),
    Row("test_last"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "250")


@pytest.fixture
def run(pytester):
    def run(body, *arguments):
        (pytester.path / "test_bad.py").write_text(body)
        fixed = ("-p", "no:cacheprovider", "-p", "syskit", "-W", "ignore", "--syskit-reap=leaked")
        return pytester.runpytest_subprocess(*fixed, *arguments)

    return run


def told(report, owner):
    words = {"every": "every time", "first": "the first time only", "some": "sometimes"}
    leaks = [x for x in report["leaks"] if x["owner"]["id"].rpartition("test_bad.py::")[2] == owner]
    times = [leak["repeats"] for leak in leaks]
    return sorted(f"{words[x['when']]} ({len(x['runs'])} of {x['of']})" for x in times)


@pytest.mark.parametrize("workers", [0, 2], ids=["serial", "xdist"])
@pytest.mark.parametrize("mode", ["off", "warn", "fail"])
def test_a_repeated_test_becomes_what_the_table_says(run, pytester, mode, workers):
    xdist = ["-p", "xdist", f"-n{workers}"] if workers else []
    files = ["--syskit-report=x.json", "--junitxml=x.xml"]
    result = run(BAD, f"--syskit-leaks={mode}", "--syskit-repeat=3", *xdist, *files)
    report = json.loads((pytester.path / "x.json").read_text())
    errors = [row for row in TABLE if mode in row.error and row.left]
    extra = 1 + (mode == "fail")  # test_fails_in_teardown, and the fixture
    result.assert_outcomes(passed=17, failed=1, skipped=1, xfailed=1, errors=len(errors) + extra)
    cases = {c.get("name"): c for c in ET.parse(pytester.path / "x.xml").iter("testcase")}
    for row in TABLE:
        wanted = sorted(row.left) if mode in row.reported else []
        assert told(report, row.test) == wanted, row
        case = cases[row.test.rpartition("::")[2]]
        tags = {child.tag for child in case} - {"properties", "system-out", "system-err"}
        outcome = {"failed": {"failure"}, "skipped": {"skipped"}, "xfailed": {"skipped"}}
        errs = row.outcome == "error" or row in errors
        assert tags == outcome.get(row.outcome, set()) | ({"error"} if errs else set()), row
    wide = [x for x in report["leaks"] if x["owner"]["id"] == "wide"]
    assert len(wide) == (mode != "off")
    assert all("repeats" not in x for x in wide)
    unused = [x["owner"]["id"].rpartition("::")[2] for x in report["unused_allowances"]]
    assert unused == ([] if mode == "off" else ["test_allowed_another"])
    assert report["tests_checked"] == (1 if mode == "off" else len(TABLE) - 1)
    assert report["not_checked"] == []


def test_the_terminal_says_how_often_and_what_to_do(run):
    result = run(HEAD + "def test_a(): leak(); cached('a')\n", "--syskit-repeat=5")
    result.stdout.fnmatch_lines(
        [
            "syskit: *, each test 5 times",
            "*::test_a left 2 file descriptors behind",
            "  fd * /dev/zero (read)  every time (5 of 5)",
            "  fd * /dev/zero (read)  the first time only (1 of 5)",
            "  close it in the test, or mark it *",
            "  what comes the first time only (1 file descriptor) is the cost of a first use: *",
        ]
    )


def test_a_test_is_one_test_however_often_it_runs(run):
    result = run(HEAD + "def test_a(): KEPT.append(1)\ndef test_b(): assert len(KEPT) == 4\n",
                 "--syskit-repeat=4", "-v")  # fmt: skip
    result.assert_outcomes(passed=2)
    assert len([line for line in result.outlines if "::test_a" in line]) == 1


def test_the_first_run_that_fails_is_the_last_and_says_which_it_was(run):
    body = (
        HEAD
        + """
def test_a():
    KEPT.append(1)
    print("run", len(KEPT))
    assert len(KEPT) < 3
def test_b(): assert len(KEPT) == 3
"""
    )
    result = run(body, "--syskit-repeat=5")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*test_a*", "run 3", "*syskit: repeated*", "this was run 3 of 5"])
    result.stdout.no_fnmatch_line("run 2")


def test_x_stops_after_the_run_that_fails(run, pytester):
    body = (
        HEAD
        + """
def test_a():
    KEPT.append(1)
    open("runs", "a").write("x")
    assert len(KEPT) < 2
def test_b(): open("runs", "a").write("b")
"""
    )
    result = run(body, "--syskit-repeat=5", "-x")
    result.assert_outcomes(failed=1)
    assert (pytester.path / "runs").read_text() == "xx"


def test_what_is_wider_than_a_failed_test_is_torn_down_in_time(run):
    body = (
        HEAD
        + """
@pytest.fixture(scope="class")
def wide():
    KEPT.append("open")
    os.open("/dev/zero", os.O_RDONLY)
    yield
    KEPT.append("closed")
class TestA:
    def test_a(self, wide): assert False
def test_b(): assert KEPT == ["open", "closed"]
"""
    )
    result = run(body, "--syskit-repeat=3")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["fixture wide (class, *) left 1 file descriptor behind"])


MADE = """
@pytest.fixture(scope="{0}")
def {0}_wide():
    KEPT.append("{0}")
    yield
    KEPT.append("-{0}")
"""


def test_function_fixtures_are_made_anew_and_wider_ones_are_not(run):
    made = "".join(map(MADE.format, ("session", "module", "class", "function")))
    body = """
PATHS = set()
class TestA:
    def test_a(self, session_wide, module_wide, class_wide, function_wide, tmp_path):
        PATHS.add(tmp_path)
def test_b():
    assert len(PATHS) == 3
    assert KEPT == ["session", "module", "class", *["function", "-function"] * 3, "-class"]
"""
    run(HEAD + made + body, "--syskit-repeat=3").assert_outcomes(passed=2)


def test_properties_and_output_are_those_of_one_run(run, pytester):
    body = HEAD + "def test_a(record_property):\n    record_property('key', 1)\n    print('said')\n"
    run(body, "--syskit-repeat=3", "--junitxml=x.xml", "-o", "junit_logging=all")
    case = next(ET.parse(pytester.path / "x.xml").iter("testcase"))
    assert [p.get("name") for p in case.iter("property")] == ["key"]
    assert case.find("system-out").text.count("said") == 1


def test_durations_are_those_of_all_runs(run, pytester):
    body = HEAD + "import time\ndef test_a(): time.sleep(0.1)\n"
    run(body, "--syskit-repeat=3", "--junitxml=x.xml")
    assert float(next(ET.parse(pytester.path / "x.xml").iter("testcase")).get("time")) >= 0.3


def test_a_limit_of_a_forked_test_is_that_of_one_run(run):
    body = (
        HEAD + "import time\n@pytest.mark.run_in_fork(timeout=2)\ndef test_a(): time.sleep(0.9)\n"
    )
    run(body, "--syskit-repeat=3").assert_outcomes(passed=1)


def test_each_run_has_its_own_signal_timeout(run):
    body = (
        HEAD
        + """
import time
@pytest.mark.signal_timeout(1)
def test_a():
    KEPT.append(1)
    time.sleep(0.5 if len(KEPT) < 3 else 5)
"""
    )
    result = run(body, "--syskit-repeat=3")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*took longer than 1 s*", "this was run 3 of 3"])


def test_a_child_that_escapes_ends_the_runs(run):
    body = (
        HEAD
        + """
def test_a():
    KEPT.append(1)
    if len(KEPT) == 2 and os.fork() == 0: return
def test_b(): assert len(KEPT) == 2
"""
    )
    result = run(body, "--syskit-repeat=4")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*1 forked child escaped from the test*"])


def test_an_interrupted_test_tells_what_its_runs_left(run, pytester):
    body = (
        HEAD
        + """
def test_a():
    leak()
    KEPT.append("a")
    if KEPT.count("a") == 3: raise KeyboardInterrupt
"""
    )
    result = run(body, "--syskit-repeat=5", "--syskit-report=x.json")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    report = json.loads((pytester.path / "x.json").read_text())
    assert told(report, "test_a") == ["sometimes (2 of 3)"]


def test_what_an_item_leaves_that_runs_once_is_told_all_the_same(run, pytester):
    (pytester.path / "test_doc.txt").write_text(">>> import os; fd = os.open('.', os.O_RDONLY)\n")
    result = run("def test_a(): pass", "--syskit-repeat=3")
    result.stdout.fnmatch_lines(["test_doc.txt::test_doc.txt left 1 file descriptor behind"])


def test_what_can_never_be_checked_is_told_once(run, pytester):
    pytester.makeconftest(
        """
from pytest_syskit import NotObservable

class Blind:
    kind = "mist"
    def snapshot(self):
        raise NotObservable("it is foggy")

def pytest_syskit_detectors(config):
    return [Blind()]
"""
    )
    run("def test_a(): pass", "--syskit-repeat=3", "--syskit-report=x.json")
    (missed,) = json.loads((pytester.path / "x.json").read_text())["not_checked"]
    assert missed["reason"] == "mist: it is foggy"


def test_items_that_are_no_functions_run_once(run, pytester):
    (pytester.path / "test_doc.txt").write_text(">>> len(open('runs', 'a').write('x') * 'y')\n1\n")
    run("def test_a(): pass", "--syskit-repeat=3").assert_outcomes(passed=2)
    assert (pytester.path / "runs").read_text() == "x"


def test_with_leaks_off_tests_are_repeated_all_the_same(run):
    body = HEAD + "def test_a(): KEPT.append(1)\ndef test_b(): assert len(KEPT) == 3\n"
    run(body, "--syskit-repeat=3", "--syskit-leaks=off").assert_outcomes(passed=2)


def test_a_baseline_counts_for_one_run(run, pytester):
    body = HEAD + "def test_a(): leak(); cached('a')\n"
    known = ("--syskit-baseline=known.txt", "--syskit-leaks=fail")
    run(body, *known, "--syskit-baseline-write")
    text = (pytester.path / "known.txt").read_text()
    assert "    2 fd  device  /dev/zero (read)\n" in text
    result = run(body, *known, "--syskit-repeat=3")
    assert result.ret == 0
    run(body, *known, "--syskit-repeat=3", "--syskit-baseline-write")
    assert (pytester.path / "known.txt").read_text() == text
    worse = body.replace("leak();", "leak(); cached('b');")
    result = run(worse, *known, "--syskit-repeat=3")
    result.stdout.fnmatch_lines(
        ["*left 1 file descriptor behind", "*the first time only (1 of 3)*"]
    )


def test_once_is_the_default_and_changes_nothing(run):
    body = HEAD + "def test_a(): leak()\ndef test_b(): assert len(KEPT) == 1\n"
    result = run(body, "--syskit-repeat=1")
    result.assert_outcomes(passed=2)
    result.stdout.no_fnmatch_line("*of 1)*")


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "often", ""])
def test_a_number_below_one_is_a_usage_error(run, value):
    result = run("", f"--syskit-repeat={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--syskit-repeat='{value}'*takes a whole number, 1 or more*"])


def test_the_ini_file_may_set_it(run, pytester):
    pytester.makeini("[pytest]\nsyskit_repeat = 3")
    run(
        HEAD + "def test_a(): KEPT.append(1)\ndef test_b(): assert len(KEPT) == 3\n"
    ).assert_outcomes(passed=2)
    pytester.makeini("[pytest]\nsyskit_repeat = x")
    result = run("")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*syskit_repeat*"])

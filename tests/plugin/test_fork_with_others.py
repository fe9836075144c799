"""Forked tests beside other plugins, and beside the parts of pytest that need care with them."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest


@pytest.fixture
def forked(pytester, monkeypatch):
    """Run tests in forked children, with our plugin and those that are named."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "250")

    def run(body, *arguments, plugins=(), fork=True):
        for name in plugins:
            pytest.importorskip(name)
        pytester.makepyfile(test_it=body)
        named = [word for name in plugins for word in ("-p", name)]
        ours = ["-p", "no:cacheprovider", "-p", "syskit"] + ["--syskit-fork"] * fork
        return pytester.runpytest_subprocess(*ours, *named, *arguments)

    return run


def lines(path):
    return path.read_text().splitlines()


# Hypothesis


HYPOTHESIS = """
from hypothesis import given, settings, strategies as st
import pytest

@given(st.integers())
def test_holds(n): assert n == n

@given(st.integers())
def test_fails(n): assert n < 42

@pytest.mark.run_in_fork
@given(st.lists(st.booleans()))
def test_is_marked(values): assert isinstance(values, list)
"""


@pytest.mark.parametrize("fork", [True, False])
def test_hypothesis_runs_and_shows_its_example(forked, fork):
    result = forked(HYPOTHESIS, plugins=["_hypothesis_pytestplugin"], fork=fork)
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E *assert 42 < 42*", "E *: test_fails(*", "E *n=42,*"])  # fmt: skip
    result.stdout.no_fnmatch_line("*FailedHealthCheck*")
    result.stdout.no_fnmatch_line("*DeadlineExceeded*")


def test_hypothesis_keeps_a_failing_example_for_the_next_run(forked, pytester):
    body = """
from hypothesis import given, settings, strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase
seen = []

@settings(database=DirectoryBasedExampleDatabase("kept"))  # where CI runs there is none
@given(st.integers())
def test_fails(n): seen.append(n); assert n < 1000, f"first was {seen[0]}"
"""
    plugins = ["_hypothesis_pytestplugin"]
    forked(body, plugins=plugins).stdout.fnmatch_lines(["*first was 0*"])
    assert list((pytester.path / "kept").iterdir())
    again = forked(body, plugins=plugins)
    again.stdout.fnmatch_lines(["*AssertionError: first was 1000"])


# pytest-asyncio


def test_asyncio_runs_in_the_child_with_its_fixtures(forked):
    body = """
import asyncio, os
import pytest, pytest_asyncio

parent = os.getpid()

@pytest_asyncio.fixture
async def value():
    await asyncio.sleep(0)
    yield os.getpid()
    await asyncio.sleep(0)

@pytest.mark.asyncio
async def test_passes(value): assert value == os.getpid() != parent

@pytest.mark.asyncio
async def test_fails(): await asyncio.sleep(0); assert "spam" == "eggs"

@pytest.mark.asyncio
async def test_starts_a_program():
    process = await asyncio.create_subprocess_exec("echo", "ham", stdout=asyncio.subprocess.PIPE)
    assert await process.communicate() == (b"ham\\n", None)
"""
    settings = ["-o", "asyncio_default_fixture_loop_scope=function", "--syskit-leaks=fail"]
    result = forked(body, *settings, plugins=["pytest_asyncio.plugin"])
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E *'spam' == 'eggs'*"])


# pytest-rerunfailures


RERUNS = """
import os
import pytest

@pytest.fixture(scope="module")
def wide():
    print(f"up {os.getpid()}", file=open("wide.log", "a"))
    yield
    print(f"down {os.getpid()}", file=open("wide.log", "a"))

def attempt(name):
    print(os.getpid(), file=open(name, "a"))
    return len(open(name).readlines())

kept = []

@MARK
def test_third_time(wide):
    kept.append(1)
    assert kept == [1], "an attempt sees what another left"
    assert attempt("third") == 3

@MARK
def test_never(): print("said"); assert attempt("never") < 0

@MARK
def test_crashes_once():
    if attempt("crash") == 1: os.kill(os.getpid(), 9)

@MARK
def test_at_once(): attempt("once")
"""


@pytest.mark.parametrize("fork", [True, False])
def test_each_attempt_has_a_child_of_its_own(forked, pytester, fork):
    mark = "pytest.mark.skipif(False, reason='')" if fork else "pytest.mark.run_in_fork"
    result = forked(
        RERUNS.replace("MARK", mark), "--reruns=2", "-rR",
        plugins=["pytest_rerunfailures"], fork=fork,
    )  # fmt: skip
    assert result.parseoutcomes() == {"passed": 3, "failed": 1, "rerun": 5}
    for name, attempts in {"third": 3, "never": 3, "crash": 2, "once": 1}.items():
        assert len(set(lines(pytester.path / name))) == attempts
    wide = [line.split() for line in lines(pytester.path / "wide.log")]
    assert [word for word, _ in wide] == ["up", "down"]
    assert len({pid for _, pid in wide}) == 1
    result.stdout.fnmatch_lines(["*Captured stdout call*", "said"])


def test_reruns_are_decided_by_the_exception(forked):
    body = """
import pytest

class Odd(Exception):
    def __init__(self, a, b): super().__init__("odd one")

def test_value(): raise ValueError("no")
def test_key(): raise KeyError("no")
def test_odd(): raise Odd(1, 2)
@pytest.mark.flaky(reruns=1, condition=lambda error: isinstance(error, OSError))
def test_by_condition(): raise OSError("no")
@pytest.mark.flaky(reruns=1, condition=lambda error: isinstance(error, OSError))
def test_not_by_condition(): raise TypeError("no")
"""
    options = ["--reruns=1", "--only-rerun=ValueError", "--only-rerun=OSError", "--only-rerun=Odd"]
    plugins = ["pytest_rerunfailures"]
    plain = forked(body, *options, plugins=plugins, fork=False)
    result = forked(body, *options, plugins=plugins)
    assert result.parseoutcomes() == plain.parseoutcomes()
    assert result.parseoutcomes()["rerun"] >= 3


# Items of other kinds


def test_doctests_run_in_children(forked, pytester):
    pytester.makefile(".txt", test_text=">>> import os\n>>> print(os.getpid() != PARENT)\nTrue\n")
    pytester.makeconftest("""
import os, pytest
here = os.getpid()
@pytest.fixture(autouse=True)
def names(doctest_namespace): doctest_namespace["PARENT"] = here
""")
    body = 'def good():\n    """\n    >>> 1 + 1\n    2\n    """\ndef bad():\n    """\n    >>> 1 + 1\n    3\n    """\n'
    result = forked(body, "--doctest-modules", "--doctest-glob=*.txt")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["Expected:", "    3", "Got:", "    2"])


@pytest.mark.parametrize("fork", [True, False])
def test_unittest_sets_up_its_class_once_in_the_parent(forked, pytester, fork):
    body = """
import os, unittest
import pytest

parent = os.getpid()

@pytest.mark.run_in_fork
class TestIt(unittest.TestCase):
    @classmethod
    def setUpClass(cls): print("up", os.getpid() == parent, file=open("log", "a")); cls.seen = []
    @classmethod
    def tearDownClass(cls): print("down", os.getpid() == parent, file=open("log", "a"))
    def setUp(self): self.pid = os.getpid()
    def test_a(self): self.seen.append(1); self.assertEqual(self.seen, [1]); self.assertNotEqual(self.pid, parent)
    def test_b(self): self.seen.append(1); self.assertEqual(self.seen, [1])
    def test_c(self): self.assertEqual(1, 2, "told")
    def test_d(self):
        for n in range(3):
            with self.subTest(n=n): self.assertNotEqual(n, 1)
"""
    result = forked(body, fork=fork)
    plain = forked(body.replace("@pytest.mark.run_in_fork", ""), "-k", "test_d", fork=False)
    told = result.parseoutcomes()
    assert told["passed"] == 2 + plain.parseoutcomes().get("passed", 0)
    assert told["failed"] == 1 + plain.parseoutcomes()["failed"]
    result.stdout.fnmatch_lines(["*AssertionError: 1 != 2 : told"])
    assert lines(pytester.path / "log")[:2] == ["up True", "down True"]


@pytest.mark.skipif(not hasattr(pytest, "Subtests"), reason="pytest has subtests from 9.0 on")
def test_a_failed_subtest_fails_its_test(forked):
    body = """
def test_a(subtests):
    for n in range(3):
        with subtests.test("number", n=n): print("sub", n); assert n != 1
def test_b(): pass
"""
    plain, result = forked(body, fork=False), forked(body)
    assert result.parseoutcomes() == plain.parseoutcomes()
    assert result.parseoutcomes()["failed"] == 2
    result.stdout.fnmatch_lines(["SUBFAILED*number*test_a*", "FAILED*test_a - contains 1 failed subtest"])  # fmt: skip


def test_parameters_reach_the_child_also_when_they_cannot_be_pickled(forked):
    body = """
import pytest, threading
@pytest.mark.parametrize("value", [lambda: 5, threading.Lock(), object()], ids=["f", "lock", "object"])
def test_a(value): assert value is not None
@pytest.fixture(params=[1, 2])
def each(request): return request.param
@pytest.mark.parametrize("n", [1, 2])
def test_b(each, n): assert each == n
"""
    result = forked(body)
    result.assert_outcomes(passed=5, failed=2)
    result.stdout.fnmatch_lines(["FAILED test_it.py::test_b[[]1-2[]] - assert 1 == 2"])


# pytest's own options


MANY = "\n".join(f"def test_{n}(): assert {n} % 2" for n in range(8))


@pytest.mark.parametrize("options", [("-x",), ("--maxfail=2",), ("--maxfail=3", "--tb=no")])
def test_the_session_stops_as_without_forks(forked, options):
    plain, result = forked(MANY, *options, fork=False), forked(MANY, *options)
    assert result.parseoutcomes() == plain.parseoutcomes()
    assert result.ret == plain.ret
    result.stdout.fnmatch_lines(["*stopping after * failures*"])


STYLES = """
import pytest
def deeper(n): local = n + 1; assert local == 0
def test_fails(): value = 5; deeper(value)
def test_chained():
    try: {}["spam"]
    except KeyError as error: raise ValueError("eggs") from error
@pytest.fixture
def broken(): raise OSError("ham")
def test_broken(broken): pass
@pytest.mark.xfail(strict=True, reason="known")
def test_is_fixed(): pass
@pytest.mark.xfail(raises=ZeroDivisionError, strict=True)
def test_is_broken(): 1 / 0
"""


@pytest.mark.parametrize("style", ["auto", "long", "short", "line", "native", "no"])
def test_tracebacks_are_those_without_forks(forked, style):
    def told(*, fork):
        out = forked(STYLES, f"--tb={style}", "-l", "-rA", "--no-header", fork=fork).outlines
        return out[out.index(next(line for line in out if line.startswith("collected"))) : -1]

    assert told(fork=True) == told(fork=False)


def test_strict_xfail_fails_and_says_why(forked):
    result = forked(STYLES, "-k", "is_fixed or is_broken", "--junitxml=it.xml")
    result.assert_outcomes(failed=1, xfailed=1)
    result.stdout.fnmatch_lines(["[[]XPASS(strict)[]] known"])


def test_junit_has_message_and_text_of_a_failure_and_of_a_crash(forked, pytester):
    forked(STYLES + "\nimport os\ndef test_crash(): os.abort()\n", "--junitxml=it.xml")
    cases = {case.get("name"): case for case in ET.parse(pytester.path / "it.xml").iter("testcase")}
    assert cases["test_fails"].find("failure").get("message").startswith("assert 6 == 0")
    assert "local = n + 1" in cases["test_fails"].find("failure").text
    assert "OSError: ham" in cases["test_broken"].find("error").get("message")
    assert "killed by SIGABRT" in cases["test_crash"].find("failure").get("message")


def test_durations_are_those_of_the_phases(forked):
    body = "import time, pytest\n@pytest.fixture\ndef slow(): time.sleep(0.2)\ndef test_a(slow): time.sleep(0.3)\n"
    result = forked(body, "--durations=0")
    result.stdout.re_match_lines([r"0\.[3-9]\d*s call +test_it.py::test_a", r"0\.[2-9]\d*s setup +test_it.py::test_a"])  # fmt: skip


@pytest.mark.parametrize("option", ["-s", "--capture=sys", "--capture=fd", "--capture=tee-sys"])
def test_output_goes_where_it_would_have_gone(forked, option):
    body = "import os, sys\ndef test_a(): print('from Python'); print('error', file=sys.stderr); os.system('echo from C'); assert 0\n"

    def told(*, fork):
        result = forked(body, option, "--no-header", fork=fork)
        # A child's streams have no buffer, so the order may differ, and so what follows the name.
        lines = [line.removeprefix("test_it.py ") for line in result.outlines[3:-1]]
        return sorted(lines), sorted(result.errlines)

    assert told(fork=True) == told(fork=False)


@pytest.mark.parametrize("option", ["-s", "--capture=fd", "--capture=sys"])
def test_the_streams_of_a_child_are_no_leak(forked, option):
    body = "import os\ndef test_a(): print('spam'); os.system('echo eggs')\ndef test_b(): pass\n"
    forked(body, option, "--syskit-leaks=fail").assert_outcomes(passed=2)


# Wide fixtures


def test_a_skipped_test_sets_up_nothing_wide(forked, pytester):
    body = """
import pytest
@pytest.fixture(scope="session")
def database(): open("was_made", "w").close()
@pytest.mark.skip
def test_a(database): pass
@pytest.mark.skipif("1 == 1", reason="so")
def test_b(database): pass
@pytest.mark.xfail(run=False)
def test_c(database): pass
"""
    forked(body).assert_outcomes(skipped=2, xfailed=1)
    assert not (pytester.path / "was_made").exists()


def test_what_a_wide_fixture_writes_is_told_with_the_test_it_runs_for(forked):
    body = """
import logging, pytest
@pytest.fixture(scope="module")
def wide(): print("w-up"); logging.warning("w-log"); yield; print("w-down"); raise OSError("w-end")
def test_a(wide): assert 0
def test_b(wide): pass
"""
    result = forked(body, "-rA")
    assert result.parseoutcomes() == {"failed": 1, "passed": 1, "errors": 1}
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_b*", "E *OSError: w-end", "*Captured stdout teardown*", "w-down", "*_ test_a _*", "*Captured log setup*", "WARNING *w-log", "*Captured stdout setup*", "w-up"])  # fmt: skip
    assert result.outlines.count("w-up") == result.outlines.count("w-down") == 1


def test_a_plugin_that_hears_reports_keeps_its_other_hooks(forked, pytester):
    pytester.makeconftest("""
def pytest_runtest_logreport(report): print(report.when, file=open("heard", "a"))
def pytest_runtest_call(item): item.seen = True
""")
    forked("def test_a(request): assert request.node.seen").assert_outcomes(passed=1)
    assert lines(pytester.path / "heard") == ["setup", "call", "teardown"]


# coverage


MODULE = """
def in_child(flag):
    if flag:
        return 1
    return 2

def in_parent():
    return 3

def in_killed_child():
    return 4

def never():
    return 5
"""

COVERED = """
import os, signal
import pytest
import spam

@pytest.mark.run_in_fork
def test_marked(): assert spam.in_child(True) == 1

@pytest.mark.run_in_fork
def test_leaves():
    spam.in_child(False)
    LEAVE

def test_plain(): assert spam.in_parent() == 3

@pytest.mark.run_in_fork
def test_killed():
    spam.in_killed_child()
    os.kill(os.getpid(), signal.SIGKILL)
"""

RECIPE = '[tool.coverage.run]\nbranch = true\nparallel = true\npatch = ["_exit", "fork", "subprocess"]\n'  # fmt: skip


def uncovered(folder, settings, *, leave):
    """Run the suite under coverage; return the lines of the module that were not counted."""
    (folder / "spam.py").write_text(MODULE)
    (folder / "test_spam.py").write_text(COVERED.replace("LEAVE", leave))
    (folder / "pyproject.toml").write_text(settings)

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "coverage", *arguments],
            cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    ran = run("run", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "syskit")
    assert "failed" in ran.stdout, ran.stdout + ran.stderr
    if "parallel" in settings:
        combined = run("combine")
        assert combined.returncode == 0, combined.stdout + combined.stderr
    told = run("json", "--include=spam.py", "-o", "out.json")
    assert told.returncode == 0, told.stdout + told.stderr
    missing = json.loads((folder / "out.json").read_text())["files"]["spam.py"]["missing_lines"]
    text = MODULE.splitlines()
    return [text[number - 1].strip() for number in missing]


@pytest.mark.parametrize("settings", ["", "[tool.coverage.run]\nbranch = true\n"])
def test_coverage_counts_what_a_marked_test_ran_without_any_setting(
    tmp_path, monkeypatch, settings
):
    pytest.importorskip("coverage")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert uncovered(tmp_path, settings, leave="pass") == ["return 4", "return 5"]


def test_the_recipe_for_coverage_counts_also_children_that_leave_by_exit(tmp_path, monkeypatch):
    coverage = pytest.importorskip("coverage")
    if coverage.version_info < (7, 17):
        pytest.skip("before 7.17 patch = fork stops measuring in the child")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert uncovered(tmp_path, RECIPE, leave="os._exit(0)") == ["return 4", "return 5"]

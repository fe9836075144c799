"""Where findings are told: terminal, JUnit, JSON, GitHub, hooks; and how a run goes on after one."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest


@pytest.fixture
def bad(pytester, monkeypatch):
    """Write a test file that can leak; run it in a process of its own, with our plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "250")  # no line of a summary is cut

    def run(body, *arguments, conftest=""):
        pytester.makeconftest(conftest)
        pytester.makepyfile(
            f"import os, pytest\ndef leak(): os.open('/dev/zero', os.O_RDONLY)\n{body}"
        )
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "syskit", *arguments)

    return run


def report(pytester):
    return json.loads((pytester.path / "x.json").read_text())


ONE = "def test_a(): leak()\ndef test_b(): pass\n"


def test_warn_changes_neither_outcome_nor_status(bad):
    result = bad(ONE)
    assert result.ret == 0
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*syskit: left behind*",
            "*::test_a left 1 file descriptor behind",
            "  fd *  device  /dev/zero (read)",
            '  close it in the test, or mark it @pytest.mark.allow_leaks("fd", reason="…") if it is meant',
        ]
    )


def test_fail_makes_an_error_of_the_owner_alone(bad):
    result = bad(ONE, "--syskit-leaks=fail")
    assert result.ret == 1
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_a*", "ERROR *::test_a - left 1 file descriptor behind"]
    )
    assert "syskit: left behind" not in result.stdout.str()  # told once


def test_progress_counts_tests_and_not_the_errors_of_fixtures(bad):
    body = "@pytest.fixture(scope='module')\ndef f(): leak()\ndef test_a(f): pass\n"
    result = bad(body, "--syskit-leaks=fail")
    result.stdout.fnmatch_lines(["*[[]100%[]]*", "ERROR *::f - left 1 file descriptor behind"])
    result.assert_outcomes(passed=1, errors=1)


def test_the_tests_own_failure_stays_first(bad):
    body = """
@pytest.fixture
def failing():
    yield
    leak()
    raise RuntimeError("my own words")
def test_a(failing): pass
"""
    result = bad(body, "--syskit-leaks=fail")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*RuntimeError: my own words*"])


def test_junit_gets_an_error_in_fail_mode_and_properties_in_warn_mode(bad, pytester):
    bad(ONE, "--syskit-leaks=fail", "--junitxml=fail.xml")
    cases = list(ET.parse(pytester.path / "fail.xml").iter("testcase"))
    assert [c.get("name") for c in cases] == ["test_a", "test_b"]
    assert (
        cases[0].find("error").get("message")
        == 'failed on teardown with "left 1 file descriptor behind"'
    )
    bad(ONE, "--junitxml=warn.xml")
    case = next(ET.parse(pytester.path / "warn.xml").iter("testcase"))
    assert case.find("error") is None
    assert [p.get("name") for p in case.iter("property")] == ["syskit.leak"]


def test_maxfail_counts_leaks(bad):
    result = bad("def test_a(): leak()\n" * 1 + "def test_b(): pass\n", "--syskit-leaks=fail", "-x")
    result.assert_outcomes(passed=1, errors=1)


def test_a_session_fixture_is_judged_also_after_x(bad):
    body = """
@pytest.fixture(scope="session")
def server(): leak()
def test_a(server): assert False
def test_b(server): pass
"""
    result = bad(body, "--syskit-leaks=fail", "-x")
    result.assert_outcomes(failed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*fixture server (session, *.py:*) left 1 file descriptor behind*"]
    )


def test_an_interrupted_run_says_what_was_not_checked(bad, pytester):
    body = "def test_a():\n    leak()\n    raise KeyboardInterrupt\ndef test_b(): pass\n"
    result = bad(body, "--syskit-report=x.json")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert [x["owner"]["id"].partition("::")[2] for x in report(pytester)["not_checked"]] == [
        "test_a"
    ]
    result.stdout.fnmatch_lines(
        ["*not checked: *::test_a, because it was interrupted before its teardown*"]
    )


def test_pytest_exit_is_obeyed(bad):
    result = bad("def test_a(): pytest.exit('enough', returncode=7)\n", "--syskit-leaks=fail")
    assert result.ret == 7
    assert "INTERNALERROR" not in result.stdout.str()


def test_setup_only_runs_are_watched(bad):
    body = "@pytest.fixture(scope='module')\ndef f(): leak()\ndef test_a(f): pass\n"
    result = bad(body, "--setup-only")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*fixture f (module, *) left 1 file descriptor behind*"])


def test_github_annotations(bad, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = bad(ONE)
    result.stdout.fnmatch_lines(
        [
            "::warning file=*.py,line=*,title=syskit leak::*::test_a left 1 file descriptor behind%0A*"
        ]
    )
    result = bad(ONE, "--syskit-leaks=fail")
    result.stdout.fnmatch_lines(["::error file=*"])


def test_reruns_are_one_account(bad, pytester):
    pytest.importorskip("pytest_rerunfailures")
    body = """
count = []
@pytest.mark.flaky(reruns=2)
def test_a():
    count.append(1)
    leak()
    assert len(count) == 3
"""
    plugin = ("-p", "pytest_rerunfailures")
    result = bad(body, *plugin, "--syskit-leaks=fail", "--syskit-report=x.json")
    result.stdout.fnmatch_lines(["*1 passed, 1 error, 2 rerun*"])
    assert len(report(pytester)["leaks"]) == 3


def test_xdist_finds_the_same_leaks_as_a_serial_run(bad, pytester):
    pytest.importorskip("xdist")
    body = "@pytest.mark.parametrize('n', range(8))\ndef test_a(n):\n    if n % 2: leak()\n"
    found = []
    for arguments in ([], ["-p", "xdist", "-n2"]):
        bad(body, "--syskit-report=x.json", *arguments)
        leaks = report(pytester)["leaks"]
        found.append(sorted((x["owner"]["id"], x["kind"], x["phase"]) for x in leaks))
        workers = {x["worker"] for x in leaks}
    assert found[0] == found[1]
    assert len(found[0]) == 4
    assert workers <= {"gw0", "gw1"}


PLUGIN = """
import pytest
from pytest_syskit import Resource

class Flags:
    kind = "flag"
    raised = set()
    def snapshot(self):
        return frozenset(Resource("flag", (name,)) for name in self.raised)
    def describe(self, resource):
        return resource.told(f"flag {resource.key[0]}", {"name": resource.key[0]})
    def reclaim(self, resource):
        self.raised.discard(resource.key[0])

heard = []
def pytest_syskit_detectors(config):
    return [Flags()]
def pytest_syskit_expected(resource, owner, config):
    if resource.kind == "flag" and "meant" in resource.label:
        return "it is meant"
def pytest_syskit_leak(leak, config):
    heard.append(str(leak.owner) + " " + leak.resource.label)
def pytest_unconfigure(config):
    print("HEARD", heard)
"""


def test_other_plugins_add_detectors_and_expectations_and_hear_of_leaks(bad):
    body = """
from conftest import Flags
def test_a(): Flags.raised.add("red")
def test_b(): Flags.raised.add("meant")
"""
    result = bad(body, conftest=PLUGIN)
    result.stdout.fnmatch_lines(
        ["*::test_a left 1 flag behind", "  flag red", "HEARD [[]'*::test_a flag red'[]]"]
    )
    assert "test_b left" not in result.stdout.str()


def test_reaping_ends_the_whole_tree_of_a_leaked_process(bad, pytester):
    body = """
import psutil, subprocess, time
def test_a():
    p = subprocess.Popen(["sh", "-c", "sleep 60 & echo $! > pid; wait"])
    while not (os.path.exists("pid") and open("pid").read().strip()): time.sleep(0.01)
    globals()["kept"] = p
def test_b():
    pid = int(open("pid").read())
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # init's
    assert kept.poll() is not None
"""
    result = bad(body, "--syskit-reap=leaked", "-W", "ignore")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::test_a left 1 process behind*"])


def test_without_reaping_nothing_is_ended_and_no_status_is_stolen(bad):
    body = """
import subprocess
def test_a(): globals()["kept"] = subprocess.Popen(["sh", "-c", "exit 3"])
def test_b(): assert kept.wait() == 3
"""
    bad(body, "-W", "ignore").assert_outcomes(passed=2)


SUMMARY = """
import pathlib, pytest
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(config):
    result = yield
    if hasattr(config, "workerinput"):
        pathlib.Path(__file__).with_name("summed-up").touch()
    return result
"""


def test_the_summary_of_a_worker_is_left_to_its_controller(bad, pytester):
    bad("def test_a(): pass\n", "-p", "xdist", "-n1", conftest=SUMMARY)
    assert (pytester.path / "summed-up").exists()

"""Whole tests in forked children become what they would have been without."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

BODY = """
import logging, os, sys, unittest, warnings
import pytest

PARENT = os.environ["PARENT_PID"] = os.environ.get("PARENT_PID") or str(os.getpid())

@pytest.fixture(scope="module")
def wide():
    with open("wide.log", "a") as log: log.write(f"up {os.getpid()}\\n")
    yield 5
    with open("wide.log", "a") as log: log.write(f"down {os.getpid()}\\n")

@pytest.fixture
def narrow(wide):
    return os.getpid()

def test_passes(wide, narrow): print("said"); assert narrow == os.getpid() and wide == 5
def test_uses_wide_again(wide): pass
def test_fails(): print("printed"); logging.warning("logged"); values = [1]; assert values == [2]
def test_skips(): pytest.skip("the reason")
@pytest.mark.xfail(reason="known")
def test_xfails(): assert False
@pytest.mark.xfail(strict=True)
def test_xpasses(): pass
@pytest.fixture
def broken(): raise RuntimeError("set-up")
def test_set_up_fails(broken): pass
@pytest.fixture
def breaking():
    yield
    raise RuntimeError("tear-down")
def test_tear_down_fails(breaking): pass
@pytest.fixture(scope="module")
def broken_wide(): raise RuntimeError("wide set-up")
def test_wide_set_up_fails(broken_wide): pass
def test_also_uses_broken_wide(broken_wide): pass
def test_warns(): warnings.warn("take care")
def test_records(record_property): record_property("answer", 42)
@pytest.mark.parametrize("n", [1, 2])
def test_parametrised(n): assert n
class TestCase(unittest.TestCase):
    def setUp(self): self.value = 1
    def test_method(self): self.assertEqual(self.value, 1)
"""


@pytest.fixture
def forked(pytester, monkeypatch):
    """Run tests in a process of its own, with our plugin alone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "250")

    def run(body, *arguments):
        pytester.makepyfile(test_it=body)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "syskit", *arguments)

    return run


def junit(path):
    """Return what JUnit says of each test, without times."""
    cases = []
    for case in ET.parse(path).iter("testcase"):
        children = [
            (c.tag, c.get("message"), c.get("name"), c.get("value"))
            for c in case.iter()
            if c is not case
        ]
        cases.append((case.get("name"), children))
    return cases


def test_outcomes_and_junit_are_those_of_a_run_without_forks(forked, pytester):
    plain = forked(BODY, "--junitxml=plain.xml")
    inside = forked(BODY, "--junitxml=forked.xml", "--syskit-fork")
    assert inside.parseoutcomes() == plain.parseoutcomes()
    assert junit(pytester.path / "forked.xml") == junit(pytester.path / "plain.xml")


def test_a_wide_fixture_is_set_up_and_torn_down_once_in_the_parent(forked, pytester):
    forked(BODY, "--syskit-fork")
    lines = (pytester.path / "wide.log").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["up", "down"]
    assert len({line.split()[1] for line in lines}) == 1


WIDE_BREAKS = """
import pytest
@pytest.fixture(scope="module")
def wide():
    yield
    raise RuntimeError("wide broke")
@pytest.fixture
def narrow():
    yield
    raise ValueError("narrow broke")
"""


def test_both_teardowns_of_a_test_are_told_in_one_error(forked):
    body = f"{WIDE_BREAKS}\ndef test_a(wide, narrow): pass"
    plain, inside = forked(body), forked(body, "--syskit-fork")
    assert inside.parseoutcomes() == plain.parseoutcomes() == {"passed": 1, "errors": 1}
    inside.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_a*", "E *ValueError: narrow broke", "* then, in the teardown of wider fixtures *", "E *RuntimeError: wide broke"]
    )  # fmt: skip


@pytest.mark.parametrize(
    "mark", ["xfail", "xfail(raises=RuntimeError)", "xfail(raises=KeyError)", "xfail(run=False)"]
)
@pytest.mark.parametrize("fixtures", ["wide", "wide, narrow"])
def test_a_test_that_is_expected_to_fail_may_end_with_a_broken_wide_fixture(forked, mark, fixtures):
    body = (
        f"{WIDE_BREAKS}\ndef test_a(wide): pass\n@pytest.mark.{mark}\ndef test_b({fixtures}): pass"
    )
    plain, inside = forked(body), forked(body, "--syskit-fork")
    assert inside.parseoutcomes() == plain.parseoutcomes()
    assert inside.ret == plain.ret


def test_failures_keep_introspection_output_and_warnings(forked):
    result = forked(BODY, "--syskit-fork")
    result.stdout.fnmatch_lines(
        ["E *assert [[]1[]] == [[]2[]]", "*Captured stdout call*", "printed", "*Captured log call*", "WARNING * logged", "*UserWarning: take care*",
         "FAILED test_it.py::test_fails - assert [[]1[]] == [[]2[]]"]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("os.kill(os.getpid(), 11)", "the forked child was killed by SIGSEGV"),
        ("os.kill(os.getpid(), 9)", "the forked child was killed by SIGKILL"),
        ("os._exit(0)", "the forked child exited with status 0"),
        ("os._exit(3)", "the forked child exited with status 3"),
    ],
)
def test_a_child_that_never_reports_fails_with_what_it_wrote(forked, line, told):
    result = forked(
        f"import os\ndef test_a(): os.system('echo from C'); {line}\ndef test_b(): pass",
        "--syskit-fork",
    )
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines([told, "*Captured stdout call*", "from C"])


def test_a_limit_ends_the_child(forked):
    body = (
        "import pytest, time\n@pytest.mark.run_in_fork(timeout=0.3)\ndef test_a(): time.sleep(60)\n"
    )
    result = forked(body)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the forked child did not end within 0.3 seconds and was ended"])
    assert result.duration < 30


def test_only_marked_tests_fork(forked):
    body = """
import os, pytest
here = os.getpid()
@pytest.mark.run_in_fork
def test_a(): assert os.getpid() != here
def test_b(): assert os.getpid() == here
"""
    forked(body).assert_outcomes(passed=2)


def test_leaks_inside_the_child_are_judged(forked, pytester):
    body = "import os\ndef test_a(): os.open('/dev/zero', os.O_RDONLY)\ndef test_b(): pass\n"
    result = forked(body, "--syskit-fork", "--syskit-leaks=fail", "--syskit-report=x.json")
    result.assert_outcomes(passed=2, errors=1)
    report = json.loads((pytester.path / "x.json").read_text())
    assert [(x["owner"]["id"], x["phase"]) for x in report["leaks"]] == [
        ("test_it.py::test_a", "call")
    ]
    assert report["tests_checked"] == 2


def test_the_child_can_end_the_session(forked):
    result = forked(
        "import pytest\ndef test_a(): pytest.exit('enough', returncode=7)\ndef test_b(): pass",
        "--syskit-fork",
    )
    assert result.ret == 7
    result.stdout.fnmatch_lines(["*enough*"])
    result = forked("def test_a(): raise KeyboardInterrupt\ndef test_b(): pass", "--syskit-fork")
    assert result.ret == pytest.ExitCode.INTERRUPTED


def test_x_stops_after_a_failing_child(forked):
    result = forked("def test_a(): assert 0\ndef test_b(): pass", "--syskit-fork", "-x")
    result.assert_outcomes(failed=1)


def test_it_works_under_xdist(forked):
    pytest.importorskip("xdist")
    plain, inside = forked(BODY), forked(BODY, "--syskit-fork", "-p", "xdist", "-n2")
    same = {"passed", "failed", "skipped", "xfailed", "errors"}
    assert {k: v for k, v in inside.parseoutcomes().items() if k in same} == {
        k: v for k, v in plain.parseoutcomes().items() if k in same
    }


def test_wrong_arguments_are_told_at_collection(forked):
    result = forked("import pytest\n@pytest.mark.run_in_fork(timeout=-1)\ndef test_a(): pass\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_it.py:*run_in_fork*-1*"])


def test_a_debugger_gets_the_tests_in_this_process(forked):
    body = "import os\nhere = os.getpid()\ndef test_a(): assert os.getpid() == here\n"
    forked(body, "--syskit-fork", "--pdb").assert_outcomes(passed=1)

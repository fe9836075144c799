"""A forked child never goes on as a second pytest, and nobody leaves by the back door."""

from __future__ import annotations

import json
import os

import pytest

HEAD = "import os, sys, time, unittest\nimport pytest\n"

# what the child does -> how the report says that it escaped
WAYS = {
    "return": "returned",
    "assert 1 == 2": "raised AssertionError: assert 1 == 2",
    "raise SystemExit(0)": "raised SystemExit(0)",
    "pytest.skip('no')": "called pytest.skip('no')",
    "pytest.fail('no')": "raised Failed: no",
    "raise KeyboardInterrupt": "raised KeyboardInterrupt: ",
    "raise ValueError('odd')": "raised ValueError: odd",
}


@pytest.fixture
def guarded(pytester, monkeypatch):
    """Run tests with our plugin alone, leaks off: the guards are on for everyone."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "250")

    def run(body, *arguments):
        pytester.makepyfile(test_it=HEAD + body)
        plugins = ("-p", "no:cacheprovider", "-p", "syskit", "--syskit-leaks=off")
        return pytester.runpytest_subprocess(*plugins, "--syskit-report=x.json", *arguments)

    return run


def escaped(pytester):
    return json.loads((pytester.path / "x.json").read_text())["escaped_children"]


@pytest.mark.parametrize("way", WAYS)
def test_a_child_that_comes_out_of_the_test_ends_and_makes_it_an_error(guarded, pytester, way):
    body = f"""
def test_a():
    pid = os.fork()
    if pid == 0:
        {way}
    os.waitpid(pid, 0)
def test_b():
    with open("ran", "a") as log: log.write("x")
"""
    result = guarded(body)
    result.assert_outcomes(passed=2, errors=1)
    told = WAYS[way]
    result.stdout.fnmatch_lines([f"  process *  {told}*forked at  *test_it.py:5 in test_a"])
    assert (pytester.path / "ran").read_text() == "x"  # the rest ran once
    assert [(x["owner"]["id"], x["how"]) for x in escaped(pytester)] == [
        ("test_it.py::test_a", told)
    ]


FIXTURE = """
@pytest.fixture{scope}
def forking():
{body}
def test_a(forking): pass
def test_b():
    with open("ran", "a") as log: log.write("x")
"""


@pytest.mark.parametrize("scope", ["", "(scope='module')"])
@pytest.mark.parametrize(
    "body",
    [
        "    pid = os.fork()\n    if pid == 0: raise ValueError\n    os.waitpid(pid, 0)\n    yield",
        "    yield\n    pid = os.fork()\n    if pid == 0: return\n    os.waitpid(pid, 0)",
        "    yield\n    pid = os.fork()\n    if pid == 0: raise ValueError\n    os.waitpid(pid, 0)",
    ],
    ids=["set-up raises", "teardown returns", "teardown raises"],
)
def test_a_child_that_comes_out_of_a_fixture_ends(guarded, pytester, scope, body):
    result = guarded(FIXTURE.format(scope=scope, body=body))
    result.assert_outcomes(passed=2, errors=1)
    assert (pytester.path / "ran").read_text() == "x"
    assert len(escaped(pytester)) == 1


HOOK = """
import os
def pytest_runtest_{phase}(item):
    if item.name == "test_a":
        pid = os.fork()
        if pid == 0:
            {way}
        os.waitpid(pid, 0)
"""


@pytest.mark.parametrize("way", ["return", "raise SystemExit(0)", "raise KeyboardInterrupt"])
@pytest.mark.parametrize("phase", ["setup", "teardown"])
def test_a_child_that_comes_out_of_a_hook_of_a_conftest_ends(guarded, pytester, phase, way):
    pytester.makeconftest(HOOK.format(phase=phase, way=way))
    body = """
def test_a(): print("said by a")
def test_b():
    with open("ran", "a") as log: log.write("x")
"""
    result = guarded(body, "-rA")
    result.assert_outcomes(passed=2, errors=1)
    assert (pytester.path / "ran").read_text() == "x"
    assert result.stdout.str().count("said by a") == 2  # once captured, once summed up


def test_a_child_that_comes_out_of_a_finaliser_of_the_item_ends(guarded, pytester):
    pytester.makeconftest(
        """
import os
def escape():
    if os.fork() == 0:
        return
    os.wait()
def pytest_runtest_call(item):
    if item.name == "test_a":
        item.addfinalizer(escape)
"""
    )
    body = """
def test_a(): pass
def test_b():
    with open("ran", "a") as log: log.write("x")
"""
    guarded(body).assert_outcomes(passed=2, errors=1)
    assert (pytester.path / "ran").read_text() == "x"


def test_unittest_methods_are_guarded(guarded, pytester):
    body = """
class TestCase(unittest.TestCase):
    def test_method(self):
        pid = os.fork()
        if pid == 0: return
        os.waitpid(pid, 0)
"""
    guarded(body).assert_outcomes(passed=1, errors=1)


def test_a_child_that_outlives_its_test_is_charged_to_it(guarded, pytester):
    body = """
def test_a():
    r, w = os.pipe()
    if os.fork() == 0:
        os.close(w)
        os.read(r, 1)
        return
    os.close(r)
    globals()["pen"] = w
def test_b():
    os.write(pen, b"x")
    os.close(pen)
    os.wait()
"""
    guarded(body)
    assert [x["owner"]["id"] for x in escaped(pytester)] == ["test_it.py::test_a"]


def test_an_escape_does_not_hang_an_xdist_run(guarded, pytester):
    pytest.importorskip("xdist")
    result = guarded(
        "def test_a():\n    if os.fork() == 0: return\n    os.wait()\n", "-p", "xdist", "-n1"
    )
    result.assert_outcomes(passed=1, errors=1)
    assert result.duration < 60


def test_children_that_leave_properly_are_left_alone(guarded, pytester):
    body = """
import multiprocessing
def test_exit():
    if os.fork() == 0: os._exit(0)
    os.wait()
def test_exec():
    if os.fork() == 0: os.execvp("true", ["true"])
    os.wait()
def test_multiprocessing():
    child = multiprocessing.get_context("fork").Process(target=print)
    child.start()
    child.join()
"""
    guarded(body).assert_outcomes(passed=3)
    assert escaped(pytester) == []


@pytest.mark.parametrize(
    "call", ["os._exit(0)", "os.execv('/bin/true', ['true'])", "os.execlp('true', 'true')"]
)
def test_leaving_by_the_back_door_is_an_error_that_names_the_line(guarded, call):
    result = guarded(f"def test_a(): {call}\ndef test_b(): pass\n")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(
        ["*in the pytest process itself would have ended the whole run here*"]
    )


def test_in_a_worker_of_xdist_the_worker_alone_would_have_ended(guarded):
    pytest.importorskip("xdist")
    result = guarded("def test_a(): os._exit(0)\ndef test_b(): pass\n", "-p", "xdist", "-n1")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*would have ended this worker of pytest-xdist;*"])


def test_after_an_interrupted_test_a_conftest_may_leave_as_it_likes(guarded, pytester):
    pytester.makeconftest("import os\ndef pytest_sessionfinish(): os._exit(7)\n")
    result = guarded("def test_a(): raise KeyboardInterrupt\n")
    assert result.ret == 7
    assert "INTERNALERROR" not in result.stdout.str()


@pytest.mark.parametrize(
    "hook", ["runtest_makereport(call)", "exception_interact(call)", "runtest_logreport(report)"]
)
def test_a_conftest_may_end_the_run_when_it_hears_of_a_failure(guarded, pytester, hook):
    heard = "report.failed" if "logreport" in hook else "call.excinfo"
    pytester.makeconftest(f"import os\ndef pytest_{hook}:\n    if {heard}: os._exit(7)\n")
    result = guarded("def test_a(): assert False\n")
    assert result.ret == 7
    assert "INTERNALERROR" not in result.stdout.str()


def test_an_attempt_that_was_swallowed_is_an_error_too(guarded):
    body = (
        "def test_a():\n    try: os._exit(0)\n    except BaseException: pass\ndef test_b(): pass\n"
    )
    result = guarded(body)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["  os._exit(0)  called at  *test_it.py:4 in test_a"])


def test_the_doors_are_as_they_were_after_the_run(pytester, monkeypatch):
    before = os._exit, os.execv, os.execve
    pytester.makepyfile("def test_a(): pass")
    pytester.runpytest_inprocess(
        "-p", "no:rerunfailures", "-p", "no:asyncio", "-p", "no:cacheprovider"
    )
    assert (os._exit, os.execv, os.execve) == before

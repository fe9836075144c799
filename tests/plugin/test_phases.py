"""Where one phase becomes the next, and what is nobody's because it appeared in between."""

from __future__ import annotations

import json

import pytest

HEAD = "import os, pytest\nKEPT = []\ndef leak(): KEPT.extend(os.pipe())\n"


@pytest.fixture
def leaks(pytester, monkeypatch):
    """Run tests with our plugin alone; return the owners and phases of what they left."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(body, conftest="", *arguments):
        pytester.makeconftest(HEAD + conftest)
        pytester.makepyfile(test_it=HEAD + body)
        options = ("-p", "no:cacheprovider", "-p", "syskit", "--syskit-leaks=warn")
        pytester.runpytest_subprocess(*options, "--syskit-report=x.json", *arguments)
        told = json.loads((pytester.path / "x.json").read_text())
        found = [(x["owner"]["id"].rpartition("::")[2], x["phase"]) for x in told["leaks"]]
        return list(dict.fromkeys(found))

    return run


FIXTURE = """
@pytest.fixture
def resource():
    {before}
    yield
    {after}
def test_a(resource): {call}
"""


@pytest.mark.parametrize("phase", ["setup", "call", "teardown"])
def test_each_phase_of_a_test_with_fixtures_is_told(leaks, phase):
    where = {"before": "pass", "call": "pass", "after": "pass"}
    where[{"setup": "before", "call": "call", "teardown": "after"}[phase]] = "leak()"
    assert leaks(FIXTURE.format(**where)) == [("test_a", phase)]


def test_a_test_without_fixtures_has_but_a_call(leaks):
    assert leaks("def test_a(): leak()\n") == [("test_a", "call")]


BROKEN = """
@pytest.fixture
def early():
    yield
    leak()
@pytest.fixture
def broken(early): {what}
def test_a(broken): pass
"""


@pytest.mark.parametrize("what", ["raise ValueError", "pytest.skip('no')", "pytest.xfail('no')"])
def test_after_a_set_up_that_broke_comes_the_teardown(leaks, what):
    assert leaks(BROKEN.format(what=what)) == [("test_a", "teardown")]


BETWEEN = """
def pytest_runtest_{hook}: leak()
"""
AROUND = """
@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol():
    leak()
    result = yield
    leak()
    return result
"""


@pytest.mark.parametrize(
    "hook", ["logstart()", "logfinish()", "logreport(report):\n  if report.when == 'teardown'"]
)
def test_what_a_conftest_makes_between_tests_is_nobodys(leaks, hook):
    assert leaks("def test_a(): pass\ndef test_b(): pass\n", BETWEEN.format(hook=hook)) == []


def test_what_is_made_around_tests_is_nobodys(leaks):
    assert leaks("def test_a(): pass\ndef test_b(): pass\n", AROUND) == []


def test_what_the_test_modules_made_before_is_nobodys(leaks):
    assert leaks("leak()\ndef test_a(): pass\n") == []


def test_the_test_after_one_that_leaked_is_not_charged(leaks):
    body = "def test_a(): pass\ndef test_b(): leak()\ndef test_c(): pass\n"
    assert leaks(body) == [("test_b", "call")]


TWICE = """
def pytest_collection(session):
    for _ in range(2):
        items = session.perform_collect()
        session.config.hook.pytest_collection_finish(session=session)
    return True
"""


def test_a_plugin_may_collect_twice(leaks):
    assert leaks("def test_a(): leak()\n", TWICE) == [("test_a", "call")]

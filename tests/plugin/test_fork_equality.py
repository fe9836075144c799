"""A large suite in forked children gives what it gives without: reports, JUnit, side effects."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET

import pytest
import varied_suite

# About 300 tests, by parametrisation and methods; a multiple is for a run by hand.
FUNCTIONS = 210

RECORDER = """
import json, os

LOG = os.path.abspath("reports.jsonl")

def pytest_runtest_logreport(report):
    told = [
        report.nodeid, report.when, report.outcome, getattr(report, "wasxfail", None),
        report.sections, str(report.longrepr), report.user_properties, type(report).__name__,
        sorted(report.keywords), list(report.location),
    ]
    with open(LOG, "a") as out:
        print(json.dumps(told), file=out)
"""


@pytest.fixture
def suite(pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(RECORDER)
    subtests = hasattr(pytest, "Subtests")
    pytester.makepyfile(**varied_suite.modules(FUNCTIONS, subtests=subtests))

    def run(*arguments):
        for left in [*pytester.path.glob("*.once"), *pytester.path.glob("*.jsonl")]:
            left.unlink()
        done = pytester.runpytest_subprocess(
            "-p", "no:cacheprovider", "-p", "syskit", "-q", "--no-header",
            "--basetemp=base", "--junitxml=junit.xml", *arguments,
        )  # fmt: skip
        return done, reports(pytester.path), junit(pytester.path)

    return run


def without_addresses(text):
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def reports(folder):
    """Return what was published of each phase, by test, in the order of its publication."""
    lines = without_addresses((folder / "reports.jsonl").read_text()).splitlines()
    told = [json.loads(line) for line in lines]
    for report in told:
        report[4].sort()  # a wide fixture's log is told before the output, not after it
    return told


def junit(folder):
    """Return what JUnit says, without times."""
    cases = []
    for case in ET.fromstring(without_addresses((folder / "junit.xml").read_text())).iter(
        "testcase"
    ):
        inner = [
            (each.tag, sorted(each.items()), each.text) for each in case.iter() if each is not case
        ]
        cases.append((case.get("classname"), case.get("name"), inner))
    return cases


def told_together(told):
    """Return the tests, as reports and JUnit name them, whose teardown raised a group of errors.

    Some of them are the parent's when it has forked: they are told one after the other.
    """
    ids = [report[0] for report in told if "Exception Group Traceback" in report[5]]
    return {*ids, *(test.rpartition("::")[2] for test in ids)}


def ungrouped(told, together):
    """Leave nothing of a group of errors but the lines that tell of each."""
    if not together & {told[0], told[1]}:
        return told
    return [told[0], *sorted(set(re.findall(r"RuntimeError: [a-z -]*tear-down", str(told))))]


def test_a_varied_suite_tells_the_same_with_and_without_forks(suite):
    plain, plain_reports, plain_junit = suite()
    forked, forked_reports, forked_junit = suite("--syskit-fork")
    together = told_together(plain_reports)
    for told in (plain_reports, plain_junit, forked_reports, forked_junit):
        told[:] = [ungrouped(each, together) for each in told]
    assert len({report[0] for report in plain_reports}) >= 290
    for before, after in zip(plain_reports, forked_reports, strict=False):
        assert after == before
    assert len(forked_reports) == len(plain_reports)
    assert forked.parseoutcomes() == plain.parseoutcomes()
    assert forked_junit == plain_junit
    assert forked.ret == plain.ret == pytest.ExitCode.TESTS_FAILED

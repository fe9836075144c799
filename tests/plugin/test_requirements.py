"""requires, requires_root, requires_commands."""

from __future__ import annotations

import os

import pytest

from pytest_syskit.host import capabilities
from pytest_syskit.host.probing import PROBES

ALONE = ("--disable-plugin-autoload", "-p", "syskit", "-p", "no:cacheprovider", "-rs")


@pytest.fixture
def lacks(monkeypatch):
    """Take capabilities away from the machine (and give it all others)."""

    def take(**words):
        monkeypatch.setattr(capabilities, "missing", words.get)

    return take


def run(pytester, marks, *arguments):
    pytester.makepyfile(test_it=f"import pytest\n\n{marks}\ndef test_a(): pass\n")
    return pytester.runpytest_inprocess(*ALONE, *arguments)


def test_a_test_runs_where_everything_is_there(pytester, lacks):
    lacks()
    run(pytester, "@pytest.mark.requires('fork', 'mkfifo', 'pty')").assert_outcomes(passed=1)


def test_the_reason_says_what_is_missing_what_for_and_why(pytester, lacks):
    lacks(mkfifo="os.mkfifo does not exist here")
    result = run(pytester, "@pytest.mark.requires('fork', 'mkfifo')")
    result.stdout.fnmatch_lines(
        [
            (
                "SKIPPED [[]1] test_it.py:3: "
                "needs mkfifo (creating named pipes): os.mkfifo does not exist here"
            )
        ]
    )


def test_everything_that_is_missing_is_said_with_the_author_s_reason(pytester, lacks):
    lacks(mkfifo="no mkfifo", pty="no openpty")
    result = run(pytester, "@pytest.mark.requires('pty', 'fork', 'mkfifo', reason='two ends')")
    result.stdout.fnmatch_lines(
        [
            (
                "SKIPPED*: needs pty (pseudo-terminals): no openpty; "
                "needs mkfifo (creating named pipes): no mkfifo (two ends)"
            )
        ]
    )


def test_requirements_of_module_class_and_function_add_up(pytester, lacks):
    lacks(pty="1", mkfifo="2", fork="3")
    pytester.makepyfile("""
        import pytest

        @pytest.mark.requires("mkfifo")
        class TestA:
            @pytest.mark.requires("pty")
            def test_a(self): pass

            @pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.requires("fork"))])
            def test_b(self, n): pass
    """)
    result = pytester.runpytest_inprocess(*ALONE)
    result.stdout.fnmatch_lines(["*needs mkfifo (*): 2; needs pty (*): 1"])
    result.stdout.fnmatch_lines(["*needs mkfifo (*): 2; needs fork (*): 3"])


def test_a_machine_is_asked_once_however_many_tests_ask(pytester, monkeypatch):
    asked = []
    monkeypatch.setitem(PROBES, "pty", (lambda: asked.append(1), "terminals"))
    capabilities.missing.cache_clear()
    pytester.makepyfile("""
        import pytest
        pytestmark = pytest.mark.requires("pty")

        @pytest.mark.parametrize("n", range(20))
        @pytest.mark.requires("pty")
        def test_a(n): pass
    """)
    pytester.runpytest_inprocess(*ALONE).assert_outcomes(passed=20)
    capabilities.missing.cache_clear()
    assert len(asked) == 1


@pytest.mark.parametrize("mark", ["requires_root", "requires_root()", "requires('root')"])
def test_root_is_a_requirement(pytester, lacks, mark):
    lacks(root="the tests run as user id 1000, not 0")
    result = run(pytester, f"@pytest.mark.{mark}")
    result.stdout.fnmatch_lines(["SKIPPED*: needs root (*): the tests run as user id 1000, not 0"])


def test_root_and_nonroot_exclude_each_other(pytester):
    pytester.makepyfile("""
        import os, pytest

        @pytest.mark.requires_root(reason="binds port 80")
        def test_root(): assert os.geteuid() == 0

        @pytest.mark.requires("nonroot")
        def test_nonroot(): assert os.geteuid() != 0
    """)
    pytester.runpytest_inprocess(*ALONE).assert_outcomes(passed=1, skipped=1)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("'git', 'frobnicate'", "needs the command frobnicate: not found on PATH"),
        ("'ping', 'git'", "needs the commands ping, git: not found on PATH"),
        ("'ping', reason='echo'", "needs the command ping: not found on PATH (echo)"),
    ],
)
def test_absent_commands_are_named(pytester, monkeypatch, asked, said):
    if "frobnicate" in asked:
        stand_in = pytester.path / "git"
        stand_in.write_text("#!/bin/sh\n")
        stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(pytester.path))
    result = run(pytester, f"@pytest.mark.requires_commands({asked})")
    result.stdout.fnmatch_lines([f"SKIPPED [[]1] test_it.py:3: {said}"])


def test_a_test_runs_when_its_commands_are_there(pytester, monkeypatch):
    stand_in = pytester.path / "git"
    stand_in.write_text("#!/bin/sh\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", str(pytester.path) + os.pathsep + os.environ["PATH"])
    run(pytester, "@pytest.mark.requires_commands('git')").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("mark", "complaint"),
    [
        ("requires('frok')", "does not know 'frok'; did you mean 'fork'? The words are af_unix, *"),
        ("requires('xyzzy')", "does not know 'xyzzy'. The words are af_unix, *userns, *"),
        ("requires('fork', 3)", "takes each capability word as a text, not 3"),
        ("requires(['fork'])", "takes each capability word as a text, not ['fork']"),
        ("requires", "takes at least one capability word, such as 'fork'"),
        ("requires()", "takes at least one capability word, such as 'fork'"),
        (
            "requires('fork', why=1)",
            "got an unexpected keyword argument 'why'; use it as requires(*",
        ),
        ("requires('fork', reason=1)", "reason=1: takes a text that says why"),
        ("requires_root('yes')", "too many positional arguments; use it as requires_root(*"),
        ("requires_commands()", "takes at least one command name, such as 'git'"),
        ("requires_commands('git', '')", "takes each command name as a text, not ''"),
    ],
)
def test_wrong_arguments_end_the_run(pytester, mark, complaint):
    result = run(pytester, f"@pytest.mark.{mark}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    spelled, complaint = (text.replace("[", "[[]") for text in (mark.removesuffix("()"), complaint))
    result.stderr.fnmatch_lines(
        [f"ERROR: test_it.py:3: test_a: pytest.mark.{spelled}: {complaint}"]
    )


def test_the_words_are_listed(pytester):
    result = pytester.runpytest_inprocess(*ALONE, "--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.requires([*]words, reason=None): *"])
    line = next(line for line in result.outlines if "mark.requires(" in line)
    assert all(word in line for word in capabilities.names())

"""A module whose pytestmark skips it is not imported."""

from __future__ import annotations

import pytest

from pytest_syskit.host import capabilities, platforms

ALONE = ("--disable-plugin-autoload", "-p", "syskit", "-p", "no:cacheprovider", "-rs")
HERE = next(iter(platforms.words_here() - {"posix"}), "posix")
ELSEWHERE = "macos_only" if HERE == "windows" else "windows_only"

EXPLOSIVE = f"""
import pytest

pytestmark = [pytest.mark.{ELSEWHERE}(reason="reads the registry")]

raise RuntimeError("imported")


def test_a():
    '''
    >>> 1
    2
    '''
"""
SKIPPED = f"SKIPPED [[]1] test_explosive.py:3: for * only, and this is {platforms.title()} (reads*"


@pytest.fixture
def explosive(pytester):
    """A module that must not be imported, beside one that is."""
    pytester.makepyfile(test_explosive=EXPLOSIVE, test_good="def test_good(): pass")
    return pytester


def skips_and_passes(result):
    result.stdout.fnmatch_lines([SKIPPED])
    result.stdout.no_fnmatch_line("*RuntimeError*")
    result.assert_outcomes(passed=1, skipped=1)
    assert result.ret == 0


@pytest.mark.parametrize("mode", ["prepend", "append", "importlib"])
def test_the_module_is_skipped_in_every_import_mode(explosive, mode):
    skips_and_passes(explosive.runpytest_inprocess(*ALONE, f"--import-mode={mode}"))


def test_the_module_is_skipped_in_a_distributed_run(explosive):
    pytest.importorskip("xdist")
    result = explosive.runpytest_subprocess(*ALONE, "-p", "xdist", "-n", "2")
    skips_and_passes(result)


def test_the_module_is_skipped_when_it_is_named(explosive):
    result = explosive.runpytest_inprocess(*ALONE, "test_explosive.py", "test_good.py")
    skips_and_passes(result)


def test_the_module_is_skipped_when_tests_are_only_listed(explosive):
    result = explosive.runpytest_inprocess(*ALONE, "--collect-only", "-q")
    result.stdout.fnmatch_lines(["test_good.py::test_good"])
    result.stdout.fnmatch_lines([SKIPPED])
    assert result.ret == 0


def test_doctests_of_the_module_are_skipped_with_it(explosive):
    skips_and_passes(explosive.runpytest_inprocess(*ALONE, "--doctest-modules"))


def test_doctests_of_a_module_that_is_no_test_module_are_skipped(pytester):
    pytester.makepyfile(registry=EXPLOSIVE, test_good="def test_good(): pass")
    result = pytester.runpytest_inprocess(*ALONE, "--doctest-modules")
    result.stdout.fnmatch_lines([SKIPPED.replace("test_explosive", "registry")])
    result.assert_outcomes(passed=1, skipped=1)


def test_other_doctests_still_run(pytester):
    pytester.makepyfile(test_good='def test_good():\n    """\n    >>> 1\n    1\n    """\n')
    result = pytester.runpytest_inprocess(*ALONE, "--doctest-modules")
    result.assert_outcomes(passed=2)


def test_the_module_is_skipped_once_for_junit(explosive):
    explosive.runpytest_inprocess(*ALONE, "--junitxml=r.xml")
    text = (explosive.path / "r.xml").read_text()
    assert text.count("<skipped") == 1
    assert "reads the registry" in text


def test_a_module_alone_is_skipped_and_nothing_is_collected(pytester):
    pytester.makepyfile(test_explosive=EXPLOSIVE)
    result = pytester.runpytest_inprocess(*ALONE)
    result.stdout.fnmatch_lines([SKIPPED])
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_plugin_that_looks_into_every_module_does_not_import_it(explosive):
    explosive.makeconftest("""
        import pytest

        def pytest_collectstart(collector):
            if isinstance(collector, pytest.Module):
                assert not hasattr(collector.obj, "no_such_name")
    """)
    skips_and_passes(explosive.runpytest_inprocess(*ALONE))


def test_a_module_for_this_system_is_imported_and_runs(pytester):
    pytester.makepyfile(f"""
        import pytest
        pytestmark = pytest.mark.{HERE}_only
        def test_a(): pass
    """)
    pytester.runpytest_inprocess(*ALONE).assert_outcomes(passed=1)


def test_capabilities_in_pytestmark_are_asked_before_the_import(pytester, monkeypatch):
    monkeypatch.setattr(capabilities, "missing", {"pty": "no openpty"}.get)
    pytester.makepyfile(
        test_pty="""
        import pytest
        pytestmark = [pytest.mark.requires("fork"), pytest.mark.requires("pty", reason="talks")]
        raise RuntimeError("imported")
    """
    )
    result = pytester.runpytest_inprocess(*ALONE)
    result.stdout.fnmatch_lines(
        ["SKIPPED [[]1] test_pty.py:2: needs pty (pseudo-terminals): no openpty (talks)"]
    )


def test_commands_in_pytestmark_are_looked_for_before_the_import(pytester):
    pytester.makepyfile("""
        import pytest
        pytestmark = pytest.mark.requires_commands("no-such-command")
        raise RuntimeError("imported")
    """)
    pytester.runpytest_inprocess(*ALONE).assert_outcomes(skipped=1)


def test_all_reasons_are_said(pytester):
    pytester.makepyfile(f"""
        import pytest
        pytestmark = [pytest.mark.{ELSEWHERE}, pytest.mark.requires_commands("no-such-command")]
    """)
    result = pytester.runpytest_inprocess(*ALONE)
    result.stdout.fnmatch_lines(["SKIPPED*: for * only*; needs the command no-such-command: *"])


@pytest.mark.parametrize(
    "source",
    [
        f"import pytest\nif True:\n    pytestmark = pytest.mark.{ELSEWHERE}\nimport test_witness\n",
        (
            f"import pytest\nimport test_witness\nmarks = {{}}\n"
            f"pytestmark = marks.get(1, pytest.mark.{ELSEWHERE})\n"
        ),
    ],
)
def test_what_the_module_decides_while_it_runs_is_seen_after_the_import(pytester, source):
    pytester.makepyfile(
        test_witness="open('imported', 'w').close()", test_it=source + "def test_a(): pass\n"
    )
    result = pytester.runpytest_inprocess(*ALONE, "test_it.py")
    result.assert_outcomes(skipped=1)
    assert (pytester.path / "imported").exists()


def test_syntax_errors_are_pytest_s_to_report(pytester):
    pytester.makepyfile(f"import pytest\npytestmark = pytest.mark.{ELSEWHERE}\n)\n")
    result = pytester.runpytest_inprocess(*ALONE)
    result.stdout.fnmatch_lines(["*SyntaxError*"])
    result.assert_outcomes(errors=1)


def test_wrong_arguments_are_a_usage_error_and_still_nothing_is_imported(pytester):
    pytester.makepyfile(
        test_explosive=EXPLOSIVE.replace('reason="reads the registry"', '"registry"'),
        test_good="def test_good(): pass",
    )
    result = pytester.runpytest_inprocess(*ALONE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in result.errlines if line.startswith("ERROR")]
    assert len(errors) == 1
    assert errors[0].startswith(f"ERROR: test_explosive.py:3: pytest.mark.{ELSEWHERE}('registry')")
    result.stdout.no_fnmatch_line("*RuntimeError*")


def test_wrong_words_beside_a_platform_are_a_usage_error(pytester):
    pytester.makepyfile(
        test_explosive=EXPLOSIVE.replace("[", "[pytest.mark.requires('frok'), "),
    )
    result = pytester.runpytest_inprocess(*ALONE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: test_explosive.py:3: *'frok'; did you mean 'fork'[?]*"])


def test_a_file_that_says_nothing_of_our_markers_is_not_parsed(pytester, monkeypatch):
    def parse(*_):
        raise AssertionError("parsed")

    monkeypatch.setattr("pytest_syskit.hooks.skip_in_source.pytestmark_of", parse)
    pytester.makepyfile(f"""
        import pytest
        pytestmark = [pytest.mark.{HERE}_only, pytest.mark.usefixtures("tmp_path")]
        def test_a(): pass
    """)
    pytester.runpytest_inprocess(*ALONE).assert_outcomes(passed=1)

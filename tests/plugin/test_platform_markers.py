"""posix_only, linux_only, macos_only, windows_only."""

from __future__ import annotations

import pytest

from pytest_syskit.host import platforms

ALONE = ("--disable-plugin-autoload", "-p", "syskit", "-p", "no:cacheprovider", "-rs")


@pytest.fixture
def pretend(monkeypatch):
    """Let the machine be another one."""

    def be(title, *words):
        monkeypatch.setattr(platforms, "words_here", lambda: frozenset(words))
        monkeypatch.setattr(platforms, "title", lambda: title)

    return be


ONE_EACH = """
    import pytest

    @pytest.mark.posix_only
    def test_posix(): pass

    @pytest.mark.linux_only
    def test_linux(): pass

    @pytest.mark.macos_only
    def test_macos(): pass

    @pytest.mark.windows_only
    def test_windows(): pass
"""


@pytest.mark.parametrize(
    ("title", "words", "run"),
    [
        ("Linux", ["posix", "linux"], {"posix", "linux"}),
        ("macOS", ["posix", "macos"], {"posix", "macos"}),
        ("Windows", ["windows"], {"windows"}),
        ("freebsd14", ["posix"], {"posix"}),
    ],
)
def test_a_test_runs_on_its_own_system_only(pytester, pretend, title, words, run):
    pretend(title, *words)
    pytester.makepyfile(ONE_EACH)
    result = pytester.runpytest_inprocess(*ALONE, "-v")
    for word in platforms.WORDS:
        outcome = "PASSED" if word in run else "SKIPPED"
        result.stdout.fnmatch_lines([f"*::test_{word} {outcome}*"])
    result.stdout.fnmatch_lines([f"SKIPPED*only, and this is {title}"])
    assert result.ret == 0


@pytest.mark.parametrize(
    "mark", ["windows_only", "windows_only()", "windows_only(reason='reads the registry')"]
)
def test_with_and_without_parentheses(pytester, pretend, mark):
    pretend("Linux", "posix", "linux")
    pytester.makepyfile(f"import pytest\n\n@pytest.mark.{mark}\ndef test_a(): pass\n")
    result = pytester.runpytest_inprocess(*ALONE)
    why = " (reads the registry)" if "reason" in mark else ""
    result.stdout.fnmatch_lines([f"SKIPPED [[]1] *.py:3: for Windows only, and this is Linux{why}"])


def test_a_reason_serves_every_test_of_a_class_and_every_parameter(pytester, pretend):
    pretend("Linux", "posix", "linux")
    pytester.makepyfile("""
        import pytest

        @pytest.mark.windows_only(reason="reads the registry")
        class TestRegistry:
            @pytest.mark.parametrize("n", range(3))
            def test_a(self, n): pass
            def test_b(self): pass

        class TestMore(TestRegistry):
            pass
    """)
    result = pytester.runpytest_inprocess(*ALONE)
    assert result.stdout.str().count("(reads the registry)") == 2  # lines: 6 and 2 tests
    result.assert_outcomes(skipped=8)


def test_one_parameter_may_be_marked(pytester, pretend):
    pretend("Linux", "posix", "linux")
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize(
            "n", [1, pytest.param(2, marks=pytest.mark.macos_only), pytest.param(3, marks=[
                pytest.mark.posix_only, pytest.mark.linux_only(reason="x")])])
        def test_a(n): pass
    """)
    result = pytester.runpytest_inprocess(*ALONE, "-v")
    result.stdout.fnmatch_lines(["*test_a?2? SKIPPED*"])
    result.assert_outcomes(passed=2, skipped=1)


def test_marks_add_up(pytester, pretend):
    pretend("freebsd14", "posix")
    pytester.makepyfile("""
        import pytest

        @pytest.mark.linux_only
        class TestA:
            @pytest.mark.macos_only
            def test_a(self): pass
    """)
    result = pytester.runpytest_inprocess(*ALONE)
    result.stdout.fnmatch_lines(
        ["SKIPPED*: for Linux only, and this is freebsd14; for macOS only, and this is freebsd14"]
    )


def test_a_mark_that_another_plugin_adds_is_honoured(pytester, pretend):
    pretend("Linux", "posix", "linux")
    pytester.makeconftest("""
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.windows_only(reason="by conftest"))
    """)
    pytester.makepyfile("def test_a(): pass")
    result = pytester.runpytest_inprocess(*ALONE)
    result.stdout.fnmatch_lines(["SKIPPED*(by conftest)"])


def test_unittest_methods_are_skipped_too(pytester, pretend):
    pretend("Linux", "posix", "linux")
    pytester.makepyfile("""
        import unittest
        import pytest

        class TestA(unittest.TestCase):
            @pytest.mark.windows_only
            def test_a(self): raise AssertionError
            def test_b(self): pass
    """)
    pytester.runpytest_inprocess(*ALONE).assert_outcomes(passed=1, skipped=1)


def test_a_skipped_test_sets_nothing_up(pytester, pretend):
    pretend("Linux", "posix", "linux")
    pytester.makepyfile("""
        import pytest

        @pytest.fixture(autouse=True)
        def registry(): raise AssertionError("set up")

        @pytest.mark.windows_only
        def test_a(): pass
    """)
    pytester.runpytest_inprocess(*ALONE).assert_outcomes(skipped=1)


def test_marks_select_tests(pytester, pretend):
    pretend("Linux", "posix", "linux")
    pytester.makepyfile(ONE_EACH)
    result = pytester.runpytest_inprocess(*ALONE, "-m", "linux_only or windows_only")
    result.assert_outcomes(passed=1, skipped=1, deselected=2)


def test_the_markers_are_listed_and_strict(pytester):
    result = pytester.runpytest_inprocess(*ALONE, "--strict-markers", "--markers")
    result.stdout.fnmatch_lines(
        [f"@pytest.mark.{word}_only(reason=None): *" for word in platforms.WORDS]
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ("'10'", "*linux_only('10'): too many positional arguments; use it as linux_only(*"),
        ("reason=3", "*linux_only(reason=3): reason=3: takes a text that says why"),
        ("reason=''", "*linux_only(reason=''): reason='': takes a text that says why"),
        ("because='x'", "*got an unexpected keyword argument 'because'; use it as linux_only(*"),
    ],
)
def test_wrong_arguments_end_the_run(pytester, arguments, complaint):
    pytester.makepyfile(
        test_wrong=f"""
        import pytest

        def test_right(): pass

        @pytest.mark.linux_only({arguments})
        def test_a(): pass
    """
    )
    result = pytester.runpytest_inprocess(*ALONE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: test_wrong.py:5: test_a: {complaint}"])
    result.assert_outcomes()


def test_wrong_arguments_end_a_distributed_run(pytester):
    pytest.importorskip("xdist")
    pytester.makepyfile(
        test_wrong="""
        import pytest

        def test_right(): pass

        @pytest.mark.linux_only("10")
        def test_a(): pass
    """
    )
    result = pytester.runpytest_subprocess(*ALONE, "-p", "xdist", "-n", "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.stderr.str().count("test_wrong.py:5: test_a: pytest.mark.linux_only('10')") == 1
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    result.assert_outcomes()


def test_every_wrong_mark_is_named_once(pytester):
    pytester.makepyfile(
        test_wrong="""
        import pytest

        pytestmark = [pytest.mark.posix_only,
                      pytest.mark.posix_only(1)]

        @pytest.mark.posix_only(2)
        class TestA:
            @pytest.mark.parametrize("n", range(3))
            @pytest.mark.posix_only(3)
            def test_a(self, n): pass
            def test_b(self): pass
    """
    )
    result = pytester.runpytest_inprocess(*ALONE, "--collect-only")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in result.errlines if line.startswith("ERROR")]
    assert [error.split(": too many")[0] for error in sorted(errors)] == [
        "ERROR: test_wrong.py:4: pytest.mark.posix_only(1)",
        "ERROR: test_wrong.py:6: TestA: pytest.mark.posix_only(2)",
        "ERROR: test_wrong.py:8: test_a[0]: pytest.mark.posix_only(3)",
    ]


def test_a_deselected_test_is_checked_as_well(pytester):
    pytester.makepyfile("""
        import pytest

        @pytest.mark.linux_only(1)
        def test_a(): pass
        def test_b(): pass
    """)
    result = pytester.runpytest_inprocess(*ALONE, "-k", "test_b")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_a_wrong_mark_that_another_plugin_adds_ends_the_run(pytester):
    pytester.makeconftest("""
        import pytest

        def pytest_collection_modifyitems(items):
            items[0].add_marker(pytest.mark.posix_only("late"))
    """)
    pytester.makepyfile("def test_a(): pass")
    result = pytester.runpytest_inprocess(*ALONE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *: test_a: pytest.mark.posix_only('late'): *"])


def test_a_test_is_given_one_skip(pytester, pretend):
    pretend("Linux", "posix", "linux")
    pytester.makepyfile("""
        import pytest

        @pytest.mark.windows_only
        @pytest.mark.macos_only
        def test_a(): pass
    """)
    (item,), _ = pytester.inline_genitems(*ALONE)
    assert len(list(item.iter_markers("skip"))) == 1

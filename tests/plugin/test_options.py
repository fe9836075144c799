"""Options in their four spellings, their order, and what a wrong value is told."""

from __future__ import annotations

import json

import pytest

from pytest_syskit.hooks.options import OPTIONS

CLEAN = "def test_clean(): pass"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch):
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)


@pytest.fixture
def run(pytester):
    """Run pytest in this process, without plugins that leave sockets and warnings behind."""

    def run(*arguments):
        quiet = ("cacheprovider", "rerunfailures", "asyncio", "randomly")
        off = [word for name in quiet for word in ("-p", f"no:{name}")]
        return pytester.runpytest_inprocess(*off, *arguments)

    return run


@pytest.fixture
def header(pytester, run):
    """Run an empty test, and return what the header says of us."""
    pytester.makepyfile(CLEAN)

    def header(*arguments):
        result = run(*arguments)
        assert result.ret == 0, result.stdout.str()
        return next((x for x in result.outlines if x.startswith("syskit: ")), "")

    return header


def test_help_shows_the_group(run, pytester):
    result = run("--help")
    result.stdout.fnmatch_lines(["*testing system code (pytest-syskit)*"])
    for option in OPTIONS:
        assert option.switch in result.stdout.str()


def test_the_default_is_to_warn_of_processes_and_descriptors(header):
    assert header() == "syskit: leaks: warn (process, fd)"


def test_nothing_is_said_when_leaks_are_off(header):
    assert header("--syskit-leaks=off") == ""


def test_ini_files_in_both_dialects(header, pytester):
    pytester.makeini("[pytest]\nsyskit_leaks = fail\nsyskit_leak_kinds = fd")
    assert header() == "syskit: leaks: fail (fd)"


@pytest.mark.skipif(
    int(pytest.__version__.partition(".")[0]) < 9, reason="[tool.pytest] is new in 9.0"
)
def test_native_toml_types(header, pytester):
    pytester.makepyprojecttoml(
        """
        [tool.pytest]
        syskit_leaks = "fail"
        syskit_leak_kinds = ["process"]
        syskit_leak_grace = 1.5
        syskit_leak_ignore = ["fd:*.log  # rotated"]
        syskit_reap = "leaked"
        syskit_subreaper = true
        """
    )
    assert header() == "syskit: leaks: fail (process), orphans adopted"


def test_environment_beats_ini_and_command_line_beats_environment(header, pytester, monkeypatch):
    pytester.makeini("[pytest]\nsyskit_leaks = fail")
    monkeypatch.setenv("SYSKIT_LEAKS", "warn")
    assert header() == "syskit: leaks: warn (process, fd)"
    assert header("--syskit-leaks=off") == ""


def test_an_empty_environment_variable_is_a_wrong_value_too(run, pytester, monkeypatch):
    monkeypatch.setenv("SYSKIT_LEAKS", "")
    result = run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*SYSKIT_LEAKS=''*takes one of off, warn, fail*"])


def test_a_negated_switch_beats_the_ini_file(header, pytester):
    pytester.makeini("[pytest]\nsyskit_subreaper = true")
    assert "orphans adopted" in header()
    assert "orphans adopted" not in header("--no-syskit-subreaper")


def test_all_stands_for_every_kind(header):
    kinds = "process, fd, thread, cwd, umask, env, signal, timer"
    assert header("--syskit-leak-kinds=all") == f"syskit: leaks: warn ({kinds})"


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("--syskit-leaks=maybe", "*--syskit-leaks*'maybe'*takes one of off, warn, fail*"),
        (
            "--syskit-leak-kinds=fd,files",
            "*--syskit-leak-kinds*does not know 'files'*process, fd*all*",
        ),
        (
            "--syskit-leak-grace=-1",
            "*--syskit-leak-grace*'-1'*takes a number of seconds, 0 or more*",
        ),
        ("--syskit-leak-grace=soon", "*--syskit-leak-grace*'soon'*takes a number of seconds*"),
        ("--syskit-leak-grace=nan", "*--syskit-leak-grace*'nan'*takes a number of seconds*"),
        ("--syskit-reap=all", "*--syskit-reap*'all'*takes one of never, leaked*"),
        ("--syskit-restore=all", "*--syskit-restore*'all'*takes one of never, leaked*"),
        ("--syskit-leak-ignore=fd:x", "*--syskit-leak-ignore*'fd:x'*the reason is missing*"),
        ("--syskit-leak-ignore=x # y", "*--syskit-leak-ignore*'x # y'*kind:pattern*"),
        ("--syskit-report=leaks.txt", "*--syskit-report='leaks.txt': *ends in .json*"),
        ("--syskit-report=nowhere/leaks.json", "*nowhere/leaks.json*directory*does not exist*"),
    ],
)
def test_a_wrong_value_is_a_usage_error_that_says_what_would_be_right(
    run, pytester, argument, complaint
):
    pytester.makepyfile(CLEAN)
    result = run(argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([complaint])
    assert "Traceback" not in result.stderr.str()


def test_of_several_values_the_wrong_one_is_named(run, pytester):
    pytester.makepyfile(CLEAN)
    result = run("--syskit-report=a.json", "--syskit-report=b.xml")
    result.stderr.fnmatch_lines(["*--syskit-report='b.xml': *ends in .json*"])


def test_a_wrong_ini_value_names_the_key(run, pytester):
    pytester.makeini("[pytest]\nsyskit_leak_grace = soon")
    result = run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*syskit_leak_grace*"])


def test_a_report_that_is_a_directory_is_refused_before_the_run(run, pytester):
    pytester.mkdir("leaks.json")
    result = run("--syskit-report=leaks.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--syskit-report=leaks.json*cannot be written*"])


def test_several_reports_are_written(run, pytester):
    pytester.makepyfile(CLEAN)
    run("--syskit-report=a.json", "--syskit-report=b.json")
    first, second = (json.loads((pytester.path / x).read_text()) for x in ("a.json", "b.json"))
    assert first == second
    assert first["format"] == 1
    assert first["tests_checked"] == 1


def test_rules_of_all_sources_are_gathered(run, pytester, monkeypatch):
    pytester.makepyfile(CLEAN)
    pytester.makeini("[pytest]\nsyskit_leak_ignore =\n    fd:a  # ini\n    fd:b  # ini")
    monkeypatch.setenv("SYSKIT_LEAK_IGNORE", "fd:c  # environment")
    run("--syskit-leak-ignore=fd:d  # line", "--syskit-report=x.json")
    report = json.loads((pytester.path / "x.json").read_text())
    assert sorted(report["stale_rules"]) == [
        "fd:a  # ini",
        "fd:b  # ini",
        "fd:c  # environment",
        "fd:d  # line",
    ]


def test_info_tells_what_the_machine_can_do_and_ends_well(run, pytester):
    pytester.makepyfile("assert False, 'not collected'")
    result = run("--syskit-info")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*mechanisms*", "*descriptors*", "*children*", "*capabilities*", "*mkfifo*"]
    )


def test_no_syskit_switches_all_of_it_off(run, pytester):
    pytester.makepyfile(CLEAN)
    result = run("-p", "no:syskit")
    assert result.ret == 0
    assert not [line for line in result.outlines if line.startswith("syskit: ")]


def test_the_plugin_can_be_loaded_by_name_without_autoload(run, pytester, monkeypatch):
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(CLEAN)
    result = pytester.runpytest_subprocess("-p", "syskit")
    result.stdout.fnmatch_lines(["syskit: leaks: warn*"])


def test_collect_only_watches_nothing(run, pytester):
    pytester.makepyfile(CLEAN)
    result = run("--collect-only", "--syskit-report=x.json")
    assert result.ret == 0
    assert json.loads((pytester.path / "x.json").read_text())["tests_checked"] == 0

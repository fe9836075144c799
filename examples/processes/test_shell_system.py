"""Statuses are decoded, the shell expands, the background goes on, foreign text runs nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from shell_system import (
    expand_without_shell,
    lines_in_file,
    lines_in_file_quoted,
    lines_in_file_unsafe,
    run_in_shell,
    show_background,
)
from wait_status import ChildStatus

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]

SCRIPT = Path(__file__).with_name("shell_system.py")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("true", ChildStatus(exit_code=0)),
        ("exit 3", ChildStatus(exit_code=3)),
        ("exit 255", ChildStatus(exit_code=255)),
        ("kill -KILL $$", ChildStatus(killed_by=signal.SIGKILL)),
        ("no-such-program 2>&1", ChildStatus(exit_code=127)),
        ("sh -c 'kill -TERM $$'; exit $?", ChildStatus(exit_code=128 + signal.SIGTERM)),
    ],
)
def test_the_word_of_system_is_decoded(fork_runner, command, status):
    assert fork_runner.run(run_in_shell, command).unwrap() == status


@pytest.mark.requires("mkfifo")
def test_the_script_shows_calling_before_sleeping_before_the_end(process_factory, fake_env):
    program = process_factory([sys.executable, SCRIPT], extra_env={"PYTHONUNBUFFERED": ""})
    assert program.wait(timeout=20) == 0
    assert program.stdout.splitlines() == [
        "true: exited with status 0",
        "exit 3: exited with status 3",
        "kill -TERM $$: was killed by SIGTERM",
        fake_env["TMPDIR"],
        "Calling...",
        "Sleeping...",
        "finished in the background",
    ]
    assert program.stderr == ""


def test_the_shell_expands_a_variable_and_an_argument_list_does_not(fork_runner, fake_env):
    fake_env.set("TMPDIR", "/some where/else")
    assert fork_runner.run(run_in_shell, 'echo "$TMPDIR"').stdout == "/some where/else\n"
    plain = subprocess.run(["echo", "$TMPDIR"], capture_output=True, text=True, check=True)
    assert plain.stdout == "$TMPDIR\n"
    assert expand_without_shell("$TMPDIR/x") == "/some where/else/x"


def test_expanding_without_a_shell_runs_nothing(fake_env):
    assert expand_without_shell("~/$(touch pwned)") == f"{fake_env.home}/$(touch pwned)"


def test_a_call_with_a_background_command_returns_before_that_ends(fork_runner):
    # The command waits for a reader, which is there only after "Sleeping...".
    result = fork_runner.run(show_background, "echo one; echo two >&2", timeout=20)
    assert result.unwrap() == "one\ntwo\n"
    assert result.stdout == "Calling...\nSleeping...\n"


def test_a_background_command_that_the_shell_cannot_read_is_an_error_and_no_hang(fork_runner):
    result = fork_runner.run(show_background, "if", timeout=20)
    with pytest.raises(OSError, match="the shell exited with status"):
        result.unwrap()
    assert "Sleeping" not in result.stdout


def test_output_of_the_background_that_is_no_text_comes_through(fork_runner):
    result = fork_runner.run(show_background, r"printf 'caf\351'", timeout=20)
    assert result.unwrap() == "caf\udce9"


@pytest.fixture
def trapped_file(temp_workspace):
    """Stand in a directory with a file whose name is a command."""
    name = "three lines; touch pwned"
    temp_workspace.populate({name: "1\n2\n3\n"})
    with temp_workspace.chdir():
        yield temp_workspace, name


def test_the_unsafe_form_runs_what_a_file_name_says(fork_runner, trapped_file):
    workspace, name = trapped_file
    fork_runner.run(lines_in_file_unsafe, name)
    assert (workspace / "pwned").exists()


def test_the_quoted_form_does_not(fork_runner, trapped_file):
    workspace, name = trapped_file
    before = workspace.snapshot()
    result = fork_runner.run(lines_in_file_quoted, name)
    assert (result.unwrap(), result.stdout) == (ChildStatus(exit_code=0), f"3 {name}\n")
    assert not workspace.diff(before)


@pytest.mark.parametrize(
    "name", ["-l", "$HOME", "a'b\"c", "new\nline", "caf\udce9", "`touch pwned`"]
)
def test_the_safe_form_takes_any_name(fork_runner, temp_workspace, name):
    temp_workspace.populate({name: "1\n2\n"})
    before = temp_workspace.snapshot()
    with temp_workspace.chdir():
        assert lines_in_file(name) == 2
        assert fork_runner.run(lines_in_file_quoted, name).unwrap().succeeded
    assert not temp_workspace.diff(before)


def test_a_missing_file_is_an_error(temp_workspace, capfd):
    with pytest.raises(subprocess.CalledProcessError, match="exit status 1"):
        lines_in_file(str(temp_workspace / "missing"))
    assert "missing" in capfd.readouterr().err

"""The child becomes the second script, or ends with 127 at once (exercise C7)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import exec_after_fork
import fork_execvp as module
import hello_script
import pytest
from fork_execvp import run_script, start_script
from forked_worker import fork_worker, wait_for
from wait_status import ChildStatus

from pytest_syskit import Raised

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]


def test_each_turn_starts_the_script_with_its_number_until_q():
    done = subprocess.run(
        [sys.executable, module.__file__],
        input="\n\nq\n", capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    pids = re.findall(r"^child is (\d+)$", done.stdout, re.MULTILINE)
    said = re.findall(r"^hello from script (\d+) with (\d+)$", done.stdout, re.MULTILINE)
    assert sorted(said, key=lambda each: int(each[1])) == list(zip(pids, "123", strict=True))
    assert done.stdout.endswith("3 children started and waited for\n")


@pytest.mark.parametrize(
    "argument", ["two words", "", "$HOME", "*", "new\nline", "caf\udce9", "'\""]
)
def test_the_script_gets_the_argument_as_it_is(fork_runner, argument):
    result = fork_runner.run(run_script, argument)
    assert result.unwrap() == ChildStatus(exit_code=0)
    shown = os.fsencode(argument).decode(errors="backslashreplace")
    assert re.fullmatch(rf"hello from script \d+ with {re.escape(shown)}\n", result.stdout)
    assert result.leaks == ()


def test_the_pid_of_the_fork_is_that_of_the_script(fork_runner):
    def start_and_wait() -> int:
        pid = start_script("spam")
        wait_for(pid)
        return pid

    result = fork_runner.run(start_and_wait)
    assert result.stdout == f"hello from script {result.unwrap()} with spam\n"


def test_a_missing_script_is_the_interpreters_error(fork_runner, temp_workspace):
    result = fork_runner.run(run_script, "spam", str(temp_workspace / "gone.py"))
    assert result.unwrap() == ChildStatus(exit_code=2)
    assert "gone.py" in result.stderr


def statuses_of(work) -> list[int]:
    """Run ``work``, which fails, and return the exit status of each child it waited for."""
    seen, waitpid = [], os.waitpid

    def watched(pid, options) -> tuple[int, int]:
        pid, word = waitpid(pid, options)
        seen.append(os.waitstatus_to_exitcode(word))
        return pid, word

    os.waitpid = watched  # in a child of its own
    with pytest.raises(OSError, match=r"Permission denied|No such file"):
        work()
    return seen


@pytest.mark.parametrize("kind", ["missing", "no program"])
def test_a_failed_exec_is_127_in_the_child_and_an_error_in_the_parent(
    fork_runner, temp_workspace, monkeypatch, kind
):
    temp_workspace.populate({"no program": "text"})
    monkeypatch.setattr(sys, "executable", str(temp_workspace / kind))
    result = fork_runner.run(statuses_of, lambda: run_script("spam"))
    assert result.unwrap() == [127]
    assert result.leaks == ()


def test_a_child_whose_exec_failed_does_not_go_round_the_loop(temp_workspace):
    # Its parent, told of the error, ends; a child that lived on would fork for each line.
    program = (
        f"import sys; sys.path.insert(0, {os.path.dirname(module.__file__)!r})\n"
        "import fork_execvp; sys.executable = '/no/such/python'\n"
        "status = fork_execvp.main([])\n"
        "print('here once')\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input="\n\n\nq\n", capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "here once\n")
    assert done.stderr == "fork_execvp: cannot start a child: No such file or directory\n"


@pytest.mark.parametrize("words", [("ls", "-l", "/"), ("ls", "-l")])
def test_loose_strings_are_no_argument_list(fork_runner, words):
    result = fork_runner.run(lambda: os.execvp(*words))
    assert isinstance(result, Raised)
    assert isinstance(result.error, TypeError)


def test_a_child_that_passes_loose_strings_ends_there_too(fork_runner, monkeypatch):
    # An error that is no OSError: the child must not climb out of it either.
    execvp = os.execvp
    monkeypatch.setattr(exec_after_fork.os, "execvp", lambda name, words: execvp(name, *words))
    result = fork_runner.run(run_script, "spam")
    assert result.unwrap() == ChildStatus(exit_code=127)


def test_the_first_word_of_the_list_is_the_programs_own_name(fork_runner):
    def show_name() -> int:
        os.execvp("sh", ["my name", "-c", 'echo "$0"'])
        return 1

    assert fork_runner.run(lambda: wait_for(fork_worker(show_name))).stdout == "my name\n"


def test_an_argument_that_no_program_can_have_is_refused():
    with pytest.raises(ValueError, match="a NUL cannot be passed"):
        start_script("a\0b")


def test_help_and_wrong_arguments(capsys):
    for script, arguments, status in (
        (module, ["--help"], 0),
        (module, ["now"], 2),
        (hello_script, ["--help"], 0),
        (hello_script, [], 2),
    ):
        with pytest.raises(SystemExit) as ended:
            script.main(arguments)
        assert ended.value.code == status
    errors = capsys.readouterr().err
    assert "fork_execvp: error: " in errors
    assert "hello_script: error: " in errors


def test_the_second_script_is_found_from_anywhere():
    assert Path(module.SCRIPT).is_absolute()
    assert Path(module.SCRIPT) == Path(hello_script.__file__)

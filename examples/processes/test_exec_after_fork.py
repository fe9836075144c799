"""A forked child becomes another program, or the parent raises why it could not."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from exec_after_fork import run_program, start_program
from wait_status import ChildStatus

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]

SCRIPT = Path(__file__).with_name("exec_after_fork.py")


def test_the_child_becomes_the_program_with_its_arguments_as_they_are(fork_runner, fake_env):
    stub = fake_env.stub_command("greet", stdout="hello\n", exit_code=3)
    arguments = ["two words", "", "$HOME", "*", "new\nline"]
    result = fork_runner.run(run_program, ["greet", *arguments])
    assert result.unwrap() == ChildStatus(exit_code=3)
    assert result.stdout == "hello\n"
    assert stub.calls[0].argv == ["greet", *arguments]


def test_the_pid_of_the_fork_is_the_pid_of_the_program(fork_runner):
    def start_and_wait() -> int:
        pid = start_program(["sh", "-c", "echo $$"])
        os.waitpid(pid, 0)
        return pid

    result = fork_runner.run(start_and_wait)
    assert result.stdout == f"{result.unwrap()}\n"


def _buffer_output() -> None:
    """Hold text back as Python does outside of pytest, which writes through."""
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)))


def test_the_parent_goes_on_and_text_that_waited_comes_first_and_once(fork_runner):
    def print_around() -> None:
        _buffer_output()
        print("parent")
        run_program(["echo", "program"])
        print("parent again", flush=True)

    assert fork_runner.run(print_around).stdout == "parent\nprogram\nparent again\n"


def test_a_program_that_is_missing_is_an_error_in_the_parent_and_no_zombie(fork_runner, fake_env):
    result = fork_runner.run(run_program, ["no-such-program", "spam"])
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        result.unwrap()
    assert result.leaks == ()


def test_a_program_that_may_not_run_is_told_apart(fork_runner, temp_workspace):
    temp_workspace.populate({"plain.txt": "no program"})
    result = fork_runner.run(run_program, [str(temp_workspace / "plain.txt")])
    with pytest.raises(PermissionError, match=r"plain\.txt"):
        result.unwrap()


def test_the_program_has_the_default_action_for_a_broken_pipe(fork_runner):
    result = fork_runner.run(run_program, ["sh", "-c", "kill -PIPE $$; echo survived"])
    assert result.unwrap() == ChildStatus(killed_by=signal.SIGPIPE)
    assert result.stdout == ""


@pytest.mark.requires("proc")
def test_the_program_inherits_no_descriptor_that_was_made_for_the_start(fork_runner):
    list_open = [sys.executable, "-S", "-c", "import os; print(*os.listdir('/proc/self/fd'))"]

    def heirlooms_and_program() -> set[str]:
        run_program(list_open)
        return {fd for fd in os.listdir("/proc/self/fd") if _is_inheritable(int(fd))}

    result = fork_runner.run(heirlooms_and_program)
    opened_by_the_listing = 1
    assert len(result.stdout.split()) == len(result.unwrap()) + opened_by_the_listing
    assert result.leaks == ()


def _is_inheritable(fd) -> bool:
    try:
        return os.get_inheritable(fd)
    except OSError:  # the one that the listing itself had open
        return False


@pytest.mark.parametrize("argv", [[], "ls -l"])
def test_a_text_or_nothing_is_no_argument_list(argv):
    with pytest.raises(ValueError, match="a list is expected"):
        start_program(argv)


@pytest.mark.parametrize(
    ("word", "error"), [("a\0b", ValueError), ("\ud800", ValueError), (7, TypeError)]
)
def test_a_word_that_no_program_can_be_given_is_an_error_before_the_fork(leak_check, word, error):
    with leak_check(), pytest.raises(error):
        run_program(["echo", word])


def _run(*arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, os.fspath(SCRIPT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_script_leaves_with_the_status_of_the_program(fake_env):
    assert _run("sh", "-c", "echo out; exit 4") == (4, "out\n", "")
    assert _run("sh", "-c", "kill -TERM $$") == (
        143,
        "",
        "exec_after_fork: sh was killed by SIGTERM\n",
    )
    assert _run("no-such-program") == (
        127,
        "",
        "exec_after_fork: no-such-program: No such file or directory\n",
    )

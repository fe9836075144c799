"""The old forms and the new ones agree on what they agree on, and differ as documented."""

from __future__ import annotations

import io
import signal
import subprocess
import sys

import pytest
from spawn_forms import exit_code, posix_spawn, run, spawn, spawn_and_wait

from pytest_syskit import Fifo

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]


def _spawn_later(argv) -> int:
    return exit_code(spawn(argv))


def _posix_spawn_later(argv) -> int:
    return exit_code(posix_spawn(argv))


OLD = [spawn_and_wait, _spawn_later]
NEW = [_posix_spawn_later, run]


@pytest.mark.parametrize("form", OLD + NEW)
def test_every_form_passes_the_arguments_on_and_returns_the_exit_code(fork_runner, fake_env, form):
    stub = fake_env.stub_command("greet", stdout="hello\n", exit_code=3)
    result = fork_runner.run(form, ["greet", "two words", "$HOME", ""])
    assert result.unwrap() == 3
    assert result.stdout == "hello\n"
    assert stub.calls[0].argv == ["greet", "two words", "$HOME", ""]
    assert result.leaks == ()


def _buffer_output() -> None:
    """Hold text back as Python does outside of pytest, which writes through."""
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)))


@pytest.mark.parametrize("form", OLD + NEW)
def test_text_that_waited_comes_first_and_once(fork_runner, form):
    def print_and_run() -> None:
        _buffer_output()
        print("before")
        form(["echo", "program"])
        print("after", flush=True)

    assert fork_runner.run(print_and_run).stdout == "before\nprogram\nafter\n"


@pytest.mark.parametrize("form", OLD + NEW)
def test_every_form_tells_a_signal_by_its_negative_number(fork_runner, form):
    assert fork_runner.run(form, ["sh", "-c", "kill -TERM $$"]).unwrap() == -signal.SIGTERM


@pytest.mark.parametrize("form", OLD)
def test_the_old_forms_cannot_tell_a_missing_program_from_one_that_ends_with_127(
    fork_runner, fake_env, form
):
    assert fork_runner.run(form, ["no-such-program"]).unwrap() == 127
    assert fork_runner.run(form, ["sh", "-c", "exit 127"]).unwrap() == 127


@pytest.mark.parametrize("form", NEW)
def test_the_new_forms_raise_for_a_missing_program_and_leave_no_child(form, leak_check, fake_env):
    with leak_check(), pytest.raises(FileNotFoundError, match="no-such-program"):
        form(["no-such-program"])


@pytest.mark.parametrize(
    ("form", "status"), [*((each, 0) for each in OLD), *((each, -13) for each in NEW)]
)
def test_only_the_new_forms_give_a_program_the_default_action_for_a_broken_pipe(
    fork_runner, form, status
):
    assert fork_runner.run(form, ["sh", "-c", "kill -PIPE $$; exit 0"]).unwrap() == status


def test_nowait_returns_while_the_program_runs(fork_runner, temp_workspace):
    gate_path = temp_workspace.populate({"gate": Fifo()}) / "gate"

    def start_and_release() -> int:
        pid = spawn(["cat", str(gate_path)])  # waits for a writer
        with open(gate_path, "w") as gate:
            gate.write("released\n")
        return exit_code(pid)

    result = fork_runner.run(start_and_release, timeout=10)
    assert (result.unwrap(), result.stdout) == (0, "released\n")


def test_a_pid_that_nobody_waits_for_is_a_leak(fork_runner):
    result = fork_runner.run(spawn, ["true"])
    assert [leak.pid for leak in result.leaks] == [result.unwrap()]


def test_an_environment_of_its_own(fork_runner):
    command = ["/bin/sh", "-c", 'test "$ONLY" = this && test -z "$HOME"']
    assert fork_runner.run(spawn_and_wait, command, {"ONLY": "this"}).unwrap() == 0


def test_posix_spawn_writes_into_a_file_of_any_name(temp_workspace):
    target = temp_workspace / "new\nline \udce9.txt"
    assert exit_code(posix_spawn(["echo", "spam"], stdout=target)) == 0
    assert target.read_text() == "spam\n"
    assert exit_code(posix_spawn(["echo"], stdout=target)) == 0
    assert target.read_text() == "\n"  # what was there is gone


def test_posix_spawn_without_a_place_for_the_output_is_an_error(temp_workspace):
    with pytest.raises(FileNotFoundError):
        posix_spawn(["echo"], stdout=temp_workspace / "missing" / "out.txt")


def test_a_program_that_takes_too_long_is_ended_and_waited_for(leak_check):
    with leak_check(), pytest.raises(subprocess.TimeoutExpired):
        run(["sleep", "60"], timeout=0.1)

"""A spawned program is waited for, whatever happens in the block (exercise D4)."""

from __future__ import annotations

import os
import signal
import time

import pytest
import spawned_program as module
from spawned_program import SpawnedProgram, spawned

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]
STUBBORN = ["sh", "-c", 'trap "" TERM; echo > "$0"; exec sleep 60']


def is_gone(pid) -> bool:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return True
    return False


def test_the_exit_code_and_the_arguments(fake_env, leak_check):
    stub = fake_env.stub_command("greet", exit_code=3)
    with leak_check(), spawned(["greet", "two words", "$HOME", ""]) as program:
        assert program.wait(timeout=20) == 3
    assert stub.calls[0].argv == ["greet", "two words", "$HOME", ""]
    assert program.exit_code == 3


def test_a_pid_of_nowait_that_nobody_waits_for_is_found(leak_check):
    with leak_check(expect="process") as check:
        pid = os.spawnvp(os.P_NOWAIT, "true", ["true"])
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert [leak.detail["state"] for leak in check.left] == ["zombie"]
    os.waitpid(pid, 0)


def test_a_program_that_nobody_waited_for_is_ended_with_the_block(leak_check):
    with leak_check(), spawned(["sleep", "60"]) as program:
        assert program.poll() is None
    assert program.exit_code == -signal.SIGTERM
    assert is_gone(program.pid)


def test_it_is_ended_after_an_error_in_the_block(leak_check):
    with leak_check(), pytest.raises(KeyError), spawned(["sleep", "60"]) as program:
        raise KeyError
    assert program.exit_code == -signal.SIGTERM


def test_a_program_that_ignores_the_request_is_killed(temp_workspace, leak_check, signal_timeout):
    ready = temp_workspace / "ready"
    with leak_check(), signal_timeout(30), spawned([*STUBBORN, str(ready)], grace=0.05) as program:
        pass_when_there(ready)
    assert program.exit_code == -signal.SIGKILL


def pass_when_there(path) -> None:
    while not path.exists():
        time.sleep(0.005)  # the caller's limit ends this


def test_a_wait_has_a_limit():
    too_long = r"'sleep' \(pid \d+\) still runs after 0.05 s"
    with spawned(["sleep", "60"]) as program, pytest.raises(TimeoutError, match=too_long):
        program.wait(timeout=0.05)


def test_waiting_twice_gives_the_same_answer():
    with spawned(["sh", "-c", "exit 7"]) as program:
        assert [program.wait(20), program.wait(20), program.poll()] == [7, 7, 7]


def test_a_signal_after_the_end_goes_nowhere(monkeypatch):
    with spawned(["true"]) as program:
        program.wait(timeout=20)
        sent = []
        monkeypatch.setattr(module.os, "kill", lambda *call: sent.append(call))
        assert program.send_signal(signal.SIGKILL) is False
    assert sent == []


def test_a_signal_before_the_end_arrives():
    with spawned(["sleep", "60"]) as program:
        assert program.send_signal(signal.SIGUSR1) is True
        assert program.wait(timeout=20) == -signal.SIGUSR1


def test_a_missing_program_is_an_error_and_no_child(leak_check, fake_env):
    with leak_check(), pytest.raises(FileNotFoundError, match="'no-such-program' is no program"):
        spawned(["no-such-program"]).__enter__()


def test_a_killed_program_is_waited_for_once():
    with spawned(["sleep", "60"]) as program:
        assert isinstance(program, SpawnedProgram)
        assert program.end(grace=20) == -signal.SIGTERM
        assert program.end(grace=20) == -signal.SIGTERM

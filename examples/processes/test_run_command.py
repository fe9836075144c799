"""A command's output, limit and status; and nobody is left, whatever happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from run_command import Cancelled, run_command

pytestmark = pytest.mark.posix_only


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_both_outputs_and_the_status_come_back():
    result = run_command(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (result.stdout, result.stderr, result.status) == (b"out\n", b"err\n", 3)


def test_arguments_reach_the_program_as_they_are():
    words = ["a b", "$HOME", "*", "; exit 9", "line\nbreak", os.fsdecode(b"\xff")]
    result = run_command(["printf", "%s\\0", *words])
    assert result.stdout.split(b"\0")[:-1] == [os.fsencode(word) for word in words]


def test_a_stand_in_gets_input_environment_and_directory(fake_env, temp_workspace):
    stub = fake_env.stub_command("convert", stdout="done\n")
    environment = {**os.environ, "QUALITY": "90"}
    result = run_command(["convert", "-"], feed=b"image", env=environment, cwd=temp_workspace.path)
    (call,) = stub.calls
    assert result.stdout == b"done\n"
    assert (call.argv, call.stdin) == (["convert", "-"], b"image")
    assert (call.env["QUALITY"], call.cwd) == ("90", str(temp_workspace.path))


def test_full_pipes_in_all_directions_stop_nobody():
    code = "import sys; text = sys.stdin.read(); sys.stderr.write(text); sys.stdout.write(text)"
    feed = b"x" * 1_000_000
    result = run_command(python(code), feed=feed, timeout=30)
    assert result.stdout == result.stderr == feed


def test_a_command_that_does_not_read_its_input_is_no_error():
    assert run_command(["true"], feed=b"x" * 1_000_000).status == 0


def test_check_turns_a_status_into_an_error_with_the_output():
    with pytest.raises(subprocess.CalledProcessError, match="status 3") as caught:
        run_command(["sh", "-c", "echo out; echo why >&2; exit 3"], check=True)
    assert (caught.value.stdout, caught.value.stderr) == (b"out\n", b"why\n")


def test_death_by_a_signal_shows_its_number():
    assert run_command(["sh", "-c", "kill -KILL $$"]).status == -signal.SIGKILL


@pytest.mark.usefixtures("fake_env")  # PATH may have folders that may not be searched
def test_a_missing_program_is_an_error_of_its_own():
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        run_command(["no-such-program"])


def test_after_a_timeout_the_grandchildren_are_gone_too(leak_check):
    with leak_check(), pytest.raises(subprocess.TimeoutExpired, match=r"0\.5 seconds") as caught:
        run_command(["sh", "-c", "echo begun; sleep 600 & sleep 600"], timeout=0.5)
    assert caught.value.output == b"begun\n"


def test_after_a_timeout_one_that_ignores_term_is_gone_too(leak_check):
    with leak_check(), pytest.raises(subprocess.TimeoutExpired):
        run_command(["sh", "-c", "trap '' TERM; sleep 600"], timeout=0.3, grace=0.1)


def test_ctrl_c_ends_the_group(leak_check):
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with leak_check(), pytest.raises(KeyboardInterrupt):
            run_command(["sh", "-c", "sleep 600 & sleep 600"])
    finally:
        signal.signal(signal.SIGALRM, previous)


def test_another_thread_can_call_it_off(leak_check):
    cancelled = threading.Event()
    cancelled.set()
    with leak_check(), pytest.raises(Cancelled, match="called off"):
        run_command(["sleep", "600"], cancelled=cancelled)

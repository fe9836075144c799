"""A child ends where it should, and is waited for (exercise A14)."""
# ruff: noqa: ANN202  # what is run in children returns what the test compares

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time

import fork_and_wait as module
import pytest
from fork_and_wait import fork_child, main, wait_for

from pytest_syskit import Exited, Returned

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]


def test_parent_and_child_know_each_other():
    done = subprocess.run(
        [sys.executable, module.__file__], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    greeting = r"^(\w+ +\d+): my (?:parent|child) is (\d+)$"
    found = dict(re.findall(greeting, done.stdout, re.MULTILINE))
    parent, child = (
        next(key for key in found if key.startswith(who)) for who in ("parent", "child")
    )
    assert parent.split()[1] == found[child]
    assert child.split()[1] == found[parent]
    assert done.stdout.endswith(f"child {found[parent]} ended with status 0\n")


@pytest.mark.parametrize("status", [0, 7, 255])
def test_the_status_is_what_the_work_returns(status, leak_check):
    with leak_check():
        assert wait_for(fork_child(lambda: status)) == status


def _fork_and_tell_who_comes_back(work):
    forker = os.getpid()
    pid = fork_child(work)
    os.write(1, b"came back\n")
    assert os.getpid() == forker
    return wait_for(pid)


def _fail():
    raise ValueError("in the child")


def _exit():
    sys.exit(3)


@pytest.mark.parametrize("work", [_fail, _exit, lambda: 0, lambda: "no status", lambda: 2**40])
def test_a_child_never_runs_on_into_its_parents_code(fork_runner, work):
    result = fork_runner.run(_fork_and_tell_who_comes_back, work)
    assert isinstance(result, Returned)
    assert result.stdout == "came back\n"
    assert not result.leaks


def _write_to_a_full_disk():
    sys.stdout = open("/dev/full", "w")  # noqa: SIM115  # flushed by the child's end
    sys.stdout.write("lost")
    return 0


@pytest.mark.linux_only(reason="/dev/full")
def test_output_that_is_lost_is_no_success(fork_runner):
    result = fork_runner.run(_fork_and_tell_who_comes_back, _write_to_a_full_disk)
    assert result.value == 1
    assert "No space left on device" in result.stderr


def test_an_error_in_the_child_is_told_and_is_status_1(fork_runner):
    result = fork_runner.run(_fork_and_tell_who_comes_back, _fail)
    assert result.value == 1
    assert "ValueError: in the child" in result.stderr


PRINT_AND_FORK = """
import sys; sys.path.insert(0, sys.argv[1])
from fork_and_wait import fork_child, wait_for
def say(word):
    for stream in (sys.stdout, sys.stderr):
        print(word, end=" ", file=stream)
say("before")
pid = fork_child(lambda: say("child") or 0)
status = wait_for(pid)
print("after", status)
"""


def test_buffered_output_is_written_once(process_factory):
    folder = os.path.dirname(module.__file__)
    program = process_factory(
        [sys.executable, "-c", PRINT_AND_FORK, folder], extra_env={"PYTHONUNBUFFERED": ""}
    )
    assert program.wait() == 0
    assert program.stdout == "before child after 0\n"
    assert program.stderr == "before child "


def _say_and_fail():
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)))
    print("half of it")
    raise ValueError("in the child")


def test_a_failed_child_has_said_what_it_said(fork_runner):
    assert fork_runner.run(lambda: wait_for(fork_child(_say_and_fail))).stdout == "half of it\n"


def test_a_child_that_a_signal_ended_is_a_negative_status():
    assert wait_for(fork_child(lambda: os.kill(os.getpid(), signal.SIGKILL))) == -signal.SIGKILL


def test_waiting_twice_is_an_error():
    pid = fork_child(lambda: 0)
    wait_for(pid)
    with pytest.raises(ChildProcessError, match="No child processes"):
        wait_for(pid)


def test_waiting_takes_no_processor_time():
    pid = fork_child(lambda: time.sleep(0.3) or 0)
    before = time.process_time()
    assert wait_for(pid) == 0
    assert time.process_time() - before < 0.1


def test_a_child_ends_without_the_exit_functions_of_the_parent(fork_runner):
    def with_exit_function():
        import atexit  # noqa: PLC0415  # only here

        atexit.register(os.write, 1, b"atexit\n")
        return wait_for(fork_child(lambda: 0))

    result = fork_runner.run(with_exit_function)
    assert (result, result.stdout) == (Returned(0), "")
    assert fork_runner.run(os._exit, 4) == Exited(4)


@pytest.mark.parametrize(("argument", "status"), [("--help", 0), ("--wrong", 2)])
def test_the_command_line_is_read_before_anything_is_forked(argument, status, capsys, leak_check):
    with leak_check(), pytest.raises(SystemExit) as ended:
        main([argument])
    assert ended.value.code == status
    assert "usage: fork_and_wait" in "".join(capsys.readouterr())

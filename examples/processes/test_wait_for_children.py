"""Every child is waited for, with its true status, and none remains as a zombie."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from forked_worker import fork_worker
from wait_for_children import ended_children, make_gate, show_workers
from wait_status import ChildStatus, decode

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]

SCRIPT = Path(__file__).with_name("wait_for_children.py")


def test_two_workers_end_with_the_words_0_and_256(process_factory):
    program = process_factory([sys.executable, SCRIPT])
    assert program.wait(timeout=20) == 0
    lines = program.stdout.splitlines()
    parent = [line for line in lines if line.startswith("PARENT")]
    pids = [line.split("(")[1].split(",")[0] for line in parent if "(" in line]
    assert parent == [
        "PARENT: Forking 0",
        "PARENT: Forking 1",
        "PARENT: Waiting for 0",
        f"PARENT: ({pids[0]}, 0) exited with status 0",
        "PARENT: Waiting for 1",
        f"PARENT: ({pids[1]}, 256) exited with status 1",
    ]
    for number in "01":
        starting = lines.index(f"WORKER {number}: Starting")
        finishing = lines.index(f"WORKER {number}: Finishing")
        assert starting < finishing > lines.index(f"PARENT: Waiting for {number}")


def test_the_words_of_three_workers_are_0_256_and_512(fork_runner):
    result = fork_runner.run(show_workers, 3)
    by_number = result.unwrap()
    assert [by_number[number][1] for number in range(3)] == [0, 256, 512]
    codes = [decode(word).exit_code for _, word in by_number.values()]
    assert codes == [0, 1, 2]
    assert result.leaks == ()


def test_whoever_ends_first_is_returned_first(fork_runner):
    def reverse() -> list[int]:
        gate = make_gate()

        def slow() -> int:
            os.close(gate.writer)
            gate.wait()
            return 0

        first = fork_worker(slow)
        second = fork_worker(lambda: 0)
        ended = ended_children()
        order = [next(ended)[0]]
        os.close(gate.writer)
        order += [pid for pid, _ in ended]
        os.close(gate.reader)
        return [(first, second).index(pid) for pid in order]

    assert fork_runner.run(reverse).unwrap() == [1, 0]


def test_a_child_is_a_zombie_until_it_is_waited_for(fork_runner):
    def before_and_after() -> tuple[str, bool, int]:
        pid = fork_worker(lambda: 5)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # ended, and left as it is
        before = psutil.Process(pid).status()
        ((_, word),) = ended_children()
        return before, psutil.pid_exists(pid), word

    assert fork_runner.run(before_and_after).unwrap() == (psutil.STATUS_ZOMBIE, False, 5 << 8)


def test_a_child_that_was_killed_is_among_them(fork_runner):
    def kill_one() -> list[ChildStatus]:
        pid = fork_worker(lambda: signal.pause() or 0)
        os.kill(pid, signal.SIGKILL)
        return [decode(word) for _, word in ended_children()]

    assert fork_runner.run(kill_one).unwrap() == [ChildStatus(killed_by=signal.SIGKILL)]


def test_without_children_there_is_nothing_to_wait_for(fork_runner):
    assert fork_runner.run(lambda: list(ended_children())).unwrap() == []


def test_a_parent_that_dies_opens_the_gates(fork_runner):
    def die_while_a_worker_waits() -> None:
        from wait_for_children import work  # noqa: PLC0415  # in the child only

        gates = [make_gate()]
        fork_worker(lambda: work(0, gates))
        os._exit(9)

    result = fork_runner.run(die_while_a_worker_waits, timeout=10)
    assert result.code == 9  # and the worker ended by itself, or was the leak of this test


def test_an_argument_that_is_no_number_is_an_error_and_starts_nobody(process_factory):
    program = process_factory([sys.executable, SCRIPT, "two"])
    assert program.wait(timeout=20) == 2
    assert "invalid int value: 'two'" in program.stderr
    assert program.stdout == ""

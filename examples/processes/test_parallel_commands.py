"""Commands run side by side, never more than the limit, each with its own outcome."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from parallel_commands import run_all

pytestmark = pytest.mark.posix_only

COUNTED = 'echo + >> "$0"; sleep 0.05; echo - >> "$0"'


def test_outcomes_keep_the_order_of_the_commands():
    commands = [["sh", "-c", f"sleep 0.{3 - number}; echo {number}"] for number in range(3)]
    results = run_all(commands, limit=3)
    assert [result.stdout for result in results] == [b"0\n", b"1\n", b"2\n"]


def test_two_really_run_at_the_same_time(temp_workspace):
    os.mkfifo(temp_workspace / "meeting")
    commands = [["sh", "-c", "echo hello > meeting"], ["sh", "-c", "cat meeting"]]
    with temp_workspace.chdir():  # each waits for the other to open the FIFO
        results = run_all(commands, limit=2, timeout=20)
    assert results[1].stdout == b"hello\n"


@pytest.mark.parametrize("limit", [1, 3])
def test_never_more_than_the_limit(temp_workspace, limit):
    log = temp_workspace / "log"
    run_all([["sh", "-c", COUNTED, str(log)]] * 8, limit=limit)
    marks = log.read_text().split()
    running = [marks[: n + 1].count("+") - marks[: n + 1].count("-") for n in range(len(marks))]
    assert len(marks) == 16
    assert max(running) <= limit


@pytest.mark.usefixtures("fake_env")  # PATH may have folders that may not be searched
def test_one_that_fails_does_not_spoil_the_others():
    failed, missing, late, good = run_all(
        [["false"], ["no-such-program"], ["sleep", "600"], ["echo", "x"]], limit=4, timeout=1
    )
    assert failed.status == 1
    assert isinstance(missing, FileNotFoundError)
    assert isinstance(late, subprocess.TimeoutExpired)
    assert good.stdout == b"x\n"


def test_ctrl_c_ends_the_running_ones_and_starts_no_more(leak_check, temp_workspace):
    log = temp_workspace / "log"
    commands = [["sh", "-c", 'echo + >> "$0"; sleep 600', str(log)]] * 6
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with leak_check(), pytest.raises(KeyboardInterrupt):
            run_all(commands, limit=2)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert len(log.read_text().split()) <= 2


def test_a_limit_below_one_is_refused():
    with pytest.raises(ValueError, match="greater than 0"):
        run_all([["true"]], limit=0)

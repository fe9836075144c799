"""Signals are wishes: the job at hand is finished, no lock is left, the status tells the truth."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from clean_shutdown import JobLog, die_by, main, wishes

from pytest_syskit import Killed

pytestmark = pytest.mark.posix_only

SCRIPT = Path(__file__).with_name("clean_shutdown.py")


def started(process_factory, log, seconds):
    return process_factory(
        [sys.executable, str(SCRIPT), str(log), "--seconds", str(seconds)], ready="working"
    )


def until(program, question):
    """Wait until a question about the program's work is answered by something true."""
    while not question():
        assert program.running, program.output
        time.sleep(0.005)


def works_on(log, job):
    return log.exists() and f"begin {job}\n" in log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_job_at_hand_is_finished_and_the_status_is_the_signal(
    process_factory, temp_workspace, number
):
    log = temp_workspace / "log"
    program = started(process_factory, log, 0.3)
    until(program, lambda: works_on(log, 0))
    program.send_signal(number)
    assert program.wait() == -number
    lines = log.read_text().splitlines()
    jobs = len(lines) // 2
    assert lines == [f"{what} {n}" for n in range(jobs) for what in ("begin", "end")] + ["closed"]
    assert program.stdout.endswith(f"stopped after {jobs} jobs\n")


def test_a_second_signal_does_not_wait(process_factory, temp_workspace):
    log = temp_workspace / "log"
    program = started(process_factory, log, 600)
    until(program, lambda: works_on(log, 0))
    program.send_signal(signal.SIGTERM)
    program.send_signal(signal.SIGINT)  # another number, or the kernel might merge the two
    assert program.wait() in (-signal.SIGINT, -signal.SIGTERM)
    assert log.read_text() == "begin 0\n"


def test_requests_are_served_and_work_goes_on(process_factory, temp_workspace):
    log = temp_workspace / "log"
    program = started(process_factory, log, 0.05)
    program.send_signal(signal.SIGUSR1)
    program.expect(r"(\d+) jobs done\n")
    log.rename(temp_workspace / "old")
    program.send_signal(signal.SIGUSR2)
    until(program, log.exists)
    program.send_signal(signal.SIGUSR1)
    program.expect(r"(\d+) jobs done\n")
    program.send_signal(signal.SIGTERM)
    assert program.wait() == -signal.SIGTERM
    whole = (temp_workspace / "old").read_text() + log.read_text()
    jobs = whole.count("begin")
    assert whole == "".join(f"begin {n}\nend {n}\n" for n in range(jobs)) + "closed\n"


def test_a_signal_while_a_lock_is_held_leaves_the_lock_to_its_holder(temp_workspace):
    log = JobLog(str(temp_workspace / "log"))
    with wishes() as told:
        signalling = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM))
        signalling.start()
        log.run(0, 0.2)  # comes back: nothing was raised in the midst of it
        signalling.join()
        assert told.stop == signal.SIGTERM
        log.close()  # takes the lock again
    assert (temp_workspace / "log").read_text() == "begin 0\nend 0\nclosed\n"


def test_the_first_stop_is_told_and_requests_keep_their_order():
    with wishes() as told:
        signal.raise_signal(signal.SIGUSR2)
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGUSR2)
        signal.raise_signal(signal.SIGINT)
        assert told.stop == signal.SIGINT
        taken = [told.take() for _ in range(4)]
        assert taken == [signal.SIGUSR2, signal.SIGUSR1, signal.SIGUSR2, None]


@pytest.mark.signal_timeout(5)
def test_a_signal_ends_the_waiting_also_when_it_came_before():
    with wishes() as told:
        signal.raise_signal(signal.SIGUSR1)
        told.wait(60)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        told.wait(60)
        assert told.stop == signal.SIGTERM


@pytest.mark.signal_timeout(20)
def test_more_signals_than_the_pipe_holds_block_nobody():
    with wishes() as told:
        for _ in range(70_000):
            told.handle(signal.SIGUSR1, None)
        assert sum(told.take() is not None for _ in range(70_001)) == 70_000


def test_the_handlers_of_before_come_back_and_nothing_stays_open(signal_log, leak_check):
    with signal_log(signal.SIGTERM, signal.SIGUSR1) as log:
        with leak_check(), pytest.raises(ZeroDivisionError), wishes():
            _ = 1 / 0
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGUSR1)
        log.wait(count=2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_death_by_a_signal_works_even_if_it_is_blocked_or_ignored(fork_runner, number):
    def die() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {number})
        signal.signal(number, signal.SIG_IGN)
        die_by(number)

    assert fork_runner.run(die) == Killed(number)


def test_the_script_names_its_troubles(temp_workspace, capsys):
    assert main([str(temp_workspace / "missing" / "log")]) == 1
    assert capsys.readouterr().err.startswith("clean_shutdown: [Errno 2]")
    for argv, status in (["--help"], "0"), ([], "2"):
        with pytest.raises(SystemExit, match=status):
            main(argv)

"""When the block is left, everything is gone: in peace, by an error, by Ctrl-C, by TERM."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from supervised_group import supervised_group
from supervised_program import Program

pytestmark = pytest.mark.posix_only
# Ctrl-C can come right after a file was opened in psutil: Python closes it, with a warning.
ctrl_c = pytest.mark.filterwarnings(
    "ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning"
)

STUBBORN = ["sh", "-c", "trap '' TERM INT; while :; do sleep 60; done"]
TROOP = {"a": Program(["sleep", "600"]), "b": Program(STUBBORN, grace=0.2)}

SERVER = """
import signal
from supervised_program import Program
from supervised_group import supervised_group

stubborn = Program(["sh", "-c", "trap '' TERM INT; sleep 600 & wait"], grace=0.2)
with supervised_group({"a": Program(["sleep", "600"]), "b": stubborn}) as group:
    print(*[each.pid for each in group.list()], "up", flush=True)
    while True:
        signal.pause()
"""


AGAIN = 5  # seconds: Ctrl-C within a finaliser is lost, and whoever pressed it presses again


@contextmanager
def alarms_as_ctrl_c():
    """Let an alarm do what Ctrl-C does, at a moment of the test's choice."""
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def enter_and_leave(troop, seconds):
    """Run stubborn programs, and let the alarm come while they are being ended."""
    with supervised_group(troop) as group:
        for each in group.list():
            process = psutil.Process(each.pid)
            while not process.children():  # until the trap is set
                time.sleep(0.01)
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)


def wait_inside(troop, seconds):
    """Let the alarm come, wherever that is."""
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    with supervised_group(troop):
        signal.pause()


def runs(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_programs_run_inside_and_are_gone_behind(leak_check):
    with leak_check():
        with supervised_group(TROOP) as group:
            assert [each.state for each in group.list()] == ["running", "running"]
        assert [each.state for each in group.list()] == ["stopped", "stopped"]


def test_an_exception_leaves_nothing(leak_check):
    with leak_check(), pytest.raises(ZeroDivisionError), supervised_group(TROOP):
        _ = 1 / 0


def test_ctrl_c_in_the_block_leaves_nothing(leak_check):
    with leak_check(), pytest.raises(KeyboardInterrupt), supervised_group(TROOP):
        signal.raise_signal(signal.SIGINT)


@ctrl_c
def test_a_second_ctrl_c_while_it_ends_kills_at_once(leak_check, signal_timeout):
    stubborn = {name: Program(STUBBORN, grace=300) for name in "ab"}
    with leak_check(), alarms_as_ctrl_c(), pytest.raises(KeyboardInterrupt):
        enter_and_leave(stubborn, 0.3)


@ctrl_c
def test_ctrl_c_at_any_moment_of_the_start_leaves_nothing(leak_check):
    troop = {str(number): Program(["sleep", "600"]) for number in range(6)}
    for step in range(12):
        with leak_check(), alarms_as_ctrl_c(), pytest.raises(KeyboardInterrupt):
            wait_inside(troop, 0.001 + step * 0.005)


@pytest.mark.usefixtures("fake_env")  # PATH may have folders that may not be searched
def test_one_that_cannot_start_takes_the_others_with_it(leak_check):
    troop = {**TROOP, "c": Program(["no-such-program"])}
    with leak_check(), pytest.raises(FileNotFoundError), supervised_group(troop):
        pytest.fail("the block must not be entered")


def test_the_handler_of_before_is_back(signal_log):
    with signal_log(signal.SIGTERM) as log:
        with supervised_group({}):
            pass
        signal.raise_signal(signal.SIGTERM)
        log.wait(count=1)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, -signal.SIGINT), (signal.SIGTERM, 143)]
)
def test_a_real_program_leaves_nothing_when_it_is_told_to_end(process_factory, number, status):
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    here = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    program = process_factory([sys.executable, "-c", SERVER], env=here)
    pids = [int(pid) for pid in program.expect(r"(\d+) (\d+) up\n").groups()]
    family = psutil.Process(program.pid).children(recursive=True)
    assert {each.pid for each in family} >= set(pids)
    program.send_signal(number)
    assert program.wait() == status
    assert [each for each in family if runs(each)] == []

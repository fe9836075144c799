"""The parent reads every message of its child, whole, and ends in every case (exercise C13)."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

pytestmark = [
    pytest.mark.posix_only,
    pytest.mark.requires("fork"),
    pytest.mark.signal_timeout(60),
]

import framed_pipe as module  # noqa: E402  # behind the marker
from framed_pipe import main, messages_of_child, send_spam  # noqa: E402
from message_frames import CutShort, frame, send_message  # noqa: E402

RUNS = 200
SCRIPT = [sys.executable, module.__file__]


def received(work) -> list[bytes]:
    with messages_of_child(work) as messages:
        return [each.message for each in messages]


def spam(count) -> list[bytes]:
    return [b"Spam %03d" % number for number in range(count)]


def test_in_200_runs_no_message_is_lost_or_merged(fork_runner):
    def run_often() -> int:
        return sum(received(partial(send_spam, count=20)) == spam(20) for _ in range(RUNS))

    result = fork_runner.run(run_often)
    assert result.unwrap() == RUNS
    assert result.leaks == ()


def send_times(fd) -> None:
    for _ in range(3):
        send_message(fd, b"%d" % time.monotonic_ns())  # one clock for all processes


def test_times_are_seconds_from_the_start_to_the_arrival(fork_runner):
    def compare_times() -> int:
        before = time.monotonic()
        with messages_of_child(send_times) as messages:
            begun, arrived = time.monotonic(), 0
            for each in messages:
                sent, now = int(each.message) / 1e9, time.monotonic()
                # The start is between "before" and "begun", the arrival between "sent" and "now".
                assert sent - begun <= each.seconds <= now - before
                arrived += 1
        return arrived

    assert fork_runner.run(compare_times).unwrap() == 3


def test_an_endless_child_ends_when_nobody_reads(fork_runner):
    def read_ten() -> list[bytes]:
        with messages_of_child(partial(send_spam, count=None)) as messages:
            return [next(messages).message for _ in range(10)]

    result = fork_runner.run(read_ten, timeout=20)
    assert result.unwrap() == spam(10)
    assert result.leaks == ()


def test_a_child_ends_also_after_an_error_of_the_reader(fork_runner):
    def fail() -> None:
        with messages_of_child(partial(send_spam, count=None)) as messages:
            raise KeyError(next(messages).message)

    result = fork_runner.run(fail, timeout=20)
    with pytest.raises(KeyError, match="Spam 000"):
        result.unwrap()
    assert result.leaks == ()


def test_a_child_that_dies_in_the_middle_of_a_message_is_told(fork_runner):
    def die_within(fd) -> None:
        send_spam(fd, 1)
        os.write(fd, frame(b"Spam 001")[:7])
        os.kill(os.getpid(), signal.SIGKILL)

    result = fork_runner.run(received, die_within)
    with pytest.raises(CutShort, match="after 3 of 8 bytes"):
        result.unwrap()
    assert result.leaks == ()


def test_a_child_that_dies_between_messages_has_not_finished(fork_runner):
    def die_between(fd) -> None:
        send_spam(fd, 3)
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(ChildProcessError, match="ended with status -9"):
        fork_runner.run(received, die_between).unwrap()


def _fail(fd) -> None:
    raise ValueError("in the child")


def _exit(fd) -> None:
    sys.exit(0)


@pytest.mark.parametrize("work", [_fail, _exit])
def test_a_child_never_runs_on_into_its_parents_code(fork_runner, work):
    def read_and_note() -> None:
        try:
            received(work)
        finally:
            os.write(1, b"came back\n")

    result = fork_runner.run(read_and_note)
    with pytest.raises(ChildProcessError, match="ended with status 1"):
        result.unwrap()
    assert result.stdout == "came back\n"
    assert "Traceback" in result.stderr


def test_the_script_shows_whole_messages_with_times():
    done = subprocess.run(
        [*SCRIPT, "--count", "12"], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = re.findall(r"^parent \d+ got '(.*)' at \d+\.\d{6}$", done.stdout, re.MULTILINE)
    assert [each.encode() for each in found] == spam(12)
    assert len(done.stdout.splitlines()) == 12


def test_a_message_is_shown_when_it_comes(process_factory):
    program = process_factory([*SCRIPT, "--count=2", "--pause=30"], ready="got 'Spam 000'")
    assert "Spam 001" not in program.stdout
    program.stop()


def test_the_script_ends_quietly_when_its_reader_leaves(process_factory):
    command = f"'{SCRIPT[0]}' '{SCRIPT[1]}' --count 100000; echo status $? >&2"
    program = process_factory(["sh", "-c", f"({command}) | head -n 1"])
    program.expect(r"status 1\n", stream="stderr")
    assert program.wait() == 0
    assert program.stderr == "status 1\n"


def test_ctrl_c_ends_parent_and_child_without_a_traceback(process_factory):
    program = process_factory([*SCRIPT, "--count=9", "--pause=30"], ready="got 'Spam 000'")
    os.killpg(program.pid, signal.SIGINT)  # as a terminal does: to both
    program.expect_exit(130)
    assert program.wait() == 130
    assert program.stderr == ""


@pytest.mark.parametrize("wrong", ["--count=-1", "--pause=-1", "--pause=nan", "--count=many"])
def test_a_wrong_number_is_status_2(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        main([wrong])
    assert ended.value.code == 2
    assert "framed_pipe: error: " in capsys.readouterr().err

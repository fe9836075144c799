"""Pipelines of two and of many commands: SIGPIPE, statuses, limits."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from pipelines import PipelineResult, run_pipeline

pytestmark = pytest.mark.posix_only


def test_two_commands():
    result = run_pipeline([["printf", "b\\na\\n"], ["sort"]])
    assert result == PipelineResult((0, 0), b"a\nb\n", (b"", b""))


def test_many_commands_and_input():
    commands = [["tr", "a-z", "A-Z"], ["rev"], ["cat"], ["cat"], ["rev"], ["sort", "-r"]]
    result = run_pipeline(commands, feed=b"one\ntwo\n")
    assert result.stdout == b"TWO\nONE\n"
    assert result.ok


@pytest.mark.signal_timeout(20)
def test_a_writer_whose_reader_has_enough_dies_of_sigpipe():
    result = run_pipeline([["yes"], ["cat"], ["head", "-n", "2"]])
    assert result.stdout == b"y\ny\n"
    assert result.statuses == (-signal.SIGPIPE, -signal.SIGPIPE, 0)
    assert result.ok


def test_a_failure_in_the_middle_is_not_hidden_by_the_last():
    result = run_pipeline([["echo", "x"], ["sh", "-c", "cat; exit 3"], ["cat"]])
    assert (result.statuses, result.stdout, result.ok) == ((0, 3, 0), b"x\n", False)


def test_each_has_its_own_error_output_and_none_can_fill_up():
    noisy = [sys.executable, "-c", "import sys; sys.stderr.write('e' * 200_000); print('x')"]
    result = run_pipeline([noisy, ["sh", "-c", "cat; echo second >&2"]], timeout=30)
    assert result.stdout == b"x\n"
    assert result.stderr == (b"e" * 200_000, b"second\n")


def test_more_input_and_output_than_pipes_hold():
    feed = b"x" * 3_000_000
    assert run_pipeline([["cat"], ["cat"], ["cat"]], feed=feed, timeout=30).stdout == feed


def test_nobody_is_left_after_a_timeout(leak_check):
    with leak_check(), pytest.raises(subprocess.TimeoutExpired):
        run_pipeline([["sleep", "600"], ["sh", "-c", "sleep 600 & wait"], ["cat"]], timeout=0.3)


def test_a_last_command_that_ends_early_leaves_the_limit_to_the_first(leak_check):
    with leak_check(), pytest.raises(subprocess.TimeoutExpired):
        run_pipeline([["sleep", "600"], ["true"]], timeout=0.3)


def test_nobody_is_left_when_a_later_command_is_missing(leak_check):
    with leak_check(), pytest.raises(FileNotFoundError, match="no-such-program"):
        run_pipeline([["sleep", "600"], ["cat"], ["./no-such-program"]])


def test_no_command_at_all_is_refused():
    with pytest.raises(ValueError, match="one command at least"):
        run_pipeline([])

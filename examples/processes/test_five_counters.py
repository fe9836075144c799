"""Five children count at once, each in order, and the parent is the last (exercise C6)."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
from collections import defaultdict

import five_counters as module
import pytest
from five_counters import count_side_by_side, main
from wait_status import ChildStatus

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]


def counts(output) -> dict[str, list[int]]:
    """Return the numbers of each child, by pid; a line that is no whole line is an error."""
    found = defaultdict(list)
    for line in output.splitlines():
        pid, number = re.fullmatch(r"\[(\d+)\] => (\d+)", line).groups()
        found[pid].append(int(number))
    return dict(found)


def test_five_children_count_to_five_and_the_parent_is_the_last():
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, module.__file__],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        lines, last, _ = done.stdout.rpartition("main process exiting\n")
        assert last
        assert list(counts(lines).values()) == [[0, 1, 2, 3, 4]] * 5


def test_they_count_side_by_side(fork_runner, pipe_pair, socket_pair):
    # Each child tells its first number and waits until the test has heard all five.
    here, answers = pipe_pair.writer.fd, socket_pair.reader

    def meet(number) -> None:
        if number == 0:
            os.write(here, b".")
            os.read(answers.fd, 1)

    with fork_runner.start(count_side_by_side, 5, 3, meet, timeout=20) as running:
        assert pipe_pair.reader.read_exactly(5) == b"....."
        socket_pair.writer.write(b".....")
        result = running.wait()
    assert set(result.unwrap().values()) == {ChildStatus(exit_code=0)}
    assert list(counts(result.stdout).values()) == [[0, 1, 2]] * 5
    assert result.leaks == ()


def test_a_child_that_fails_or_is_killed_is_told(fork_runner):
    def fail_and_die(number) -> None:
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    ended = fork_runner.run(count_side_by_side, 2, 3, fail_and_die)
    assert list(ended.unwrap().values()) == [ChildStatus(killed_by=signal.SIGKILL)] * 2


def test_status_is_1_if_a_child_fails(fork_runner, monkeypatch):
    monkeypatch.setattr(module, "count_to", lambda *_: 7)
    result = fork_runner.run(main, [])
    assert result.unwrap() == 1
    told = result.stderr.splitlines()
    assert len(told) == 5
    assert all(re.fullmatch(r"five_counters: child \d+ exited with status 7", t) for t in told)


def test_when_no_more_children_can_be_had_the_others_are_waited_for(fork_runner):
    fork, forked = os.fork, []

    def fork_three_times() -> int:
        if len(forked) == 3:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        forked.append(fork())
        return forked[-1]

    def count() -> int:
        os.fork = fork_three_times  # in a child of its own
        return main([])

    result = fork_runner.run(count)
    assert result.unwrap() == 1
    assert result.stderr == f"five_counters: cannot start a child: {os.strerror(errno.EAGAIN)}\n"
    assert list(counts(result.stdout).values()) == [[0, 1, 2, 3, 4]] * 3
    assert result.leaks == ()


@pytest.mark.parametrize("pause", ["-1", "nan", "long"])
def test_a_wrong_pause_is_status_2(pause, capsys):
    with pytest.raises(SystemExit) as ended:
        main([f"--pause={pause}"])
    assert ended.value.code == 2
    assert "five_counters: error: " in capsys.readouterr().err

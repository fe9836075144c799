"""A group ends as a whole: stubborn members, dead leaders, daemons that left it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest
from command_group import await_end, end_group, has_ended, living, new_mark, start_group

pytestmark = pytest.mark.posix_only
# Ctrl-C can come right after a file was opened in psutil: Python closes it, with a warning.
ctrl_c = pytest.mark.filterwarnings(
    "ignore:Exception ignored:pytest.PytestUnraisableExceptionWarning"
)

STUBBORN = "trap '' TERM; echo ready; while :; do sleep 60 || :; done"
DAEMON = """
import os
if os.fork():
    os.wait()
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.write(1, b"%d\\n" % os.getpid())
os.execvp("sleep", ["sleep", "600"])
"""


def started(argv, mark=None):
    """Start a group, and wait until it has said a line."""
    process = start_group(argv, stdout=subprocess.PIPE, mark=mark)
    assert process.stdout is not None
    with process.stdout as output:
        return process, output.readline().decode().strip()


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_term_is_enough_for_a_program_that_listens(leak_check):
    with leak_check():
        process, _ = started(["sh", "-c", "echo ready; exec sleep 600"])
        assert end_group(process) == -signal.SIGTERM


def test_kill_follows_for_one_that_ignores_term_and_its_children(leak_check):
    with leak_check():
        process, _ = started(["sh", "-c", STUBBORN])
        assert end_group(process, grace=0.1) == -signal.SIGKILL


def test_the_whole_group_ends_not_only_the_leader(leak_check):
    with leak_check():
        process, child = started(["sh", "-c", "sleep 600 & echo $!; wait"])
        end_group(process)
        assert gone(int(child))


def test_the_group_of_a_dead_leader_ends_too(leak_check):
    with leak_check():
        process, child = started(["sh", "-c", "sleep 600 & echo $!; exit 3"])
        assert await_end(process, 10)
        assert has_ended(process)
        assert not gone(int(child))
        assert end_group(process) == 3
        assert gone(int(child))


def test_asking_whether_it_has_ended_does_not_take_its_status():
    process, _ = started(["sh", "-c", "echo ready; exit 7"])
    assert await_end(process, 10)
    assert process.returncode is None
    assert process.wait() == 7


def test_a_stopped_group_ends_without_waiting_for_kill():
    process, _ = started(["sh", "-c", "echo ready; exec sleep 600"])
    os.killpg(process.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)  # it has stopped, and not only been told to
    assert end_group(process, grace=30) == -signal.SIGTERM


@pytest.mark.linux_only(reason="other systems show nobody's environment")
def test_a_daemon_is_found_by_its_mark(leak_check):
    with leak_check():
        mark = new_mark()
        process, daemon = started([sys.executable, "-c", DAEMON], mark=mark)
        assert await_end(process, 10)
        assert [each.pid for each in living(process, mark)] == [int(daemon)]
        assert living(process) == []
        end_group(process, mark=mark)
        assert gone(int(daemon))


def test_marks_nest():
    outer = new_mark()
    inner, sibling = outer.within(), outer.within()
    environment = inner.added_to({"COMMAND_GROUP_MARKS": "somebody"})
    text = environment["COMMAND_GROUP_MARKS"]
    assert "somebody" in text
    assert outer.value in text
    assert inner.value in text
    assert sibling.value not in text


def test_a_collected_leader_has_no_group_any_more(process_factory):
    stranger = process_factory(["sleep", "600"])
    process, _ = started(["sh", "-c", "echo ready"])
    process.wait()
    process.pid = stranger.pid  # as if the number had been given out again
    assert living(process) == []
    end_group(process, grace=0)
    assert stranger.running


@ctrl_c
def test_ctrl_c_during_the_grace_kills_at_once(leak_check, signal_timeout):
    with leak_check():
        process, _ = started(["sh", "-c", STUBBORN])
        previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            with pytest.raises(KeyboardInterrupt):
                end_group(process, grace=60)
        finally:
            signal.signal(signal.SIGALRM, previous)
        assert process.wait(10) == -signal.SIGKILL

"""Each way of waiting returns the right child in time, and takes the status or leaves it."""

from __future__ import annotations

import os
import signal

import pytest

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]

from forked_worker import fork_worker  # noqa: E402  # behind the marker: Windows has no resource
from wait_status import ChildStatus  # noqa: E402  # as above
from wait_variants import (  # noqa: E402  # as above
    changes,
    from_waitid,
    look,
    peek,
    wait_for_any_with_usage,
    wait_in_order,
    wait_with_usage,
)


def _pausing() -> int:
    return fork_worker(lambda: signal.pause() or 0)


def test_given_children_are_waited_for_in_the_order_given(fork_runner):
    def in_reverse() -> list[ChildStatus]:
        pids = [fork_worker(lambda code=code: code) for code in (0, 1, 2)]
        return wait_in_order(pids[::-1])

    codes = [status.exit_code for status in fork_runner.run(in_reverse).unwrap()]
    assert codes == [2, 1, 0]


def test_a_look_at_a_running_child_returns_at_once_with_nothing(fork_runner):
    def look_and_kill() -> tuple[ChildStatus | None, ChildStatus]:
        pid = _pausing()
        running = look(pid)
        os.kill(pid, signal.SIGTERM)
        peek(pid, wait=True)
        return running, look(pid)

    assert fork_runner.run(look_and_kill, timeout=10).unwrap() == (
        None,
        ChildStatus(killed_by=signal.SIGTERM),
    )


def test_a_status_is_taken_once(fork_runner):
    def look_again() -> None:
        pid = fork_worker(lambda: 0)
        wait_in_order([pid])
        look(pid)

    with pytest.raises(ChildProcessError):
        fork_runner.run(look_again).unwrap()


@pytest.mark.linux_only(reason="waitid")
def test_a_peek_leaves_the_status_where_it_is(fork_runner):
    def peek_twice_and_wait() -> list[ChildStatus | None]:
        pid = _pausing()
        running = peek(pid)
        os.kill(pid, signal.SIGKILL)
        return [running, peek(pid, wait=True), peek(pid), *wait_in_order([pid])]

    killed = ChildStatus(killed_by=signal.SIGKILL)
    assert fork_runner.run(peek_twice_and_wait).unwrap() == [None, killed, killed, killed]


@pytest.mark.linux_only(reason="waitid")
def test_a_peek_reads_an_exit_code(fork_runner):
    def exit_with_42() -> tuple[ChildStatus | None, list[ChildStatus]]:
        pid = fork_worker(lambda: 42)
        return peek(pid, wait=True), wait_in_order([pid])

    status = ChildStatus(exit_code=42)
    assert fork_runner.run(exit_with_42).unwrap() == (status, [status])


@pytest.mark.linux_only(reason="waitid")
def test_what_waitid_says_of_stops_and_continuations_is_read(fork_runner):
    def stop_and_go_on() -> list[ChildStatus]:
        pid = _pausing()
        seen = []
        for number, change in ((signal.SIGSTOP, os.WSTOPPED), (signal.SIGCONT, os.WCONTINUED)):
            os.kill(pid, number)
            seen.append(from_waitid(os.waitid(os.P_PID, pid, change)))
        os.kill(pid, signal.SIGKILL)
        wait_in_order([pid])
        return seen

    assert fork_runner.run(stop_and_go_on, timeout=10).unwrap() == [
        ChildStatus(stopped_by=signal.SIGSTOP),
        ChildStatus(continued=True),
    ]


@pytest.mark.linux_only(reason="waitid")
@pytest.mark.parametrize("dumped", [False, True])
def test_what_waitid_says_of_a_core_file_is_read(dumped):
    code = os.CLD_DUMPED if dumped else os.CLD_KILLED
    seen = os.waitid_result((1, 0, signal.SIGCHLD, signal.SIGSEGV, code))
    assert from_waitid(seen) == ChildStatus(killed_by=signal.SIGSEGV, core_dumped=dumped)


def _burn(seconds) -> int:
    while sum(os.times()[:2]) < seconds:
        pass
    return 3


BURNT = 0.1  # seconds of processor time: ten ticks of the coarsest clock that is still about


def test_the_usage_is_that_of_the_given_child(fork_runner):
    def busy_and_idle() -> list:
        busy, idle = fork_worker(lambda: _burn(BURNT)), fork_worker(lambda: 0)
        return [wait_with_usage(busy), wait_with_usage(idle)]  # not in the order of their ends

    (busy, most), (idle, least) = fork_runner.run(busy_and_idle).unwrap()
    assert (idle.exit_code, busy.exit_code) == (0, 3)
    assert most.user_seconds + most.system_seconds >= BURNT * 0.9  # the two clocks round
    assert least.user_seconds + least.system_seconds < most.user_seconds + most.system_seconds
    assert most.peak_memory > 0


def test_any_child_comes_with_its_usage(fork_runner):
    def any_of_one() -> tuple[bool, ChildStatus, bool]:
        pid = fork_worker(lambda: _burn(0.02) and 2)  # it still runs when we begin to wait
        found, status, usage = wait_for_any_with_usage()
        return found == pid, status, usage.peak_memory > 0

    assert fork_runner.run(any_of_one).unwrap() == (True, ChildStatus(exit_code=2), True)


def test_stops_and_continuations_are_told_and_are_no_end(fork_runner):
    def stop_continue_end() -> list[ChildStatus]:
        pid = _pausing()
        story = changes(pid)
        seen = []
        for number in (signal.SIGSTOP, signal.SIGCONT, signal.SIGTERM):
            os.kill(pid, number)
            seen.append(next(story))
        assert next(story, None) is None
        return seen

    assert fork_runner.run(stop_continue_end, timeout=10).unwrap() == [
        ChildStatus(stopped_by=signal.SIGSTOP),
        ChildStatus(continued=True),
        ChildStatus(killed_by=signal.SIGTERM),
    ]


def test_a_stopped_child_is_no_end_for_those_who_wait_for_ends(fork_runner):
    def stop_and_look() -> tuple[ChildStatus | None, list[ChildStatus]]:
        pid = _pausing()
        os.kill(pid, signal.SIGSTOP)
        os.waitid(os.P_PID, pid, os.WSTOPPED)  # it has stopped
        stopped = look(pid)
        os.kill(pid, signal.SIGKILL)
        return stopped, wait_in_order([pid])

    assert fork_runner.run(stop_and_look, timeout=10).unwrap() == (
        None,
        [ChildStatus(killed_by=signal.SIGKILL)],
    )

"""A forked child does its work, reports, and never returns into the code of its parent."""

from __future__ import annotations

import io
import os
import sys

import pytest
from forked_worker import ask_worker, fork_worker, wait_for
from wait_status import ChildStatus

from pytest_syskit import Raised

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]


def _status_of(work) -> ChildStatus:
    return wait_for(fork_worker(work))


def test_what_the_work_returns_is_the_exit_status(fork_runner):
    assert fork_runner.run(_status_of, lambda: 3).unwrap() == ChildStatus(exit_code=3)
    assert fork_runner.run(_status_of, lambda: None).unwrap() == ChildStatus(exit_code=0)


@pytest.mark.parametrize(("number", "code"), [(256, 0), (-1, 255), (2**40 + 7, 7)])
def test_a_status_is_a_byte_and_larger_numbers_do_not_let_the_child_run_on(
    fork_runner, number, code
):
    result = fork_runner.run(_status_of, lambda: number)
    assert result.unwrap() == ChildStatus(exit_code=code)
    assert result.leaks == ()


def _fail() -> None:
    raise KeyError("spam")


def _write_to_a_full_disk() -> None:
    sys.stdout = open("/dev/full", "w")  # noqa: SIM115  # flushed by the child's end
    sys.stdout.write("lost")


@pytest.mark.parametrize(
    "work",
    [
        _fail,
        lambda: sys.exit("no"),
        lambda: "no number",
        pytest.param(_write_to_a_full_disk, marks=pytest.mark.linux_only(reason="/dev/full")),
    ],
    ids=["raises", "exits", "returns no number", "loses its output"],
)
def test_an_exception_ends_the_child_and_stays_there(fork_runner, work):
    result = fork_runner.run(_status_of, work)
    assert result.unwrap() == ChildStatus(exit_code=1)
    assert ("KeyError: 'spam'" in result.stderr) == (work is _fail)
    assert result.leaks == ()  # nor did a child escape into this test


def _buffer_output() -> None:
    """Hold text back as Python does outside of pytest, which writes through."""
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)))


def test_text_that_waits_in_a_buffer_is_written_once(fork_runner):
    def print_and_fork() -> ChildStatus:
        _buffer_output()
        sys.stdout.write("before;")
        status = _status_of(lambda: print("child", end=";"))
        print("after", flush=True)
        return status

    assert fork_runner.run(print_and_fork).stdout == "before;child;after\n"


def test_errors_that_wait_in_a_buffer_are_written_once(fork_runner):
    def complain_and_fork() -> ChildStatus:
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(io.FileIO(2, "w", closefd=False)))
        sys.stderr.write("before;")
        status = _status_of(lambda: print("child", end=";", file=sys.stderr))
        print("after", file=sys.stderr, flush=True)
        return status

    assert fork_runner.run(complain_and_fork).stderr == "before;child;after\n"


def _say_and_fail() -> None:
    print("half of it")
    raise KeyError("spam")


def test_a_failed_child_has_said_what_it_said(fork_runner):
    def fork_with_buffers() -> ChildStatus:
        _buffer_output()
        return _status_of(_say_and_fail)

    assert fork_runner.run(fork_with_buffers).stdout == "half of it\n"


def test_an_answer_longer_than_a_pipe_holds_comes_whole(fork_runner):
    length = 1 << 20
    assert fork_runner.run(lambda: len(ask_worker(lambda: "x" * length))).unwrap() == length


def test_the_answer_of_a_failed_child_is_an_error(fork_runner):
    result = fork_runner.run(ask_worker, _fail)
    assert isinstance(result, Raised)
    with pytest.raises(ChildProcessError, match="exited with status 1"):
        result.unwrap()


def test_a_child_is_waited_for_once(fork_runner):
    def twice() -> None:
        pid = fork_worker(lambda: 0)
        wait_for(pid)
        wait_for(pid)

    with pytest.raises(ChildProcessError):
        fork_runner.run(twice).unwrap()


def test_no_descriptor_stays_open(fork_runner):
    result = fork_runner.run(ask_worker, lambda: str(os.getppid()))
    assert result.unwrap().isdigit()
    assert result.leaks == ()

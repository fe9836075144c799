"""The signal finds its handler every time, and a child that is not ready is no hang."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import kill_with_handshake
import pytest
from kill_with_handshake import signal_when_ready
from wait_status import ChildStatus

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]

SCRIPT = Path(__file__).with_name("kill_with_handshake.py")
RUNS = 200


def test_the_child_reports_that_it_received_the_signal(process_factory):
    program = process_factory([sys.executable, SCRIPT])
    assert program.wait(timeout=20) == 0
    lines = program.stdout.splitlines()
    of_child = [line for line in lines if line.startswith("CHILD")]
    of_parent = [line for line in lines if line.startswith("PARENT")]
    assert of_child == [
        "CHILD: Setting up signal handler",
        "CHILD: Pausing to wait for signal",
        "CHILD: Received USR1",
    ]
    assert of_parent == [
        "PARENT: Waiting until the child is ready",
        "PARENT: Signaling child",
        "PARENT: The child exited with status 0",
    ]
    assert lines.index("CHILD: Pausing to wait for signal") < lines.index("PARENT: Signaling child")


def test_in_200_runs_no_signal_comes_too_early_or_is_slept_through(fork_runner):
    result = fork_runner.run(lambda: {signal_when_ready() for _ in range(RUNS)})
    assert result.unwrap() == {ChildStatus(exit_code=0)}
    assert result.stdout.count("CHILD: Received USR1\n") == RUNS
    assert result.leaks == ()


def test_a_signal_before_the_child_waits_is_not_lost(fork_runner, monkeypatch):
    # The narrowest place: it comes after the handler is there and before anybody waits.
    write = os.write

    def write_after_the_signal(fd, text) -> int:
        if text == kill_with_handshake.READY:
            signal.raise_signal(signal.SIGUSR2)
        return write(fd, text)

    monkeypatch.setattr(os, "write", write_after_the_signal)
    monkeypatch.setattr(kill_with_handshake, "PATIENCE", 5)
    reader, writer = os.pipe()
    try:
        be_signalled = kill_with_handshake.be_signalled
        result = fork_runner.run(be_signalled, writer, signal.SIGUSR2, timeout=4)
    finally:
        os.close(reader)
        os.close(writer)
    assert result.unwrap() == 0
    assert result.stdout.endswith("CHILD: Received USR2\n")


def test_without_the_handshake_the_signal_kills(fork_runner):
    # What the handshake prevents: the same child, signalled before it has a handler.
    def signal_first() -> ChildStatus:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        reader, writer = os.pipe()
        pid = kill_with_handshake.fork_worker(lambda: _unblock_and_be_signalled(writer))
        os.kill(pid, signal.SIGUSR1)
        os.close(reader)
        os.close(writer)
        return kill_with_handshake.wait_for(pid)

    assert fork_runner.run(signal_first).unwrap() == ChildStatus(killed_by=signal.SIGUSR1)


def _unblock_and_be_signalled(writer) -> int:
    while signal.SIGUSR1 not in signal.sigpending():  # the parent's next act
        pass
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    return kill_with_handshake.be_signalled(writer, signal.SIGUSR1)


def _die_early(writer, number) -> int:
    os._exit(7)


def _hang(writer, number) -> int:
    signal.pause()
    return 0


@pytest.mark.parametrize(
    ("child", "end"), [(_die_early, "exited with status 7"), (_hang, "was killed by SIGKILL")]
)
def test_a_child_that_is_never_ready_is_an_error_and_ended(fork_runner, monkeypatch, child, end):
    monkeypatch.setattr(kill_with_handshake, "be_signalled", child)
    monkeypatch.setattr(kill_with_handshake, "PATIENCE", 0.2)
    result = fork_runner.run(signal_when_ready)
    # A child that dies at once may be killed as a zombie, which changes nothing.
    with pytest.raises(ChildProcessError, match=f"never was ready: it {end}"):
        result.unwrap()
    assert result.leaks == ()


def test_a_signal_that_never_comes_is_a_failure_of_the_child(fork_runner, monkeypatch, pipe_pair):
    monkeypatch.setattr(kill_with_handshake, "PATIENCE", 0.1)
    result = fork_runner.run(kill_with_handshake.be_signalled, pipe_pair.writer.fd, signal.SIGUSR1)
    assert result.unwrap() == 1
    assert pipe_pair.reader.read_line() == kill_with_handshake.READY


def test_the_child_puts_everything_back_that_it_waited_with(fork_runner, monkeypatch, pipe_pair):
    monkeypatch.setattr(kill_with_handshake, "PATIENCE", 0.05)

    def wait_and_look() -> tuple[bool, int]:
        os.close(free := os.dup(0))
        kill_with_handshake.be_signalled(pipe_pair.writer.fd, signal.SIGUSR2)
        return os.dup(0) == free, signal.set_wakeup_fd(-1)

    assert fork_runner.run(wait_and_look).unwrap() == (True, -1)

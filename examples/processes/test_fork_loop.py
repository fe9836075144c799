"""A child per turn, until q or the end of the input; all are waited for (exercise C5)."""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fork_loop import fork_until_quit, main
from forked_worker import fork_worker
from wait_status import ChildStatus

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]

SCRIPT = Path(__file__).with_name("fork_loop.py")


def run_script(text) -> tuple[int, list[str], list[str]]:
    """Run the script; return status, pids of the parent's greetings, pids of the children's."""
    done = subprocess.run(
        [sys.executable, SCRIPT],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stderr == ""
    by_parent = re.findall(r"^hello from parent \d+, child (\d+)$", done.stdout, re.MULTILINE)
    by_child = re.findall(r"^hello from child (\d+)$", done.stdout, re.MULTILINE)
    counted = "1 child" if len(by_parent) == 1 else f"{len(by_parent)} children"
    assert done.stdout.endswith(f"\n{counted} started and waited for\n")
    return done.returncode, by_parent, by_child


@pytest.mark.parametrize(
    ("text", "turns"),
    [("q\n", 1), ("\n\nq\n", 3), ("more\n q \nnot read\n", 2), ("q", 1), ("", 1), ("\n\n", 3)],
)
def test_there_is_a_child_per_turn_until_q_or_the_end(text, turns):
    status, by_parent, by_child = run_script(text)
    assert (status, len(by_parent)) == (0, turns)
    assert sorted(by_child) == sorted(by_parent)  # each child greets once and forks nobody


@pytest.mark.requires("pty")
@pytest.mark.parametrize("last", [b"q\n", b"\x04"], ids=["q", "ctrl-d"])
def test_on_a_terminal_it_asks_until_q_or_ctrl_d(pty_pair, last):
    program = pty_pair.spawn([sys.executable, SCRIPT])
    for answer in (b"\n", b"\n", last):
        pty_pair.controller.read_until(b"another one? (q ends) ", timeout=20)
        pty_pair.controller.write(answer)
    screen = pty_pair.controller.read_until_eof(timeout=20)
    assert program.wait() == 0
    assert b"3 children started and waited for" in screen


def test_a_child_that_has_ended_is_collected_while_the_loop_goes_on(fork_runner):
    class Lines(io.StringIO):
        """Before each line waits, without collecting, until the child of the turn has ended."""

        def readline(self, *_: int) -> str:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            zombies.append(os.waitid(os.P_PID, started[-1], os.WEXITED | os.WNOWAIT).si_pid)
            for pid in started[:-1]:
                with pytest.raises(ChildProcessError):
                    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            return super().readline()

    started, zombies = [], []

    def start() -> int:
        started.append(fork_worker(lambda: 0))
        return started[-1]

    def loop() -> bool:
        return list(fork_until_quit(start, Lines("\n\n\nq\n"))) == started == zombies

    assert fork_runner.run(loop).unwrap() is True


def test_a_child_that_still_runs_is_waited_for_at_the_end(fork_runner, pipe_pair):
    # The child ends only when the loop has read its last line.
    reader, writer = pipe_pair.reader.fd, pipe_pair.writer.fd

    class Lines(io.StringIO):
        def readline(self, *_: int) -> str:
            line = super().readline()
            if line == "q\n":
                os.write(writer, b".")
            return line

    def wait_for_the_last_line() -> int:
        os.set_blocking(reader, True)
        return len(os.read(reader, 1)) + 4

    def loop() -> dict[int, ChildStatus]:
        return fork_until_quit(lambda: fork_worker(wait_for_the_last_line), Lines("q\n"))

    result = fork_runner.run(loop, timeout=20)
    assert list(result.unwrap().values()) == [ChildStatus(exit_code=5)]
    assert result.leaks == ()


def test_a_child_that_fails_is_told_and_is_status_1(fork_runner, monkeypatch):
    monkeypatch.setattr("fork_loop.greet", lambda: 3)
    monkeypatch.setattr(sys, "stdin", io.StringIO("q\n"))
    result = fork_runner.run(main, [])
    assert result.unwrap() == 1
    assert re.fullmatch(r"fork_loop: child \d+ exited with status 3\n", result.stderr)


def test_when_no_more_children_can_be_had_the_others_are_waited_for(fork_runner, monkeypatch):
    fork, forked = os.fork, []

    def fork_twice() -> int:
        if len(forked) == 2:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        forked.append(fork())
        return forked[-1]

    def loop() -> int:
        monkeypatch.setattr(os, "fork", fork_twice)
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n" * 9))
        return main([])

    result = fork_runner.run(loop)
    assert result.unwrap() == 1
    assert result.stderr == f"fork_loop: cannot start a child: {os.strerror(errno.EAGAIN)}\n"
    assert result.leaks == ()


def test_ctrl_c_ends_it_with_status_130_and_no_traceback(process_factory):
    program = process_factory([sys.executable, SCRIPT], ready="hello from parent")
    program.send_signal(signal.SIGINT)
    assert program.wait() == 130
    assert program.stderr == ""


def test_help_and_wrong_arguments(capsys):
    for arguments, status in ((["--help"], 0), (["now"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == status
    assert "fork_loop: error: " in capsys.readouterr().err

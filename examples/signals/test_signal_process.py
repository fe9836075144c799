"""The right process gets the signal; missing, denied and reused are told apart."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from signal_process import Outcome, Target, commanded, main, named, send, signal_number, target_of

pytestmark = pytest.mark.posix_only

SCRIPT = Path(__file__).with_name("signal_process.py")
NAPPER = f"napper{os.getpid() % 10**6}"  # short: Linux keeps fifteen characters of a name


@pytest.fixture
def napper(process_factory, temp_workspace):
    """A process of a name that no other process has."""
    program = temp_workspace / NAPPER
    shutil.copy(shutil.which("sleep"), program)
    return process_factory([str(program), "600"], ready=lambda: bool(named(NAPPER)))


def script(*words: object) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, str(SCRIPT), *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_a_signal_by_pid_arrives(napper):
    assert send(target_of(napper.pid), signal.SIGTERM) is Outcome.SENT
    napper.expect_exit(-signal.SIGTERM)
    assert napper.wait() == -signal.SIGTERM


def test_a_process_that_ended_is_missing(fork_runner):
    pid = fork_runner.run(os.getpid).unwrap()
    assert target_of(pid) is None
    assert send(Target(pid, 0.0), signal.SIGTERM) is Outcome.MISSING


def test_a_zombie_is_missing():
    with subprocess.Popen(["true"]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert target_of(process.pid) is None


def test_a_process_of_somebody_else_is_denied(fork_runner):
    user = 65534 if os.geteuid() == 0 else None  # root may signal everybody
    target = target_of(os.getpid() if user else 1)
    result = fork_runner.run(send, target, signal.SIGURG, user=user, cwd="/")  # harmless
    assert result.unwrap() is Outcome.DENIED


def test_a_number_that_was_given_out_again_is_left_alone(napper):
    target = target_of(napper.pid)
    earlier = target._replace(started=target.started - 60)
    assert send(earlier, signal.SIGKILL) is Outcome.REUSED
    assert napper.running


def test_it_works_where_nothing_holds_on_to_a_process(napper, monkeypatch):
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    target = target_of(napper.pid)
    assert send(target._replace(started=1.0), signal.SIGKILL) is Outcome.REUSED
    assert send(target, signal.SIGTERM) is Outcome.SENT
    napper.expect_exit()
    assert napper.wait() == -signal.SIGTERM
    assert send(target, signal.SIGTERM) is Outcome.MISSING


@pytest.mark.parametrize("pid", [0, -1, -4711])
def test_numbers_that_mean_groups_are_refused(pid):
    with pytest.raises(ValueError, match=f"{pid} is no process"):
        target_of(pid)


def test_a_name_is_the_whole_name_and_no_word_of_a_command_line(napper, process_factory):
    process_factory(["sh", "-c", f"echo {NAPPER}; read -r x"], ready=NAPPER)
    assert [target.pid for target in named(NAPPER)] == [napper.pid]
    assert named(NAPPER[:-1]) == []


def test_a_search_by_command_line_does_not_find_itself_or_those_above_it(napper):
    assert [target.pid for target in commanded(f"{NAPPER} 6+$")] == []
    # The script's own command line and that of the shell above it bear the pattern, too.
    line = f'"$0" "$@"; true {NAPPER}'
    argv = ["sh", "-c", line, sys.executable, SCRIPT, "--command", f"{NAPPER}", "--signal", "USR1"]
    run = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert run.stdout == f"{napper.pid}: sent\n"
    napper.expect_exit()
    assert napper.wait() == -signal.SIGUSR1


def test_the_script_by_name_and_by_pid(napper, fork_runner):
    gone = fork_runner.run(os.getpid).unwrap()
    run = script("--signal", "SIGCONT", "--name", NAPPER, gone)
    assert run.stdout == f"{napper.pid}: sent\n"
    assert run.stderr == f"signal_process: {gone}: no such process\n"
    assert run.returncode == 1
    assert script("--name", NAPPER, "--signal", "9").returncode == 0
    napper.expect_exit()
    assert napper.wait() == -signal.SIGKILL
    nobody = script("--name", NAPPER)
    assert (nobody.returncode, nobody.stderr) == (1, "signal_process: no process found\n")


@pytest.mark.parametrize("text", ["TERM", "term", "SIGTERM", "15"])
def test_signals_by_name_and_number(text):
    assert signal_number(text) == signal.SIGTERM


@pytest.mark.parametrize(
    "words", [["--signal", "NONE", "1"], ["--signal", "0", "1"], ["-1"], ["0"], ["--command", "("]]
)
def test_what_is_no_signal_no_process_or_no_pattern_is_status_2(words):
    with pytest.raises(SystemExit, match="2"):
        main(words)


def test_help(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "usage: signal_process" in capsys.readouterr().out

"""Groups, sessions and the foreground of a terminal are what the kernel says they are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from process_kinship import Kinship, begin_group, begin_session, kinship, kinship_of_child

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]

SCRIPT = Path(__file__).with_name("process_kinship.py")


def test_a_process_knows_itself_and_its_parent():
    here = kinship()
    assert (here.pid, here.parent) == (os.getpid(), os.getppid())
    assert (here.group, here.session) == (os.getpgid(0), os.getsid(0))


def test_a_child_stays_in_group_and_session_unless_it_leaves(fork_runner):
    parent, child = fork_runner.run(lambda: (kinship(), kinship_of_child(lambda: None))).unwrap()
    assert child.parent == parent.pid != child.pid
    assert (child.group, child.session) == (parent.group, parent.session)


def test_a_new_group_bears_the_pid_of_its_leader_in_the_same_session(fork_runner):
    parent, child = fork_runner.run(lambda: (kinship(), kinship_of_child(begin_group))).unwrap()
    assert child.group == child.pid
    assert child.session == parent.session


def test_a_new_session_has_its_own_group_and_no_terminal(fork_runner):
    child = fork_runner.run(kinship_of_child, begin_session).unwrap()
    assert child.pid == child.group == child.session
    assert (child.terminal, child.foreground, child.in_foreground) == (None, None, False)


def test_the_leader_of_a_group_cannot_begin_a_session(fork_runner):
    def lead_and_begin() -> None:
        begin_group()
        begin_session()

    with pytest.raises(PermissionError):
        fork_runner.run(lead_and_begin).unwrap()


def test_a_failed_preparation_is_an_error_and_leaves_nothing(fork_runner):
    result = fork_runner.run(kinship_of_child, lambda: os.setpgid(0, 1 << 21))
    with pytest.raises(ChildProcessError, match="exited with status 1"):
        result.unwrap()
    assert result.leaks == ()


def _blocks(text) -> list[dict[str, str]]:
    return [
        dict(line.split(": ", 1) for line in block.splitlines()[1:]) for block in text.split("\n\n")
    ]


@pytest.mark.requires("pty")
def test_on_a_terminal_the_foreground_moves_to_a_group_and_back(pty_pair):
    program = pty_pair.spawn([sys.executable, os.fspath(SCRIPT)])
    text = pty_pair.controller.read_until_eof(timeout=20).decode().replace("\r\n", "\n")
    assert program.wait(timeout=10) == 0
    first, grouped, foremost, detached, last = _blocks(text)

    terminal = str(pty_pair.path)
    assert first["pid"] == first["process group"] == first["session"] == str(program.pid)
    assert (first["controlling terminal"], first["foreground"]) == (terminal, "yes")
    assert grouped["pid"] == grouped["process group"] != first["process group"]
    assert (grouped["controlling terminal"], grouped["foreground"]) == (terminal, "no")
    assert (foremost["controlling terminal"], foremost["foreground"]) == (terminal, "yes")
    assert foremost["pid"] == foremost["process group"] != first["process group"]
    assert (detached["controlling terminal"], detached["foreground"]) == ("none", "no")
    assert last == first


_LOOK_TWICE = """\
import os, sys; sys.path.insert(0, sys.argv[1])
from process_kinship import bring_to_foreground, kinship
from signal import SIG_BLOCK, pthread_sigmask
first = kinship().foreground
bring_to_foreground(0, os.getpgrp())
os.close(free := os.dup(0))
print(first == kinship().foreground == os.getpgrp(), os.dup(0) == free)
print(pthread_sigmask(SIG_BLOCK, []) == set())
"""


@pytest.mark.requires("pty")
def test_the_terminal_is_not_left_open_nor_a_signal_blocked(pty_pair):
    program = pty_pair.spawn([sys.executable, "-c", _LOOK_TWICE, os.fspath(SCRIPT.parent)])
    assert pty_pair.controller.read_until_eof(timeout=20).split() == [b"True"] * 3
    assert program.wait(timeout=10) == 0


def test_without_a_terminal_the_script_says_none(process_factory):
    program = process_factory([sys.executable, SCRIPT])
    assert program.wait(timeout=20) == 0
    assert {block["controlling terminal"] for block in _blocks(program.stdout)} == {"none"}
    assert program.stderr == ""


def test_the_text_has_one_fact_a_line():
    assert str(Kinship(7, 6, 7, 5, None, None)).splitlines() == [
        "pid: 7",
        "parent: 6",
        "process group: 7",
        "session: 5",
        "controlling terminal: none",
        "foreground: no",
    ]

"""What is told of a process agrees with what the process knows itself (exercise D4)."""
# ruff: noqa: ANN202  # functions of one test

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone

import psutil
import pytest
from process_facts import own_ids, process_facts

from pytest_syskit import Symlink

TELL = (
    "import json, os, sys; print(json.dumps([os.getpid(), os.getppid(), os.getcwd()]), flush=True);"
    " sys.stdin.read()"
)


def test_this_process_is_the_default(temp_workspace):
    with temp_workspace.chdir():
        facts = process_facts()
        assert facts.directory == os.getcwd()
    assert (facts.pid, facts.parent) == (os.getpid(), os.getppid())
    assert facts.argv[0] == psutil.Process().cmdline()[0]


@pytest.mark.posix_only
def test_another_process_is_told_as_it_tells_of_itself(process_factory, temp_workspace):
    argument = "two words\nand lines"
    before = datetime.now(timezone.utc)
    program = process_factory([sys.executable, "-c", TELL, argument], cwd=temp_workspace)
    line = program.expect(r"\[.*\]", timeout=20)[0]
    facts = process_facts(program.pid)
    assert [facts.pid, facts.parent, facts.directory] == json.loads(line)
    assert facts.argv == (sys.executable, "-c", TELL, argument)
    assert os.path.samefile(facts.executable, os.path.realpath(sys.executable))
    assert abs(facts.started - before) < timedelta(seconds=20)
    assert facts.started.tzinfo is timezone.utc


@pytest.mark.posix_only
def test_owners_are_those_of_os():
    facts = process_facts()
    assert facts.users[:2] == (os.getuid(), os.geteuid())
    assert facts.groups[:2] == (os.getgid(), os.getegid())


@pytest.mark.posix_only
@pytest.mark.requires_root
def test_the_effective_user_is_told_apart_from_the_actual_one(fork_runner):
    def look():
        os.setresuid(1001, 1002, 1003)
        return process_facts().users

    assert fork_runner.run(look).unwrap() == (1001, 1002, 1003)


@pytest.mark.posix_only
@pytest.mark.requires_commands("sh")
def test_a_long_name_is_not_cut(process_factory, temp_workspace):
    name = "a-name-of-more-than-fifteen-letters"
    temp_workspace.populate({name: Symlink(shutil.which("sh"))})
    program = process_factory([temp_workspace / name, "-c", "echo runs; read line"])
    program.expect("runs", timeout=20)  # in the middle of an exec there are no arguments yet
    assert process_facts(program.pid).name == name


@pytest.mark.posix_only
def test_a_zombie_has_a_pid_and_a_parent_and_no_more(fork_runner):
    def look():
        child = subprocess.Popen(["true"])
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        facts = process_facts(child.pid)
        child.wait()
        return facts.pid == child.pid, facts.parent == os.getpid(), facts.directory

    assert fork_runner.run(look).unwrap() == (True, True, None)


def test_a_process_that_is_gone_is_an_error():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait(timeout=30)
    with pytest.raises(ProcessLookupError, match=f"no process has the pid {child.pid}"):
        process_facts(child.pid)


def test_facts_of_a_pid_that_changed_hands_are_not_given_out(monkeypatch):
    monkeypatch.setattr(psutil.Process, "is_running", lambda _: False)
    with pytest.raises(ProcessLookupError, match=f"pid {os.getpid()}"):
        process_facts()


def test_what_may_not_be_told_is_none_and_the_rest_is_told(monkeypatch):
    def refuse(self):
        raise psutil.AccessDenied(self.pid)

    for name in ("cmdline", "exe", "cwd"):
        monkeypatch.setattr(psutil.Process, name, refuse)
    facts = process_facts()
    assert (facts.argv, facts.executable, facts.directory) == (None, None, None)
    assert facts.parent == os.getppid()


class WithoutUsers:
    """A process as Windows has it."""

    original = psutil.Process

    def __init__(self, pid) -> None:
        self._process = self.original(pid)

    def __getattr__(self, name) -> object:
        if name in {"uids", "gids"}:
            raise AttributeError(name)
        return getattr(self._process, name)


def test_a_system_without_users_has_no_ids(monkeypatch):
    monkeypatch.setattr(psutil, "Process", WithoutUsers)
    facts = process_facts()
    assert (facts.users, facts.groups) == (None, None)


def test_own_ids_by_the_names_of_the_calls(monkeypatch):
    assert own_ids()["getpid"] == os.getpid()
    assert own_ids()["getppid"] == os.getppid()
    monkeypatch.delattr(os, "getuid", raising=False)
    assert "getuid" not in own_ids()

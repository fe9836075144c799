"""Whether a fresh process shows what it runs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pytest_syskit.host.processes import proc

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


def test_a_process_that_runs_shows_its_program():
    assert proc.shows_program(os.getpid())


def test_of_a_process_that_has_ended_nothing_is_to_come():
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert proc.read_argv(child.pid) == []
        assert proc.shows_program(child.pid)
    assert proc.shows_program(child.pid)  # collected: there is no such process


@pytest.mark.parametrize("lacking", ["cmdline", "environ"])
def test_while_either_is_empty_more_is_to_come(lacking, monkeypatch):
    true_read = proc.read_file

    def read(path, **limits):
        return b"" if path.endswith(lacking) else true_read(path, **limits)

    monkeypatch.setattr(proc, "read_file", read)
    assert not proc.shows_program(os.getpid())


def test_what_may_not_be_looked_at_is_not_waited_for(monkeypatch):
    def refuse(path, **_limits):
        raise PermissionError(path)

    monkeypatch.setattr(proc, "read_file", refuse)
    assert proc.shows_program(os.getpid())

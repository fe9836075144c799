"""Orphans are found by what they cannot shed; who merely looks like us is left alone."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys

import pytest

from pytest_syskit.host.processes import orphans

pytestmark = pytest.mark.skipif(not orphans.available(), reason="reads /proc")

SEARCHER = """
import os, sys
from pytest_syskit.host.processes.orphans import OrphanSearch

search = OrphanSearch()
search.start()
print(os.getpid(), flush=True)
for line in sys.stdin:
    if line == "fork\\n" and not os.fork():
        if not os.fork():
            os.setsid()
            print(os.getpid(), flush=True)
            sys.stdin.close()
            os.read(int(sys.argv[1]), 1)
        os._exit(0)
    elif line == "fork\\n":
        os.wait()
    else:
        print(*[stat.pid for stat in search.look()], flush=True)
"""
BETWEEN = (
    "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:], close_fds=False).returncode)"
)


@contextlib.contextmanager
def searcher(kept_open, *parent):
    argv = [*parent, sys.executable, "-c", SEARCHER, str(kept_open)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, pass_fds=[kept_open]) as popen:
        try:
            yield popen, int(popen.stdout.readline())
        finally:
            popen.stdin.close()


def ask(popen, question):
    popen.stdin.write(question + "\n")
    popen.stdin.flush()
    return [int(word) for word in popen.stdout.readline().split()]


@pytest.fixture
def end_of_orphans():
    reader, writer = os.pipe()
    yield reader
    os.close(writer)  # upon which whoever waits for it goes
    os.close(reader)


@pytest.mark.parametrize("parents", [1, 2])
def test_another_run_with_our_command_line_and_environment_is_no_orphan(parents, end_of_orphans):
    chain = [sys.executable, "-c", BETWEEN] * parents
    with searcher(end_of_orphans) as (ours, _), searcher(end_of_orphans, *chain) as (_, twin):
        assert os.path.exists(f"/proc/{twin}")
        assert ask(ours, "look") == []


def test_a_fork_whose_parent_has_gone_is_an_orphan(end_of_orphans):
    with searcher(end_of_orphans) as (ours, _):
        orphan = ask(ours, "fork")
        assert ask(ours, "look") == orphan

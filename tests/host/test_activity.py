"""No process is made without a trace in the account of its maker."""

from __future__ import annotations

import os
import subprocess
import threading
import time

import pytest

from pytest_syskit import run_in_fork
from pytest_syskit.host.processes import activity
from pytest_syskit.host.processes.activity import Activity

pytestmark = pytest.mark.skipif(
    activity._usage_of_self() is None, reason="the kernel does not count faults and switches"
)


STARTED = []  # a Popen that is dropped would wait for its child itself


def fork():
    pid = os.fork()
    if not pid:
        os._exit(0)
    return pid


def spawn():
    return os.posix_spawn("/bin/true", ["true"], {})


def start():
    return STARTED.append(subprocess.Popen(["true"], stdin=subprocess.DEVNULL)) or STARTED[-1].pid


def fork_in_a_thread():
    pids = []
    thread = threading.Thread(target=lambda: pids.append(fork()))
    thread.start()
    thread.join()
    return pids[0]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("make", [fork, spawn, start, fork_in_a_thread])
def test_every_child_is_noticed(make):
    def make_many():
        seen = Activity()
        seen.moved()
        noticed = []
        for _ in range(200):
            pid = make()
            noticed.append(seen.moved())
            os.waitpid(pid, 0)
        return noticed.count(False)

    assert run_in_fork(make_many).value == 0


def test_where_nothing_happened_nothing_moved():
    def is_quiet():
        seen = Activity()
        deadline = time.monotonic() + 10  # a busy machine interrupts us, but not at every turn
        while time.monotonic() < deadline:
            seen.moved()
            if not seen.moved():
                return True
        return False

    assert run_in_fork(is_quiet).value


def test_a_kernel_that_counts_nothing_is_not_believed(monkeypatch):
    resource = pytest.importorskip("resource")
    nothing = resource.struct_rusage([0] * 16)
    monkeypatch.setattr(resource, "getrusage", lambda _who: nothing)
    blind = Activity()
    assert all(blind.moved() for _ in range(3))

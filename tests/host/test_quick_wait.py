"""Every child is noticed at once, whoever made it and however."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading

import pytest

from pytest_syskit import run_in_fork
from pytest_syskit.host.processes import children
from pytest_syskit.host.processes.quick_wait import quick_childless

pytestmark = pytest.mark.skipif(not children.KEEP, reason="a platform without waitid")

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


@pytest.fixture(params=["quick", "slow"])
def childless(request):
    return quick_childless() if request.param == "quick" else children.none


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize("make", [fork, spawn, start, fork_in_a_thread])
def test_a_child_is_noticed_until_somebody_waits_for_it(childless, make):
    def answers():
        before = childless()
        pid = make()
        with_child = [childless(), childless()]
        os.waitpid(pid, 0)  # its status has not been taken
        return before, with_child, childless()

    assert run_in_fork(answers).value == (True, [False, False], True)


def test_a_stopped_child_counts(childless):
    def answers():
        pid = os.fork()
        if not pid:
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(0)
        os.waitpid(pid, os.WUNTRACED)
        stopped = childless()
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        return stopped

    assert run_in_fork(answers).value is False


class Lacking:
    """A C library without the function."""

    def __init__(self, *_: object) -> None:
        pass

    def __getitem__(self, name):
        raise AttributeError(name)


def test_without_the_c_function_python_is_asked(monkeypatch):
    monkeypatch.setattr(ctypes, "PyDLL", Lacking)
    assert quick_childless.__wrapped__() is children.none


def test_without_waitid_the_answer_is_open(monkeypatch):
    monkeypatch.setattr(children, "KEEP", 0)
    assert quick_childless.__wrapped__() is children.none
    assert not children.none()

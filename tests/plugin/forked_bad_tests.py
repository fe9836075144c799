"""Tests that end in every way in which a test in a forked child can end; see test_fork_outcomes."""

import os
import signal
import sys
import threading
import time

import pytest

# Python ignores SIGPIPE and SIGXFSZ and turns SIGINT into an exception; the others stop or do nothing.
DEADLY = [
    name
    for name in (
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE",
        "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGXCPU",
        "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGSYS",
    )
    if hasattr(signal, name)
]  # fmt: skip


def test_passes():
    pass


def test_fails():
    values = [1]
    assert values == [2]


def test_skips():
    pytest.skip("the reason")


@pytest.mark.skip(reason="marked")
def test_is_skipped():
    raise AssertionError("ran")


@pytest.mark.xfail(reason="known")
def test_xfails():
    raise AssertionError("as known")


@pytest.mark.xfail
def test_xpasses():
    pass


@pytest.mark.xfail(strict=True)
def test_xpasses_strictly():
    pass


@pytest.fixture
def broken():
    raise RuntimeError("broken set-up")


def test_set_up_fails(broken):
    raise AssertionError("ran")


@pytest.fixture
def breaking():
    yield
    raise RuntimeError("broken teardown")


def test_teardown_fails(breaking):
    pass


def test_call_and_teardown_fail(breaking):
    raise AssertionError("broken call")


@pytest.mark.parametrize("name", DEADLY)
def test_crashes(name):
    number = getattr(signal, name)
    if number != signal.SIGKILL:
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    signal.pause()


@pytest.fixture
def crashing():
    yield
    os.kill(os.getpid(), signal.SIGKILL)


def test_crashes_in_teardown(crashing):
    pass


@pytest.mark.parametrize("status", [0, 3])
def test_exits(status):
    os._exit(status)


def test_raises_system_exit():
    sys.exit(3)


@pytest.mark.run_in_fork(timeout=0.5)
def test_does_not_end():
    time.sleep(600)


def test_says_much():
    sys.stdout.write("x" * 2_000_000)
    raise AssertionError("after much output")


class NoPickle(Exception):
    """An exception that cannot travel."""

    def __init__(self, message):
        super().__init__(message)
        self.lock = threading.Lock()


def test_raises_what_cannot_be_pickled():
    raise NoPickle("with a lock")


def test_compares_what_cannot_be_pickled():
    assert threading.Lock() == "no lock"


def escape(way):
    pid = os.fork()
    if pid == 0:
        way()
        return
    os.waitpid(pid, 0)


def test_child_returns():
    escape(lambda: None)


def test_child_raises():
    escape(lambda: 1 / 0)


def test_child_fails_an_assertion():
    pid = os.fork()
    if pid == 0:
        assert pid == 1
    os.waitpid(pid, 0)


def test_child_raises_system_exit():
    escape(sys.exit)


def test_child_skips():
    escape(lambda: pytest.skip("no"))


def test_child_is_interrupted():
    def interrupt():
        raise KeyboardInterrupt

    escape(interrupt)


@pytest.fixture
def forking_set_up():
    escape(lambda: None)


def test_child_comes_out_of_set_up(forking_set_up):
    pass


@pytest.fixture
def forking_teardown():
    yield
    escape(lambda: None)


def test_child_comes_out_of_teardown(forking_teardown):
    pass


def test_leaves_a_zombie():
    if os.fork() == 0:
        os._exit(0)
    time.sleep(0.05)


def test_leaves_a_pipe():
    test_leaves_a_pipe.kept = os.pipe()

"""Ways to hide a leak, and things that only look like one; each says what becomes of it.

The word behind the arrow is what the JSON report of a run under ``warn`` must contain for the test:
``fd``, ``process:zombie``, ``process:running``, ``orphan`` (a running one), ``fd:closed`` and ``fd:replaced``
for descriptors from before the tests, or ``nothing``.  Behind ``adopted:`` stands what becomes of it under
``--syskit-subreaper``, where that is another.  The tests of the project run this file and compare.
The order matters: the last tests disturb standard input.
"""

import asyncio
import functools
import logging
import mmap
import multiprocessing
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from unittest import mock

import pytest

KEPT = []
NAP = ["sleep", "30"]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux only")


def open_null():
    return os.open(os.devnull, os.O_RDONLY)


# -- descriptors: identity and counting ---------------------------------------------------------------

BEFORE = [open_null() for _ in range(3)]  # opened at import, before the first test


def test_t1_swapped_under_its_number():  # -> fd
    fd = BEFORE.pop()
    os.close(fd)
    assert os.open("/dev/zero", os.O_RDONLY) == fd


def test_t2_one_fewer_two_more():  # -> fd fd
    os.close(BEFORE.pop())
    os.pipe()


@pytest.fixture(scope="class")
def wide_file():
    with open(__file__) as file:
        yield file


class TestLastUser:
    def test_t3_the_last_user_of_a_fixture_leaks(self, wide_file):  # -> fd
        assert wide_file.fileno() != open_null()


@linux
@pytest.mark.skipif(not hasattr(os, "eventfd"), reason="a C library without eventfd")
class TestAnonymous:
    @pytest.fixture(scope="class")
    def an_eventfd(self):
        return os.eventfd(0)

    def test_t4_an_eventfd_becomes_an_epoll(self, an_eventfd):  # -> fd
        os.close(an_eventfd)
        poll = select.epoll()
        KEPT.append(poll)
        assert poll.fileno() == an_eventfd

    def test_t4_one_eventfd_becomes_another(self):  # -> nothing
        fd = os.eventfd(0)
        os.close(fd)
        os.close(os.eventfd(0))


def test_t5_the_same_path_twice():  # -> fd
    with open(__file__):
        os.open(__file__, os.O_RDONLY)


class TestFullTable:
    @pytest.fixture(scope="class", autouse=True)
    def a_small_table(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        opened = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        yield opened
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in opened[1:]:
            os.close(fd)

    def test_t10_no_descriptor_left(self, a_small_table):  # -> fd
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                a_small_table.append(open_null())


class TestLoweredLimit:
    @pytest.fixture(scope="class", autouse=True)
    def the_limit(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        yield
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_t11_open_above_the_limit(self):  # -> fd
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        fd = open_null()
        os.dup2(fd, 200)
        os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))


def test_t15_received_from_another_process():  # -> fd
    left, right = socket.socketpair()
    with left, right:
        with open(__file__) as file:
            socket.send_fds(left, [b"x"], [file.fileno()])
        socket.recv_fds(right, 1, 1)


# -- descriptors: lifetimes ----------------------------------------------------------------------------


def test_t25_a_logging_handler(tmp_path):  # -> fd
    logging.getLogger("traps").addHandler(logging.FileHandler(tmp_path / "log"))


def test_t26_a_mapping_outlives_its_file():  # -> fd
    with open(__file__, "rb") as file:
        KEPT.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def test_t26_a_directory_read_half_way():  # -> fd
    listing = os.scandir("/")
    next(listing)
    KEPT.append(listing)


@linux
def test_t27_a_loop_that_is_not_closed():  # -> fd fd fd
    KEPT.append(asyncio.new_event_loop())


@functools.cache
def cached():
    return open(os.devnull)


def test_t28_opened_once_and_cached():  # -> fd
    cached()


def test_t28_the_second_user_of_the_cache():  # -> nothing
    cached()


# -- processes -----------------------------------------------------------------------------------------


class TestStatus:
    def test_t31_a_child_fails_later(self):  # -> process:zombie
        KEPT.append(subprocess.Popen(["false"], stdout=subprocess.DEVNULL))
        os.waitid(os.P_PID, KEPT[-1].pid, os.WEXITED | os.WNOWAIT)

    def test_t31_its_status_was_not_taken_away(self):  # -> nothing
        assert KEPT[-1].wait() == 1


def test_t33_the_kernel_collects_children():  # -> nothing
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, 0)
    finally:
        signal.signal(signal.SIGCHLD, before)


@linux
def test_t39_a_name_that_looks_like_a_state(tmp_path):  # -> process:running
    program = tmp_path / ") Z 1 ("
    program.symlink_to("/bin/sleep")
    KEPT.append(subprocess.Popen([program, "30"]))


def test_t40_told_to_end_and_not_waited_for():  # -> process:zombie
    child = subprocess.Popen(NAP)
    child.terminate()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    KEPT.append(child)


@linux
def test_t42_a_shell_is_killed_and_its_child_is_not():  # -> orphan
    with subprocess.Popen(
        ["sh", "-c", "sleep 30 & echo started; wait"], stdout=subprocess.PIPE
    ) as shell:
        shell.stdout.readline()
        shell.kill()
        shell.stdout.close()


def test_t43_a_session_of_its_own():  # -> process:running
    KEPT.append(subprocess.Popen(NAP, start_new_session=True))


@linux
def test_t44_without_an_environment():  # -> nothing; adopted: orphan
    subprocess.run(["env", "-i", "/bin/sh", "-c", "sleep 3 >/dev/null 2>&1 &"], check=True)


def test_t47_the_resource_tracker_stays():  # -> nothing
    multiprocessing.get_context("spawn").Lock()


def test_t48_a_pool_kept_by_a_module():  # -> fd fd process:running
    KEPT.append(multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,)))
    KEPT[-1].start()


class Churn:
    """A thread that does something again and again, with pauses."""

    def __init__(self, act):
        self.act, self.over = act, threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.over.wait(0.002):
            self.act()

    def stop(self):
        self.over.set()
        self.thread.join()


class TestBusyThreads:
    @pytest.fixture(scope="class", autouse=True)
    def churns(self):
        both = [
            Churn(lambda: os.close(open_null())),
            Churn(lambda: subprocess.run(["true"], check=True)),
        ]
        yield
        for churn in both:
            churn.stop()

    @pytest.mark.parametrize("number", range(5))
    def test_t49_t65_a_thread_opens_files_and_runs_programs(self, number):  # -> nothing
        time.sleep(0.01 + number / 1000)


def test_t51_a_child_holds_the_pipe():  # -> process:running
    reader, writer = os.pipe()
    KEPT.append(subprocess.Popen(NAP, stdout=writer))
    os.close(reader)
    os.close(writer)


# -- a patched world -----------------------------------------------------------------------------------


def test_t66_pytest_within_pytest(tmp_path):  # -> nothing
    (tmp_path / "test_inner.py").write_text("def test(): pass\n")
    assert pytest.main(["-q", "-p", "no:cacheprovider", str(tmp_path)]) == 0


class TestPatchedListing:
    @pytest.fixture(scope="class", autouse=True)
    def nothing_is_listed(self):
        with mock.patch("os.listdir", return_value=[]), mock.patch("os.stat", side_effect=OSError):
            yield

    def test_t68_functions_of_os_are_replaced(self):  # -> fd
        open_null()


@linux
class TestStoppedClock:
    @pytest.fixture(scope="class", autouse=True)
    def time_stands_still(self):
        now = time.monotonic()
        with (
            mock.patch("time.monotonic", return_value=now),
            mock.patch("time.sleep", return_value=None),
            mock.patch("time.time", return_value=now),
        ):
            yield

    def test_t69_t70_an_orphan_that_is_about_to_end(self):  # -> nothing
        subprocess.run(["sh", "-c", "sleep 0.05 >/dev/null 2>&1 &"], check=True)

    def test_t69_t70_an_orphan_that_stays(self):  # -> orphan
        subprocess.run(["sh", "-c", "sleep 30 >/dev/null 2>&1 &"], check=True)


class TestRemovedDirectory:
    @pytest.fixture(scope="class", autouse=True)
    def somewhere(self, tmp_path_factory):
        before = os.getcwd()
        os.chdir(tmp_path_factory.mktemp("gone"))
        yield
        os.chdir(before)

    @linux
    def test_t71_the_working_directory_is_removed(self):  # -> fd
        os.rmdir(os.getcwd())
        open_null()


class TestAlarms:
    @pytest.fixture(scope="class", autouse=True)
    def ring(self):
        before = signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        yield
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    def test_t74_signals_all_the_time(self):  # -> fd
        open_null()


# -- descriptors from before the tests; these come last -------------------------------------------------


def test_t14_standard_input_is_replaced():  # -> fd:replaced
    fd = os.open("/dev/zero", os.O_RDONLY)
    os.dup2(fd, 0)
    os.close(fd)


def test_t13_standard_input_is_closed():  # -> fd:closed
    os.close(0)

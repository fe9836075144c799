"""Twenty-odd ways to hang, for a limit of 0.4 s; run by test_timeouts.py in a session of its own."""
# ruff: noqa: SIM105, BLE001, ASYNC251  # this code is bad on purpose

import asyncio
import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
import time
import unittest

import pytest
from hypothesis import given, strategies

FOREVER = 30
pytestmark = pytest.mark.signal_timeout(0.4)


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def test_sleep():
    time.sleep(FOREVER)


def test_read_of_an_empty_pipe(pipe):
    os.read(pipe[0], 1)


def test_child_holds_our_pipe():
    reader, writer = os.pipe()
    child = subprocess.Popen(["sleep", "31"], pass_fds=[writer])
    os.close(writer)
    try:
        os.read(reader, 1)
    finally:
        os.close(reader)
    child.wait()


def test_fifo_without_a_peer(tmp_path):
    os.mkfifo(tmp_path / "lonely")
    os.open(tmp_path / "lonely", os.O_RDONLY)


def test_socket():
    left, right = socket.socketpair()
    with left, right:
        left.recv(1)


def test_lock():
    held = threading.Lock()
    held.acquire()
    held.acquire()


def test_join():
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="never-done", daemon=True)
    thread.start()
    try:
        thread.join()
    finally:
        done.set()


def test_select(pipe):
    select.select([pipe[0]], [], [], FOREVER)


def test_waitpid():
    pid = os.fork()
    if pid == 0:
        time.sleep(FOREVER)
        os._exit(0)
    os.waitpid(pid, 0)


def test_subprocess():
    subprocess.run(["sh", "-c", "sleep 32; true"], check=False)


def test_asyncio_sleep():
    asyncio.run(asyncio.sleep(FOREVER))


def test_asyncio_busy_task():
    async def busy():
        time.sleep(FOREVER)

    async def main():
        task = asyncio.create_task(busy())
        await asyncio.sleep(FOREVER)
        await task

    asyncio.run(main())


def test_asyncio_gather():
    async def waiting():
        await asyncio.sleep(FOREVER)

    async def main():
        await asyncio.gather(waiting(), return_exceptions=True)

    asyncio.run(main())


def test_asyncio_callback():
    async def main():
        asyncio.get_running_loop().call_soon(time.sleep, FOREVER)
        await asyncio.sleep(FOREVER)

    asyncio.run(main())


def test_swallowed_once():
    with contextlib.suppress(BaseException):
        time.sleep(FOREVER)


def test_except_base_exception():
    while True:
        try:
            time.sleep(FOREVER)
        except BaseException:
            pass


def test_finally_that_hangs():
    try:
        time.sleep(FOREVER)
    finally:
        time.sleep(FOREVER)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_destructor():
    class Slow:
        def __del__(self):
            time.sleep(FOREVER)

    Slow()


def test_python_loop():
    while True:
        pass


def test_stopped_alarm():
    signal.alarm(0)
    time.sleep(0.5)


def test_foreign_handler():
    previous = signal.signal(signal.SIGALRM, lambda *_: None)
    time.sleep(0.5)
    signal.signal(signal.SIGALRM, previous)
    signal.alarm(0)


def test_patched_sleep(monkeypatch):
    true_sleep = time.sleep
    monkeypatch.setattr(time, "sleep", lambda _: true_sleep(0.01))
    while True:
        time.sleep(FOREVER)


@given(strategies.integers())
def test_hypothesis(number):
    time.sleep(FOREVER)


class TestUnittest(unittest.TestCase):
    def test_method(self):
        self.addCleanup(print, "cleaned up")
        time.sleep(FOREVER)


@pytest.fixture
def slow_to_set_up():
    time.sleep(FOREVER)


def test_setup(slow_to_set_up):
    pass


@pytest.fixture
def slow_to_tear_down():
    yield
    time.sleep(FOREVER)


def test_teardown(slow_to_tear_down):
    pass


@pytest.mark.signal_timeout(0.4, clock="cpu")
def test_processor_time():
    while True:
        pass


def test_within_its_limit():
    time.sleep(0.05)

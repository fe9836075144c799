"""Threads count, stop when told, and their errors reach somebody (exercise A16)."""
# ruff: noqa: ANN002, ANN202, ANN204  # functions of one test

from __future__ import annotations

import _thread
import subprocess
import sys
import threading
import time

import pytest
import worker_counters as module
from worker_counters import Counter, Worker, count_side_by_side, main

pytestmark = pytest.mark.signal_timeout(30)


def threads_now():
    return _thread._count()  # noqa: SLF001  # all of them, those of threading and the others


def wait_until(condition):
    while not condition():  # no longer than the limit of the test
        time.sleep(0.001)


def fail():
    raise ValueError("in a thread")


def test_five_counters_reach_their_limit_and_end():
    before = threads_now()
    assert count_side_by_side(20) == [20] * 5
    wait_until(lambda: threads_now() == before)


def test_counters_run_at_once():
    stop, turns = threading.Event(), threading.Barrier(5, timeout=10)

    class Meeting(Counter):
        def __call__(self):
            turns.wait()  # passes only when all five are here
            super().__call__()

    workers = [Worker(Meeting(stop, 1)) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(10)


def test_a_counter_without_a_limit_stops_when_told():
    stop = threading.Event()
    counter = Counter(stop)
    assert counter.value == 0
    worker = Worker(counter)
    worker.start()
    wait_until(lambda: counter.value >= 3)
    stop.set()
    worker.join(10)
    assert counter.value >= 3


def test_too_slow_is_an_error_and_everybody_is_stopped():
    before = threads_now()
    with pytest.raises(TimeoutError, match=r"still runs after 0\.01 seconds"):
        count_side_by_side(1_000_000, timeout=0.01)
    wait_until(lambda: threads_now() == before)


def test_an_error_reaches_whoever_joins():
    worker = Worker(fail)
    worker.start()
    with pytest.raises(ValueError, match="in a thread"):
        worker.join(10)


def test_a_thread_that_cannot_be_started_is_an_error_and_leaves_nobody_waiting(monkeypatch):
    def refuse(*_):
        raise RuntimeError("can't start new thread")

    worker = Worker(fail)
    with monkeypatch.context() as patched:
        patched.setattr(_thread, "start_new_thread", refuse)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            worker.start()
    worker.join(0)
    worker.start()  # it may be tried again
    with pytest.raises(ValueError, match="in a thread"):
        worker.join(10)


def test_without_a_worker_an_error_goes_to_the_unraisable_hook(monkeypatch):
    told, heard = [], threading.Event()

    def hook(unraisable):
        told.append(unraisable.exc_value)
        heard.set()

    monkeypatch.setattr(sys, "unraisablehook", hook)
    _thread.start_new_thread(fail, ())
    assert heard.wait(10)
    assert [str(error) for error in told] == ["in a thread"]
    told.clear()


def test_the_waiting_thread_sleeps():
    before = time.thread_time()
    count_side_by_side(100)
    assert time.thread_time() - before < 0.1


def test_as_a_process_it_ends_after_all_counters():
    done = subprocess.run(
        [sys.executable, module.__file__, "--limit", "3"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "".join(f"counter {number} reached 3\n" for number in range(1, 6))


@pytest.mark.parametrize("limit", ["-1", "many"])
def test_a_wrong_limit_is_status_2(limit, capsys):
    with pytest.raises(SystemExit) as ended:
        main([f"--limit={limit}"])
    assert ended.value.code == 2
    assert "worker_counters: error: " in capsys.readouterr().err

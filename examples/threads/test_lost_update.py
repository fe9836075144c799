"""The race is lost every time without the lock, and cannot be lost with it (exercise C10)."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import nullcontext

import lost_update as module
import pytest
from careful_thread import CarefulThread, run_together
from lost_update import Tally, count_with_lock, count_without_lock, increment_side_by_side

pytestmark = pytest.mark.signal_timeout(120)

RUNS = 200


def test_without_a_lock_only_one_increment_of_each_turn_survives_in_200_runs():
    # Few threads, so that it is fast; the hundred of the exercise are below.
    assert {count_without_lock(threads=4) for _ in range(RUNS)} == {2}


def test_a_hundred_threads_reach_2_without_a_lock_and_200_with_it():
    assert (count_without_lock(), count_with_lock()) == (2, 200)


def test_one_who_reads_between_makes_another_lose_its_update():
    first_has_read, second_has_written = threading.Event(), threading.Event()

    def between() -> None:
        if not first_has_read.is_set():  # only the first thread gets here before it is set
            first_has_read.set()
            assert second_has_written.wait(10)

    tally = Tally(nullcontext(), between)

    def second() -> None:
        assert first_has_read.wait(10)
        tally.increment()
        assert tally.value == 1
        second_has_written.set()

    run_together([CarefulThread(target=tally.increment), CarefulThread(target=second)])
    assert tally.value == 1  # of two increments


class ObservedLock:
    """A lock that says when somebody finds it taken."""

    def __init__(self) -> None:
        self.found_taken = threading.Event()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.found_taken.set()
            self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_with_the_lock_who_comes_between_is_kept_out():
    # The same unlucky moment: the holder goes on only once another thread wants in.
    lock, readings = ObservedLock(), []

    def between() -> None:
        readings.append(tally.value)
        if len(readings) == 1:
            assert lock.found_taken.wait(10)

    tally = Tally(lock, between)
    assert increment_side_by_side(tally, threads=20) == 40
    assert readings == list(range(40))  # nobody has read what another had read


def test_the_lock_is_held_from_the_reading_to_the_writing(monkeypatch):
    held = []

    class WatchedTally(Tally):
        def __init__(self, mutex) -> None:
            super().__init__(mutex, lambda: held.append(mutex.locked()))

    monkeypatch.setattr(module, "Tally", WatchedTally)
    assert count_with_lock(threads=10) == 20
    assert held == [True] * 20


def test_a_thread_that_never_comes_is_an_error_and_no_hang():
    meeting = threading.Barrier(3, timeout=0.05)  # but only two will come
    with pytest.raises(threading.BrokenBarrierError):
        increment_side_by_side(Tally(nullcontext(), meeting.wait), threads=2)


def test_the_script_shows_the_loss_and_the_cure():
    done = subprocess.run(
        [sys.executable, module.__file__], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "without a lock: 2 of 200\nwith a lock: 200 of 200\n"

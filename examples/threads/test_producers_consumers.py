"""Every message is consumed, once, by whoever is free, and nobody polls (exercise C11)."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading

import producers_consumers as module
import pytest
from producers_consumers import Message, exchange, main

pytestmark = pytest.mark.signal_timeout(120)

RUNS = 200
ALL_MESSAGES = sorted((producer, number) for producer in range(2) for number in range(4))


def consumed(**numbers: int) -> list[tuple[int, int]]:
    """Run an exchange, and return (producer, number) of each message in the order of arrival."""
    arrived = []
    exchange(lambda _, message: arrived.append((message.producer, message.number)), **numbers)
    return arrived


def test_in_200_runs_all_eight_messages_are_consumed():
    for _ in range(RUNS):
        assert sorted(consumed()) == ALL_MESSAGES


def test_messages_of_one_producer_are_taken_in_order():
    arrived = consumed(producers=3, consumers=1, count=20)
    for producer in range(3):
        assert [n for p, n in arrived if p == producer] == list(range(20))


def test_the_last_message_is_awaited_though_its_consumer_is_slow(monkeypatch):
    # What loses it in the lecture: the producers have ended, a consumer is still at work.
    producers_ended, arrived = threading.Event(), []
    run_together = module.run_together

    def run_and_tell(threads) -> None:
        run_together(threads)
        producers_ended.set()

    def consume_late(_, message) -> None:
        assert producers_ended.wait(10)
        arrived.append((message.producer, message.number))

    monkeypatch.setattr(module, "run_together", run_and_tell)
    exchange(consume_late, producers=2, consumers=2, count=1)
    assert sorted(arrived) == [(0, 0), (1, 0)]


def test_both_consumers_consume():
    meeting, seen = threading.Barrier(2, timeout=10), set()

    def consume(consumer, message) -> None:
        meeting.wait()  # one alone would never get here twice
        seen.add(consumer)

    exchange(consume)
    assert seen == {0, 1}


def test_consumers_are_daemons_and_have_ended():
    kinds = set()
    before = threading.active_count()
    exchange(lambda *_: kinds.add(threading.current_thread().daemon))
    assert kinds == {True}
    assert threading.active_count() == before


def test_nobody_polls(monkeypatch):
    asked = []

    class StrictQueue(queue.Queue):
        def get(self, block=True, timeout=None) -> object:
            asked.append((block, timeout))
            return super().get(block, timeout)

    monkeypatch.setattr(module.queue, "Queue", StrictQueue)
    assert len(consumed()) == 8
    assert asked == [(True, None)] * (8 + 2)  # one for each message, and one "no more" for each


def test_a_producer_does_not_run_ahead_of_the_consumers():
    waiting = []

    class WatchedQueue(queue.Queue):
        def put(self, item, block=True, timeout=None) -> None:
            super().put(item, block, timeout)
            waiting.append(self.qsize())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.queue, "Queue", WatchedQueue)
        assert len(consumed(count=100)) == 200
    assert max(waiting) <= module.ROOM


def test_an_error_of_a_consumer_is_raised_once_all_else_is_consumed():
    arrived = []

    def consume(_, message) -> None:
        if message == Message(0, 1):
            raise ValueError(f"cannot use {message}")
        arrived.append((message.producer, message.number))

    with pytest.raises(ValueError, match="cannot use producer 0, message 1"):
        exchange(consume, count=50)  # many more than wait in the queue: it did not fill up
    assert len(arrived) == 99


def test_a_consumer_goes_on_after_its_error_and_the_first_is_told():
    seen = []

    def consume(_, message) -> None:
        seen.append(message.number)
        raise ValueError(f"error {len(seen)}")

    with pytest.raises(ValueError, match="error 1"):
        exchange(consume, producers=1, consumers=1, count=3)
    assert seen == [0, 1, 2]


def test_a_producer_that_fails_leaves_nobody_behind(monkeypatch):
    def fail(number, count, messages) -> None:
        messages.put(Message(number, 0))
        raise OSError(5, "Input/output error")

    before, arrived = threading.active_count(), []
    monkeypatch.setattr(module, "produce", fail)
    with pytest.raises(OSError, match="Input/output"):
        exchange(lambda _, message: arrived.append(message.producer))
    assert sorted(arrived) == [0, 1]
    assert threading.active_count() == before


def test_without_consumers_it_is_an_error_and_no_hang():
    with pytest.raises(ValueError, match="consumers=0: at least one"):
        exchange(print, consumers=0)


def test_no_messages_are_fine():
    assert consumed(count=0) == []


def test_in_20_processes_the_main_thread_exits_last():
    command = [sys.executable, module.__file__]
    for _ in range(20):
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        *lines, last = done.stdout.splitlines()
        assert (done.returncode, done.stderr, last) == (0, "", "Main thread exit")
        assert sorted(line.split(" got ")[1] for line in lines) == [
            f"producer {producer}, message {number}" for producer, number in ALL_MESSAGES
        ]


@pytest.mark.parametrize("count", ["-1", "many"])
def test_a_wrong_count_is_status_2(count, capsys):
    with pytest.raises(SystemExit) as ended:
        main([f"--count={count}"])
    assert ended.value.code == 2
    assert "producers_consumers: error: " in capsys.readouterr().err

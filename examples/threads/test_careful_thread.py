"""Errors of threads reach whoever waits, and all threads are waited for."""

from __future__ import annotations

import threading

import pytest
from careful_thread import CarefulThread, run_together

pytestmark = pytest.mark.signal_timeout(30)


def fail(text) -> None:
    raise ValueError(text)


def test_all_have_ended_when_it_returns():
    ended = []
    threads = [CarefulThread(target=ended.append, args=(n,)) for n in range(5)]
    run_together(threads)
    assert sorted(ended) == [0, 1, 2, 3, 4]
    assert not any(thread.is_alive() for thread in threads)


def test_they_run_at_once():
    meeting = threading.Barrier(5, timeout=10)  # passes only when all five are here
    run_together([CarefulThread(target=meeting.wait) for _ in range(5)])


def test_the_first_error_is_raised_after_the_last_thread_has_ended():
    failed, ended = threading.Event(), []

    def fail_first() -> None:
        failed.set()
        fail("first")

    def end_later() -> None:
        assert failed.wait(10)
        ended.append("later")

    threads = [CarefulThread(target=work) for work in (fail_first, end_later)]
    with pytest.raises(ValueError, match="first"):
        run_together([*threads, CarefulThread(target=fail, args=("second",))])
    assert ended == ["later"]


def test_even_sys_exit_in_a_thread_is_told():
    def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit, match="3"):
        run_together([CarefulThread(target=leave)])


def test_when_one_cannot_start_those_before_it_are_waited_for(monkeypatch):
    ended = []
    first, second = CarefulThread(target=ended.append, args=("first",)), CarefulThread()
    monkeypatch.setattr(second, "start", lambda: fail("can't start new thread"))
    with pytest.raises(ValueError, match="can't start"):
        run_together([first, second])
    assert ended == ["first"]
    assert not first.is_alive()

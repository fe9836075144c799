"""Threads that are alive, by the identity of their object."""

from __future__ import annotations

import _thread
import ctypes
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import resource_sharer

import pytest

from pytest_syskit.detectors import infrastructure
from pytest_syskit.detectors.descriptor import DescriptorDetector
from pytest_syskit.detectors.holders import held
from pytest_syskit.detectors.thread import ThreadDetector


@pytest.fixture
def over():
    """What the threads of a test wait for; they are joined in the end."""
    event, before = threading.Event(), set(threading.enumerate())
    yield event
    event.set()
    for each in set(threading.enumerate()) - before:
        if not isinstance(each, threading._DummyThread):
            each.join(timeout=10)


@pytest.fixture
def detector():
    detector = ThreadDetector()
    detector.start()
    yield detector
    detector.stop()


@pytest.fixture
def begin(over, detector):
    """Start a thread that waits; return it with its resource."""

    def begin(**options):
        before = detector.snapshot()
        thread = threading.Thread(target=over.wait, **options)
        thread.start()
        (found,) = detector.snapshot() - before
        return thread, found

    return begin


def test_no_new_thread_is_nothing(detector):
    before = detector.snapshot()
    assert detector.unchanged(False)
    assert detector.unchanged(True)
    assert detector.snapshot() == before


@pytest.mark.parametrize("daemon", [False, True])
def test_a_thread_is_told_with_name_and_what_it_does_now(begin, detector, daemon):
    thread, found = begin(name="worker", daemon=daemon)
    told = detector.describe(found)
    assert told.label.startswith(f"thread 'worker'  {'daemon, ' * daemon}at threading.py:")
    assert told.label.endswith(" in wait")
    assert told.detail["native_id"] == thread.native_id
    assert told.detail["daemon"] is daemon
    assert told.detail["name"] == "worker"


def test_the_users_lines_are_shown_before_those_of_libraries(over, detector):
    def serve():
        over.wait()

    before = detector.snapshot()
    running = threading.Event()
    thread = threading.Thread(target=lambda: (running.set(), serve()))
    thread.start()
    running.wait(10)
    (found,) = detector.snapshot() - before
    line = serve.__code__.co_firstlineno + 1
    told = detector.describe(found)
    while not told.detail["stack"][-1].endswith(" in serve"):  # it is about to call it
        told = detector.describe(found)
    assert told.detail["stack"][-1].endswith(f"test_thread.py:{line} in serve")
    assert len(told.detail["stack"]) == 2


def test_where_it_was_started_is_known(begin, detector):
    _, found = begin()
    line = detector.created_at(found)[-1]
    assert line.endswith(" in begin")
    assert "test_thread.py:" in line


def test_a_thread_that_was_started_before_anybody_noted_has_no_place(over):
    thread = threading.Thread(target=over.wait)
    thread.start()
    detector = ThreadDetector()
    places = [detector.created_at(each) for each in detector.snapshot()]
    assert () in places


def test_an_ended_thread_vanishes(begin, detector, over):
    thread, found = begin()
    over.set()
    thread.join()
    assert not detector.unchanged(True)
    assert found not in detector.snapshot()
    assert detector.describe(found).detail == {"state": "gone"}


def test_one_that_ends_as_another_begins_is_seen_closely(begin, detector, over):
    thread, _ = begin()
    other = threading.Event()
    over.set()
    thread.join()
    second = threading.Thread(target=other.wait)
    second.start()
    assert not detector.unchanged(True)
    other.set()
    second.join()


def test_ended_threads_are_not_kept_alive(begin, detector, over):
    thread, found = begin()
    gone = weakref.ref(thread)
    over.set()
    thread.join()
    del thread
    gc.collect()
    assert gone() is None
    assert detector.describe(found).detail == {"state": "gone"}


def test_stopping_puts_the_true_method_back():
    before = threading.Thread.start
    detector = ThreadDetector()
    detector.start()
    assert threading.Thread.start is not before
    detector.stop()
    assert threading.Thread.start is before


def test_stopping_leaves_the_wrapper_of_somebody_else_alone(monkeypatch):
    detector = ThreadDetector()
    detector.start()
    monkeypatch.setattr(threading.Thread, "start", theirs := lambda _thread: None)
    detector.stop()
    assert threading.Thread.start is theirs
    monkeypatch.undo()
    detector.stop()


def test_a_failure_to_start_reaches_the_caller(detector, begin):
    thread, _ = begin()
    with pytest.raises(RuntimeError, match="threads can only be started once"):
        thread.start()


def test_nothing_is_done_to_a_thread(begin, detector):
    thread, found = begin()
    detector.reclaim(found)
    assert thread.is_alive()


def test_what_an_object_holds_is_known_to_be_held(begin):
    thread, found = begin()
    assert held([{"worker": thread}], [found]) == {found}
    assert held([{"worker": thread.name}], [found]) == set()


def test_the_threads_of_a_pool_are_held_by_it(detector):
    before = detector.snapshot()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        (found,) = detector.snapshot() - before
        assert held([pool], [found]) == {found}


def test_a_thread_of_pytest_timeout_is_the_runners(detector):
    def theirs():
        """Stand for theirs."""

    theirs.__module__ = "pytest_timeout"
    before = detector.snapshot()
    timer = threading.Timer(1000, theirs)
    timer.start()
    assert detector.snapshot() == before
    timer.cancel()
    timer.join()


def test_a_thread_that_python_did_not_start_is_not_seen(detector, over):
    before = detector.snapshot()
    called = threading.Event()
    ended = _thread.allocate_lock()
    ended.acquire()

    def run():
        threading.current_thread()  # gets a stand-in object
        called.set()
        over.wait()
        ended.release()

    _thread.start_new_thread(run, ())
    called.wait(10)
    assert detector.snapshot() == before
    over.set()
    assert ended.acquire(timeout=10)


def test_multiprocessings_resource_sharer_is_infrastructure(detector):
    descriptors = DescriptorDetector()
    before, opened = detector.snapshot(), descriptors.snapshot()
    sharer = resource_sharer._resource_sharer
    try:
        sharer.register(print, print)
        (found,) = detector.snapshot() - before
        assert infrastructure.reason_to_stay(found).startswith("multiprocessing's resource sharer")
        (listener,) = descriptors.snapshot() - opened
        assert infrastructure.reason_to_stay(listener).startswith("multiprocessing's resource sha")
    finally:
        resource_sharer.stop(timeout=10)


def test_a_thread_of_ours_is_no_infrastructure(begin):
    _, found = begin()
    assert infrastructure.reason_to_stay(found) is None


def test_calls_from_c_are_no_threads(detector):
    before = detector.snapshot()
    kind = ctypes.CFUNCTYPE(None)
    kind(lambda: None)()
    assert detector.snapshot() == before

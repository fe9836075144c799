"""Handlers, blocked signals and the wakeup descriptor; what the runner itself sets is not told."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import os
import signal
import threading
import weakref
from dataclasses import replace

import pytest

from pytest_syskit.detectors.signals import SignalDetector
from pytest_syskit.tools.signals.signal_state import signal_state
from pytest_syskit.tools.timeouts.signal_timeout import signal_timeout


@pytest.fixture(autouse=True)
def _signals():
    with signal_state():
        yield


@pytest.fixture
def detector():
    return SignalDetector()


def on_signal(_number, _frame):
    """Do nothing."""


class Server:
    def stop(self, _number, _frame):
        """Do nothing."""


def labels(detector):
    return sorted(detector.describe(each).label for each in detector.snapshot())


def test_settings_that_stay_are_nothing(detector):
    assert detector.unchanged(False)
    assert detector.unchanged(True)
    assert labels(detector) == []


def test_a_handler_is_told_by_name_and_place(detector):
    signal.signal(signal.SIGTERM, on_signal)
    assert not detector.unchanged(False)
    (label,) = labels(detector)
    assert label.startswith("signal SIGTERM  handled by on_signal at ")
    assert label.endswith(
        f"test_signals.py:{on_signal.__code__.co_firstlineno} (was the default action)"
    )


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (signal.SIG_IGN, "ignored"),
        (signal.default_int_handler, "KeyboardInterrupt"),
        (print, "handled by print"),
    ],
)
def test_other_handlers_have_words_too(detector, handler, words):
    signal.signal(signal.SIGTERM, handler)
    assert labels(detector) == [f"signal SIGTERM  {words} (was the default action)"]


def test_a_handler_that_has_gone_is_told_in_the_words_it_had(detector):
    first = lambda *_: None  # noqa: E731  # a name of its own would tell no more
    signal.signal(signal.SIGTERM, first)
    detector.snapshot()
    before = dict(detector._now)["SIGTERM"]
    signal.signal(signal.SIGTERM, on_signal)
    del first
    (found,) = detector.snapshot()
    gc.collect()
    label = detector.describe(replace(found, detail={"before": before})).label
    assert "(was handled by test_a_handler_that_has_gone" in label


def test_the_same_method_of_two_objects_is_told_apart(detector):
    one, two = Server(), Server()
    signal.signal(signal.SIGTERM, one.stop)
    detector.snapshot()
    before = dict(detector._now)["SIGTERM"]
    signal.signal(signal.SIGTERM, two.stop)
    (found,) = detector.snapshot()
    label = detector.describe(replace(found, detail={"before": before})).label
    assert label.endswith(" of another object)")


def test_words_of_handlers_are_not_kept_without_end(detector):
    for _ in range(400):
        signal.signal(signal.SIGTERM, lambda *_: None)
        detector.snapshot()
    assert len(detector._known_words) <= 256


def test_putting_the_old_handler_back_makes_it_vanish(detector):
    before = signal.signal(signal.SIGTERM, on_signal)
    detector.snapshot()
    signal.signal(signal.SIGTERM, before)
    assert not detector.unchanged(False)
    assert labels(detector) == []


def test_a_bound_method_is_the_same_each_time_it_is_read(detector):
    server = Server()
    signal.signal(signal.SIGTERM, server.stop)
    before = detector.snapshot()
    signal.signal(signal.SIGTERM, server.stop)
    assert detector.snapshot() == before
    signal.signal(signal.SIGTERM, Server().stop)
    assert detector.snapshot() != before


def test_another_handler_of_the_same_signal_is_another_value(detector):
    signal.signal(signal.SIGTERM, lambda *_: None)
    first = detector.snapshot()
    signal.signal(signal.SIGTERM, lambda *_: None)
    assert not detector.unchanged(False)
    assert detector.snapshot() != first


def test_handlers_are_not_kept_alive(detector):
    class Handler:
        """Stands for a closure that holds an open file."""

        def __call__(self, _number, _frame):
            """Do nothing."""

    handler = Handler()
    gone = weakref.ref(handler)
    signal.signal(signal.SIGTERM, handler)
    detector.snapshot()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    del handler
    detector.snapshot()
    assert gone() is None


def test_a_blocked_signal_is_found(detector):
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    assert not detector.unchanged(True)
    assert labels(detector) == ["signal SIGUSR1  blocked (was not blocked)"]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR1])
    assert labels(detector) == []


def test_looking_leaves_the_mask_as_it_is(detector):
    signal.signal(signal.SIGUSR2, on_signal)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    detector.snapshot()
    detector.unchanged(True)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == {signal.SIGUSR1}


@pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="needs real-time signals")
def test_a_real_time_signal_is_found_by_a_close_look(detector):
    signal.signal(signal.SIGRTMIN + 2, signal.SIG_IGN)
    assert not detector.unchanged(True)
    assert detector.swapped
    assert labels(detector) == ["signal SIGRTMIN+2  ignored (was the default action)"]


def test_a_wakeup_descriptor_is_found_and_stays(detector):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    assert not detector.unchanged(True)
    assert labels(detector) == [f"signal wakeup fd  fd {writer} (was none)"]
    assert detector.unchanged(True)
    assert signal.set_wakeup_fd(-1) == writer
    assert labels(detector) == []
    os.close(reader)
    os.close(writer)


def test_a_wakeup_descriptor_that_was_closed_is_no_obstacle(detector):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    detector.snapshot()
    signal.set_wakeup_fd(-1)
    os.close(reader)
    os.close(writer)
    assert labels(detector) == []


def test_in_another_thread_the_wakeup_descriptor_is_left_alone(detector):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(detector.unchanged(False)))
    thread.start()
    thread.join()
    assert answers == [True]


def test_reclaiming_puts_everything_back(detector):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGTERM, on_signal)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    signal.raise_signal(signal.SIGUSR1)  # waits; its default action would end us
    for each in detector.snapshot():
        detector.reclaim(detector.describe(each))
    assert labels(detector) == []
    assert signal.set_wakeup_fd(-1) == -1
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    os.close(reader)
    os.close(writer)


def test_reclaiming_puts_back_the_owners_handler_if_it_still_exists(detector):
    signal.signal(signal.SIGTERM, on_signal)
    (theirs,) = detector.snapshot()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (left,) = detector.snapshot()
    detector.reclaim(detector.describe(replace(left, detail={"before": theirs.key[1]})))
    assert signal.getsignal(signal.SIGTERM) is on_signal


def test_a_handler_that_is_gone_cannot_be_put_back(detector):
    signal.signal(signal.SIGTERM, lambda *_: None)
    (theirs,) = detector.snapshot()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (left,) = detector.snapshot()
    told = detector.describe(replace(left, detail={"before": theirs.key[1]}))
    assert told.label.startswith(
        "signal SIGTERM  ignored (was handled by test_a_handler_that_is_go"
    )
    detector.reclaim(told)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_a_time_limit_of_ours_hides_and_shows_what_is_beneath(detector):
    signal.signal(signal.SIGALRM, on_signal)
    before = detector.snapshot()
    with signal_timeout(100):
        with signal_timeout(50):
            assert detector.snapshot() == before
    assert detector.snapshot() == before
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    with signal_timeout(100):
        assert labels(detector) == []


def test_a_handler_of_pytest_timeout_is_the_runners(detector):
    def handler(_number, _frame):
        """Stand for theirs."""

    handler.__module__ = "pytest_timeout"
    signal.signal(signal.SIGALRM, handler)
    assert labels(detector) == []


def test_a_handler_whose_comparison_fails_is_no_obstacle(detector):
    class Odd:
        def __call__(self, *_):
            """Do nothing."""

        def __eq__(self, other):
            raise RuntimeError

        __hash__ = object.__hash__

    signal.signal(signal.SIGTERM, Odd())
    assert len(detector.snapshot()) == 1
    signal.signal(signal.SIGTERM, Odd())
    assert not detector.unchanged(False)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert detector.snapshot() == frozenset()


def test_an_event_loop_that_forgets_its_handler_is_found(detector):
    loop = asyncio.new_event_loop()
    loop.add_signal_handler(signal.SIGTERM, print)
    assert [label.split("  ")[0] for label in labels(detector)] == [
        "signal SIGTERM",
        "signal wakeup fd",
    ]
    loop.close()
    assert labels(detector) == []


def test_a_handler_of_c_code_is_not_seen(detector):
    with open(os.devnull, "w") as null:
        faulthandler.register(signal.SIGUSR1, file=null)
        try:
            assert labels(detector) == []
        finally:
            faulthandler.unregister(signal.SIGUSR1)


def test_the_mask_of_another_thread_is_not_seen(detector):
    blocked, over = threading.Event(), threading.Event()

    def run():
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        blocked.set()
        over.wait()

    thread = threading.Thread(target=run)
    thread.start()
    blocked.wait(10)
    assert labels(detector) == []
    over.set()
    thread.join()

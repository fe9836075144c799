"""The umask, read alone and beside other threads."""

from __future__ import annotations

import os
import threading

import pytest

from pytest_syskit.detectors.umask import UmaskDetector
from pytest_syskit.host.processes import threads
from pytest_syskit.host.state import file_mask
from pytest_syskit.leaks.resource import NotObservable


@pytest.fixture(autouse=True)
def _mask():
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(params=["alone", "among threads"])
def company(request, monkeypatch):
    """The two ways of reading: whether there are other threads is said, not so."""
    alone = request.param == "alone"
    monkeypatch.setattr(threads, "count", lambda: 1 if alone else 2)


@pytest.mark.usefixtures("company")
def test_a_mask_that_stays_is_nothing():
    detector = UmaskDetector()
    assert detector.unchanged(False)
    assert detector.unchanged(True)
    assert detector.snapshot() == frozenset()


@pytest.mark.usefixtures("company")
def test_another_mask_is_told_with_what_it_was_and_stays():
    detector = UmaskDetector()
    os.umask(0o077)
    assert not detector.unchanged(True)
    (found,) = detector.snapshot()
    assert detector.describe(found).label == "umask  0077 (was 0022)"
    assert detector.describe(found).detail == {"before": "0022", "after": "0077"}
    assert os.umask(0o077) == 0o077


@pytest.mark.usefixtures("company")
def test_setting_the_old_one_makes_it_vanish():
    detector = UmaskDetector()
    os.umask(0o077)
    detector.snapshot()
    os.umask(0o022)
    assert not detector.unchanged(True)
    assert detector.snapshot() == frozenset()


@pytest.mark.usefixtures("company")
def test_reclaiming_sets_the_old_one():
    detector = UmaskDetector()
    os.umask(0o077)
    (found,) = detector.snapshot()
    detector.reclaim(detector.describe(found))
    assert os.umask(0o022) == 0o022


def test_alone_a_change_shows_to_the_cheap_look_too(monkeypatch):
    monkeypatch.setattr(threads, "count", lambda: 1)
    monkeypatch.setattr("_thread._count", lambda: 0)
    detector = UmaskDetector()
    os.umask(0o077)
    assert not detector.unchanged(False)


def test_with_other_threads_the_mask_is_never_set(monkeypatch):
    over = threading.Event()
    other = threading.Thread(target=over.wait)
    other.start()
    try:
        detector = UmaskDetector()
        monkeypatch.setattr(
            file_mask.real, "umask", staticmethod(lambda _mask: pytest.fail("the umask was set"))
        )
        assert detector.unchanged(False)
        assert detector.unchanged(True)
        assert detector.snapshot() == frozenset()
    finally:
        over.set()
        other.join()


def test_with_other_threads_and_no_word_of_the_kernel_it_is_not_observable(monkeypatch):
    def missing(_path):
        raise FileNotFoundError

    detector = UmaskDetector()
    monkeypatch.setattr(threads, "count", lambda: 2)
    monkeypatch.setattr(file_mask, "read_file", missing)
    assert not detector.unchanged(True)
    with pytest.raises(NotObservable, match="only be read by setting it, and other threads"):
        detector.snapshot()


def test_the_first_mask_is_that_of_the_first_look_that_succeeds(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(threads, "count", lambda: 2)
        patch.setattr(file_mask, "read_file", lambda _path: b"")
        detector = UmaskDetector()
    monkeypatch.setattr(threads, "count", lambda: 1)
    assert detector.snapshot() == frozenset()
    os.umask(0o077)
    (found,) = detector.snapshot()
    assert detector.describe(found).label == "umask  0077 (was 0022)"

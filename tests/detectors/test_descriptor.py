"""Descriptors of every kind, by number and by what is behind the number."""

from __future__ import annotations

import os
import resource
import select
import socket
import threading
import time

import pytest

from pytest_syskit import run_in_fork
from pytest_syskit.detectors import descriptor
from pytest_syskit.detectors.baseline import Baseline
from pytest_syskit.detectors.descriptor import DescriptorDetector
from pytest_syskit.host.descriptors import descriptors
from pytest_syskit.host.descriptors.held_listing import HeldListing
from pytest_syskit.host.descriptors.quick_stat import quick_fstat, same_files
from pytest_syskit.host.real import real
from pytest_syskit.leaks.resource import NotObservable


@pytest.fixture(params=["listed", "tried"])
def detector(request, monkeypatch):
    """The detector as this machine has it, and with every fast path switched off."""
    if request.param == "tried":
        monkeypatch.setattr(descriptors, "listing", lambda: None)
        monkeypatch.setattr(descriptors, "counts", lambda: False)
        monkeypatch.setattr(descriptors, "link_text", lambda _fd: "")
    return DescriptorDetector()


@pytest.fixture
def zero():
    fd = os.open("/dev/zero", os.O_RDONLY)
    yield fd
    descriptors.close(fd)


def test_nothing_new_means_an_equal_snapshot(detector):
    first = detector.snapshot()
    assert detector.snapshot() == first


def test_a_new_descriptor_appears_and_goes(detector):
    before = detector.snapshot()
    fd = os.open("/dev/zero", os.O_RDONLY)
    (found,) = detector.snapshot() - before
    assert found.key[0] == fd
    os.close(fd)
    assert detector.snapshot() == before


def test_a_number_that_leads_elsewhere_is_another_descriptor(detector, zero):
    before = detector.snapshot()
    os.dup2(os.open(os.devnull, os.O_RDONLY), zero)
    assert not detector.unchanged(closely=True)
    assert {each.key[0] for each in detector.snapshot() - before} >= {zero}
    for fd in {each.key[0] for each in detector.snapshot() - before} - {zero}:
        os.close(fd)


def test_a_clean_table_is_seen_to_be_unchanged_without_a_snapshot():
    detector = DescriptorDetector()
    detector.snapshot()
    assert detector.unchanged(closely=False) == descriptors.counts()


@pytest.fixture
def waiting_thread():
    """A thread that waits for a connection: it has a number already, and no descriptor."""
    accepted = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        before = descriptors.count() if descriptors.counts() else 0
        thread = threading.Thread(target=lambda: accepted.append(server.accept()[0]))
        thread.start()
        deadline = time.monotonic() + 20
        while descriptors.counts() and descriptors.count() == before:
            assert time.monotonic() < deadline, "the thread does not come to accept()"

        def connect():
            with socket.create_connection(server.getsockname()):
                thread.join(20)
            return accepted[0]

        yield connect
        if not accepted:
            connect()
        thread.join()
        accepted[0].close()


@pytest.mark.skipif(not descriptors.counts(), reason="the kernel tells no count")
def test_a_thread_that_waits_for_a_connection_costs_no_listing_at_each_look(waiting_thread):
    detector = DescriptorDetector()
    detector.snapshot()
    assert detector.unchanged(closely=False)
    assert not detector.unchanged(closely=True)  # its number may have become a descriptor


def test_a_connection_that_takes_the_number_it_had_is_found(waiting_thread):
    detector = DescriptorDetector()
    before = detector.snapshot()
    connection = waiting_thread()
    assert not detector.unchanged(closely=True)
    assert {each.key[0] for each in detector.snapshot() - before} == {connection.fileno()}


@pytest.mark.parametrize("stream", [0, 1, 2])
@pytest.mark.parametrize("heal", [False, True])
def test_streams_are_verified_unless_somebody_heals_them(heal, stream):
    def look():
        detector = DescriptorDetector(Baseline(), outputs_heal=heal)
        detector.snapshot()
        low, high = os.pipe()
        os.dup2(high, stream)
        os.close(low)
        os.close(high)
        return detector.unchanged(closely=True), [x.key[0] for x in detector.disturbances()]

    healed = heal and stream > 0
    unchanged, disturbed = run_in_fork(look).value
    assert disturbed == ([] if healed else [stream])
    assert unchanged == (healed and descriptors.counts())


def test_a_full_table_is_no_obstacle(detector):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = detector.snapshot()
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(x.key[0] for x in before) + 20, hard))
    opened = []
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                opened.append(os.open("/dev/zero", os.O_RDONLY))
        found = {each.key[0] for each in detector.snapshot() - before}
        assert found == set(opened)
        assert detector.describe(min(detector.snapshot() - before, key=str)).detail["mode"] == "r"
    finally:
        for fd in opened:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_limit_below_open_descriptors_hides_none(detector):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = detector.snapshot()
    high = os.dup(0) if (spare := 200) is None else os.dup2(0, spare, inheritable=False)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        found = {each.key[0] for each in detector.snapshot() - before}
        assert found <= {high}
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(high)


def test_what_cannot_be_listed_is_not_observable(monkeypatch):
    detector = DescriptorDetector()

    def gone(*_args):
        raise FileNotFoundError(2, "No such file or directory", "/proc/self/fd")

    monkeypatch.setattr(real, "stat", staticmethod(gone))
    monkeypatch.setattr(descriptors, "numbers", gone)
    assert not detector.unchanged(closely=False)
    with pytest.raises(NotObservable, match="cannot be listed"):
        detector.snapshot()


def test_reclaiming_closes_what_is_still_the_same(detector):
    before = detector.snapshot()
    fd = os.open("/dev/zero", os.O_RDONLY)
    (found,) = detector.snapshot() - before
    detector.reclaim(found)
    assert not descriptors.is_open(fd)


def test_the_description_tells_kind_target_mode_and_inheritance(tmp_path):
    detector = DescriptorDetector()
    before = detector.snapshot()
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)
    os.write(fd, b"spam")
    os.set_inheritable(fd, True)
    (found,) = detector.snapshot() - before
    told = detector.describe(found)
    os.close(fd)
    assert dict(told.detail) == {
        "fd": fd,
        "what": "file",
        "target": str(tmp_path / "file"),
        "mode": "w",
        "inheritable": True,
    }
    assert told.label == f"fd {fd}  {tmp_path / 'file'} (write, at byte 4, inherited by children)"


@pytest.mark.skipif(
    not hasattr(select, "epoll") or not descriptors.counts() or quick_fstat() is None,
    reason="no quick looks here",
)
def test_looks_are_quick_beside_an_epoll_and_again_after_the_listing_was_closed():
    def looks():  # in a child, for a thread of a plugin that waits in accept() makes all looks slow
        asked_slowly = []
        descriptor.same_files = lambda files: asked_slowly.append(files) or same_files(files)
        listing = HeldListing(quick_fstat())
        with select.epoll() as held:
            detector = DescriptorDetector(listing=listing)
            detector.snapshot()
            quick = detector.unchanged(closely=True), len(asked_slowly)
            os.close(listing.fd)
            found = detector.unchanged(closely=True), len(asked_slowly)
            again = detector.unchanged(closely=True), len(asked_slowly)
            with select.epoll() as other:
                os.dup2(other.fileno(), held.fileno())
            os.dup2(0, held.fileno())
            return quick, found, again, detector.unchanged(closely=True)

    assert run_in_fork(looks).value == ((True, 0), (True, 1), (True, 1), False)

"""Descriptors are compared by the C function, and where there is none by Python's own."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

from pytest_syskit import run_in_fork
from pytest_syskit.host.descriptors.descriptors import counts
from pytest_syskit.host.descriptors.held_listing import HeldListing
from pytest_syskit.host.descriptors.quick_stat import Comparison, quick_fstat, same_files

LINUX_64 = sys.platform.startswith("linux") and sys.maxsize > 2**32


needs_quick = pytest.mark.skipif(quick_fstat() is None, reason="no fstat as expected")


@pytest.fixture
def files(tmp_path):
    """Descriptors of several kinds, with what os.fstat says of them."""
    (tmp_path / "x").write_bytes(b"12345")
    fds = [*os.pipe(), os.open(tmp_path / "x", os.O_RDONLY), os.open(os.devnull, os.O_RDONLY)]
    yield [(fd, os.fstat(fd).st_dev, os.fstat(fd).st_ino) for fd in fds]
    for fd in fds:
        os.close(fd)


@pytest.fixture(params=["quick", "slow"])
def stands(request, files, tmp_path):
    """Ask one way or the other whether all of them are the same."""
    if request.param == "slow":
        yield lambda: same_files(files)
        return
    if quick_fstat() is None:
        pytest.skip("the C library has no fstat that is laid out as expected")
    folder = os.open(tmp_path, os.O_RDONLY)
    yield Comparison(quick_fstat(), files, (folder, os.fstat(folder).st_size)).holds
    os.close(folder)


def test_what_stays_is_the_same(stands):
    assert [stands(), stands()] == [True, True]


@pytest.mark.parametrize("which", range(4))
def test_one_that_leads_elsewhere_is_noticed(stands, files, which, tmp_path):
    fd = files[which][0]
    kept = os.dup(fd)
    with (tmp_path / "other").open("w") as other:
        os.dup2(other.fileno(), fd)
    assert not stands()
    os.dup2(kept, fd)
    os.close(kept)
    assert stands()


@pytest.mark.parametrize("which", range(4))
def test_one_that_is_closed_is_noticed(stands, files, which):
    fd = files[which][0]
    kept = os.dup(fd)
    os.close(fd)
    assert not stands()
    os.dup2(kept, fd)
    os.close(kept)


def test_none_at_all_are_the_same():
    assert same_files(())


@needs_quick
def test_what_was_not_the_same_when_first_asked_is_not_the_same_later(files, tmp_path):
    fd, device, inode = files[0]
    folder = os.open(tmp_path, os.O_RDONLY)
    size = os.fstat(folder).st_size
    wrong = Comparison(quick_fstat(), [(fd, device, inode + 1)], (folder, size))
    assert [wrong.holds(), wrong.holds()] == [False, False]
    os.close(folder)


@needs_quick
@pytest.mark.skipif(not counts(), reason="the kernel tells no count")
class TestComparisonWithTheListing:
    @pytest.fixture
    def listing(self):
        listing = HeldListing(quick_fstat())
        yield listing
        listing.close()

    def test_one_more_is_noticed(self, listing, files):
        stands = listing.comparison(listing.count(), files)
        assert stands()
        fd = os.open(os.devnull, os.O_RDONLY)
        assert not stands()
        os.close(fd)
        assert stands()

    def test_no_files_at_all_are_still_counted(self, listing):
        stands = listing.comparison(listing.count(), ())
        assert stands()
        fd = os.open(os.devnull, os.O_RDONLY)
        assert not stands()
        os.close(fd)

    def test_a_listing_that_was_closed_does_not_hold(self, listing, files):
        stands = listing.comparison(listing.count(), files)
        os.close(listing.fd)
        assert not stands()
        assert listing.comparison(listing.count(), files)()  # opened anew

    def test_it_says_nothing_of_a_forked_child(self, listing, files):
        stands = listing.comparison(listing.count(), files)
        assert run_in_fork(stands).value is False

    def test_without_the_c_function_there_is_none(self, files):
        listing = HeldListing()
        assert listing.comparison(listing.count(), files) is None
        listing.close()


@pytest.mark.parametrize("way", [None, pytest.param(quick_fstat(), marks=needs_quick)])
@pytest.mark.skipif(not counts(), reason="the kernel tells no count")
def test_the_listing_counts_either_way(way):
    listing = HeldListing(way)
    before = listing.count()
    fd = os.open(os.devnull, os.O_RDONLY)
    assert listing.count() == before + 1
    os.close(fd)
    os.close(listing.fd)
    assert listing.count() == before
    listing.close()


@pytest.mark.skipif(not LINUX_64, reason="where it is known to be there")
def test_the_c_function_is_found():
    if sys.platform == "linux" and os.confstr("CS_GNU_LIBC_VERSION") < "glibc 2.33":
        pytest.skip("an old C library")
    assert quick_fstat() is not None


class Odd:
    """A C library whose fstat writes its words in another order."""

    def __init__(self, *_: object) -> None:
        self.real = ctypes.PyDLL(None)

    def __getitem__(self, name):
        def fstat(fd, words):
            status = self.real[name](fd, words)
            words[0], words[1] = words[1], words[0]
            return status

        return fstat


class Lacking(Odd):
    """One without the function."""

    def __getitem__(self, name):
        raise AttributeError(name)


@pytest.mark.parametrize("library", [Odd, Lacking])
def test_a_library_that_is_not_as_expected_is_not_used(monkeypatch, library):
    monkeypatch.setattr(ctypes, "CDLL", library)
    assert quick_fstat.__wrapped__() is None


@pytest.mark.skipif(quick_fstat() is None, reason="nothing to wait in")
def test_other_threads_go_on_while_it_waits():
    """A file system in user space may be served by a thread of this very process."""
    keeps_the_lock = ctypes.pythonapi["Py_IsInitialized"]._flags_  # as all of Python's own do
    assert quick_fstat()._flags_ != keeps_the_lock

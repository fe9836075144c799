"""Descriptors are compared by the C function, and where there is none by Python's own."""

from __future__ import annotations

import ctypes
import os
import sys

import pytest

from pytest_syskit.host.descriptors.descriptors import counts
from pytest_syskit.host.descriptors.held_listing import HeldListing
from pytest_syskit.host.descriptors.quick_stat import quick_fstat, same_files

LINUX_64 = sys.platform.startswith("linux") and sys.maxsize > 2**32


@pytest.fixture(params=["quick", "slow"])
def way(request):
    if request.param == "slow":
        return None
    if quick_fstat() is None:
        pytest.skip("the C library has no fstat that is laid out as expected")
    return quick_fstat()


@pytest.fixture
def files(tmp_path):
    """Descriptors of several kinds, with what os.fstat says of them."""
    (tmp_path / "x").write_bytes(b"12345")
    fds = [*os.pipe(), os.open(tmp_path / "x", os.O_RDONLY), os.open(os.devnull, os.O_RDONLY)]
    yield [(fd, os.fstat(fd).st_dev, os.fstat(fd).st_ino) for fd in fds]
    for fd in fds:
        os.close(fd)


def test_what_stays_is_the_same(way, files):
    stands = same_files(files, way)
    assert [stands(), stands()] == [True, True]


@pytest.mark.parametrize("which", range(4))
def test_one_that_leads_elsewhere_is_noticed(way, files, which, tmp_path):
    stands = same_files(files, way)
    fd = files[which][0]
    kept = os.dup(fd)
    with (tmp_path / "other").open("w") as other:
        os.dup2(other.fileno(), fd)
    assert not stands()
    os.dup2(kept, fd)
    os.close(kept)
    assert stands()


@pytest.mark.parametrize("which", range(4))
def test_one_that_is_closed_is_noticed(way, files, which):
    stands = same_files(files, way)
    fd = files[which][0]
    kept = os.dup(fd)
    os.close(fd)
    assert not stands()
    os.dup2(kept, fd)
    os.close(kept)


def test_none_at_all_are_the_same(way):
    assert same_files((), way)()


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

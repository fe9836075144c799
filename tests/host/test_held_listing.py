"""Descriptors are counted through a directory that is held open, whatever happens to it."""

from __future__ import annotations

import os

import pytest

from pytest_syskit import run_in_fork
from pytest_syskit.host.descriptors import descriptors
from pytest_syskit.host.descriptors.held_listing import HeldListing

pytestmark = pytest.mark.skipif(not descriptors.counts(), reason="the kernel tells no count")


@pytest.fixture
def listing():
    listing = HeldListing()
    listing.count()
    yield listing
    listing.close()


def true_count():
    return descriptors.count()  # by path; a thread in accept() has a number that no list shows


def test_it_counts_what_is_open_itself_included(listing):
    before = listing.count()
    assert before == true_count()
    fd = os.open(os.devnull, os.O_RDONLY)
    assert listing.count() == before + 1
    os.close(fd)
    assert listing.count() == before


def test_whoever_opens_a_file_still_gets_the_lowest_number():
    fd = os.open(os.devnull, os.O_RDONLY)
    os.close(fd)
    listing = HeldListing()
    listing.count()
    again = os.open(os.devnull, os.O_RDONLY)
    os.close(again)
    listing.close()
    assert again == fd


def test_it_is_not_inherited_by_programs(listing):
    assert not os.get_inheritable(listing.fd)


def test_who_closes_it_does_not_blind_us(listing):
    before = listing.count()
    os.close(listing.fd)
    assert listing.count() == before
    fd = os.open(os.devnull, os.O_RDONLY)
    assert listing.count() == before + 1
    os.close(fd)


def test_a_number_that_leads_elsewhere_now_is_neither_counted_nor_closed(listing):
    before, taken = listing.count(), listing.fd
    with open(os.devnull) as other:
        os.dup2(other.fileno(), taken)  # closes ours
    assert listing.count() == before + 1
    assert listing.fd != taken
    listing.close()
    os.fstat(taken)
    os.close(taken)


def test_a_forked_child_counts_its_own(listing):
    def count_after_closing():
        before = listing.count()
        os.close(os.open(os.devnull, os.O_RDONLY))
        kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(3)]
        return listing.count() - before, len(kept)

    assert run_in_fork(count_after_closing).value == (3, 3)


def test_under_a_low_limit_it_takes_any_number():
    def count():
        listing = HeldListing()
        return listing.count() == true_count(), listing.fd < 64

    assert run_in_fork(count, limits={"nofile": 64}).value == (True, True)


def test_closed_it_leaves_nothing():
    before = true_count()
    listing = HeldListing()
    listing.count()
    listing.close()
    listing.close()
    assert true_count() == before

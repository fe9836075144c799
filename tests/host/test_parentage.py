"""Each child that this process forks is noted, whatever happens beside it."""

from __future__ import annotations

import os

import pytest

from pytest_syskit.host.processes import parentage, proc


@pytest.fixture
def notes():
    notes = parentage.ForkNotes()
    notes._users = 1  # as after start(), without standing before os.posix_spawn
    return notes


# what the kernel lists after each fork, the newest last -> what must be known in the end
LISTS = {
    "one": ([[10]], {10}),
    "one after the other": ([[10], [10, 11]], {10, 11}),
    "one that is waited for in between": ([[10], [11]], {10, 11}),
    "beside an adopted one": ([[7, 10]], {10}),
    "a thread that forked 10 ends": ([[10], [11, 10]], {10, 11}),
    "two threads that forked end": ([[10], [11], [12, 11, 10]], {10, 11, 12}),
    "gone already": ([[]], set()),
}


@pytest.mark.parametrize(("lists", "known"), LISTS.values(), ids=LISTS)
def test_the_newest_child_is_noted(notes, monkeypatch, lists, known):
    for listed in lists:
        monkeypatch.setattr(proc, "read_own_children", lambda listed=listed: listed)
        notes.note_fork()
    assert notes.pids == known
    assert notes.forks == len(lists)


def test_where_children_are_not_listed_only_their_number_is_known(notes, monkeypatch):
    def refuse():
        raise OSError

    monkeypatch.setattr(proc, "read_own_children", refuse)
    notes.note_fork()
    assert (notes.forks, notes.pids) == (1, set())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.skipif(parentage.children.fast() is False, reason="the kernel lists no children")
def test_a_real_fork_is_noted():
    parentage.NOTES.start()
    try:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        assert parentage.started_here(pid)
        os.waitpid(pid, 0)
    finally:
        parentage.NOTES.stop()

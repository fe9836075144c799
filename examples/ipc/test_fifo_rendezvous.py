"""Two ends meet at a FIFO in any order, within a limit, and nothing of others is touched."""

from __future__ import annotations

import errno
import os
import stat

import pytest

pytestmark = [
    pytest.mark.posix_only,
    pytest.mark.requires("fork", "mkfifo"),
    pytest.mark.signal_timeout(60),
]

from fifo_rendezvous import (  # noqa: E402  # behind the marker
    identity,
    make_fifo,
    open_reader,
    open_writer,
    remove_fifo,
)

from pytest_syskit import Symlink  # noqa: E402

OPENERS = pytest.mark.parametrize("opener", [open_reader, open_writer])


@pytest.fixture
def path(temp_workspace):
    """Return where the FIFO is to be."""
    return str(temp_workspace / "spam.fifo")


def test_a_fifo_is_made_for_this_user_alone(path, fork_runner):
    def make_under(umask) -> int:
        os.umask(umask)
        make_fifo(path)
        return stat.S_IMODE(os.stat(path).st_mode)

    assert fork_runner.run(make_under, 0).unwrap() == 0o600
    assert stat.S_ISFIFO(os.lstat(path).st_mode)


def test_a_fifo_that_is_there_is_used(path):
    made = make_fifo(path)
    assert made == identity(os.lstat(path))
    assert make_fifo(path) is None
    assert identity(os.lstat(path)) == made


def test_a_fifo_that_disappears_while_it_is_looked_at_is_made_again(path, monkeypatch):
    os.mkfifo(path)
    lstat = os.lstat

    def lstat_too_late(name) -> os.stat_result:
        monkeypatch.setattr(os, "lstat", lstat)
        os.unlink(path)
        return lstat(name)

    monkeypatch.setattr(os, "lstat", lstat_too_late)
    assert make_fifo(path) == identity(os.lstat(path))


@OPENERS
@pytest.mark.parametrize("there", ["text", {}, Symlink("elsewhere")], ids=["file", "dir", "link"])
def test_what_is_no_fifo_is_left_alone(temp_workspace, path, opener, there, leak_check):
    temp_workspace.populate({"spam.fifo": there})
    before = temp_workspace.snapshot()
    with leak_check(), pytest.raises(FileExistsError, match="is no FIFO; left alone"):
        opener(path, 0.05)
    assert not temp_workspace.diff(before)


@OPENERS
def test_a_link_to_a_fifo_is_not_followed(temp_workspace, path, opener):
    os.mkfifo(temp_workspace / "elsewhere")
    os.symlink("elsewhere", path)
    with pytest.raises(FileExistsError, match="is no FIFO; left alone"):
        opener(path, 0.05)


@OPENERS
def test_a_link_that_is_put_there_after_the_look_is_not_opened(
    temp_workspace, path, opener, monkeypatch
):
    os.mkfifo(temp_workspace / "elsewhere")
    os.symlink("elsewhere", path)
    monkeypatch.setattr("fifo_rendezvous.make_fifo", lambda _: None)  # as if it had been a FIFO
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        opener(path, 0.05)


@OPENERS
@pytest.mark.requires_root(reason="gives a FIFO to another user")
def test_a_fifo_of_another_user_is_left_alone(path, opener):
    os.mkfifo(path, 0o666)
    os.chown(path, 65534, -1)
    with pytest.raises(PermissionError, match="of another user; left alone"):
        opener(path, 0.05)
    assert os.path.lexists(path)


@OPENERS
def test_where_no_fifo_can_be_made_it_is_an_error(temp_workspace, opener):
    with pytest.raises(FileNotFoundError):
        opener(str(temp_workspace / "gone" / "spam.fifo"), 0.05)


def test_a_reader_waits_for_a_writer_no_longer_than_told(path, leak_check):
    with leak_check(), pytest.raises(TimeoutError, match=r"for writing within 0\.05 seconds"):
        open_reader(path, 0.05)
    assert not os.path.lexists(path)


def test_a_writer_waits_for_a_reader_no_longer_than_told(path, leak_check):
    with leak_check(), pytest.raises(TimeoutError, match=r"for reading within 0\.05 seconds"):
        open_writer(path, 0.05)
    assert not os.path.lexists(path)


def test_a_writer_that_gives_up_leaves_a_fifo_that_it_did_not_make(path):
    os.mkfifo(path)
    with pytest.raises(TimeoutError):
        open_writer(path, 0.02)
    assert os.path.lexists(path)


def test_removing_spares_a_new_fifo_of_the_same_name(path):
    old = make_fifo(path)
    os.rename(path, path + ".old")  # kept, or its number would be given to the new one
    new = make_fifo(path)
    remove_fifo(path, old)
    assert identity(os.lstat(path)) == new
    remove_fifo(path, new)
    remove_fifo(path, new)
    assert not os.path.lexists(path)


def test_ctrl_c_while_waiting_leaves_no_fifo(path, signal_timeout, leak_check):
    for opener in (open_reader, open_writer):
        with leak_check(), pytest.raises(TimeoutError, match=r"0\.1"), signal_timeout(0.1):
            opener(path, 30)
        assert not os.path.lexists(path)


@OPENERS
def test_whoever_comes_second_finds_the_first(path, fork_runner, opener):
    other = open_writer if opener is open_reader else open_reader
    with fork_runner.start(opener, path, 20) as first:
        os.close(other(path, 20))
        assert isinstance(first.wait().unwrap(), int)


def test_a_writer_that_came_and_left_was_there(path, fork_runner):
    def come_and_leave() -> None:
        os.close(open_writer(path, 20))

    with fork_runner.start(come_and_leave) as writer:
        fd = open_reader(path, 20)
        writer.wait().unwrap()
    assert os.read(fd, 1) == b""
    os.close(fd)


def test_a_writer_does_not_use_a_fifo_whose_name_was_removed(path, monkeypatch):
    # The reader has seen the end and removes the name, just when a writer has opened it.
    make_fifo(path)
    leaving = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os_open, removed = os.open, []

    def open_and_lose_the_name(name, flags) -> int:
        fd = os_open(name, flags)
        if not removed:
            removed.append(os.unlink(name))
        return fd

    monkeypatch.setattr(os, "open", open_and_lose_the_name)
    with pytest.raises(TimeoutError):  # for nobody reads the new one
        open_writer(path, 0.05)
    assert os.read(leaving, 1) == b""  # nothing was sent to one who no longer listens
    os.close(leaving)

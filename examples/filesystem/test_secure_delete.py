"""The bytes are gone before the name is, and nothing else is touched (exercise D15)."""
# ruff: noqa: ANN202  # stand-ins for functions of the os module

from __future__ import annotations

import errno
import os

import pytest
import secure_delete as module
from crash_points import steps_of
from secure_delete import secure_delete

from pytest_syskit import Fifo, File, HardLink, Raised, Returned, Symlink, UnixSocket

pytestmark = pytest.mark.posix_only
SECRET = b"the secret " * 1000


@pytest.fixture
def asked_for(monkeypatch):
    """How many random bytes were asked for, call by call."""
    sizes = []
    urandom = os.urandom

    def counted(size):
        sizes.append(size)
        return urandom(size)

    monkeypatch.setattr(module.os, "urandom", counted)
    return sizes


def test_the_content_is_overwritten_in_place_before_the_name_goes(temp_workspace, leak_check):
    temp_workspace.populate({"a": SECRET})
    with open(temp_workspace / "a", "rb") as witness, leak_check():
        secure_delete(temp_workspace / "a")
        left = witness.read()
    assert os.listdir(temp_workspace) == []
    assert len(left) == len(SECRET)  # the same blocks, not a file emptied and filled anew
    assert b"secret" not in left
    assert left.count(0) < len(left) / 64  # random: one byte of 256 is zero


def test_each_pass_reaches_the_disk_before_the_next_and_before_the_removal(temp_workspace):
    temp_workspace.populate({"a": SECRET})
    path = str(temp_workspace / "a")
    steps = steps_of(lambda: secure_delete(path, passes=3))
    content = [step for step in steps if step in {"write", "fsync", "unlink"}]
    assert content == [*["write", "fsync"] * 3, "unlink", "fsync"]


def test_an_empty_file_is_just_removed(temp_workspace, asked_for):
    temp_workspace.populate({"empty": ""})
    secure_delete(temp_workspace / "empty")
    assert os.listdir(temp_workspace) == []
    assert sum(asked_for) == 0


def test_a_huge_file_is_overwritten_piece_by_piece(temp_workspace, asked_for):
    size = 20 * 2**20 + 7
    (temp_workspace / "huge").touch()
    os.truncate(temp_workspace / "huge", size)
    secure_delete(temp_workspace / "huge")
    assert sum(asked_for) == size
    assert max(asked_for) <= 2**20


def test_a_write_that_takes_less_than_it_was_given_is_continued(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": SECRET})
    write = os.write
    monkeypatch.setattr(module.os, "write", lambda fd, piece: write(fd, piece[:100]))
    with open(temp_workspace / "a", "rb") as witness:
        secure_delete(temp_workspace / "a")
        left = witness.read()
    assert len(left) == len(SECRET)
    assert b"secret" not in left


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Symlink("other"), errno.ELOOP),
        (Symlink("nowhere"), errno.ELOOP),
        (Fifo(), errno.ENXIO),
        (UnixSocket(), errno.ENXIO),
        ({}, errno.EISDIR),
    ],
    ids=["link", "dangling", "fifo", "socket", "directory"],
)
@pytest.mark.signal_timeout(10)
def test_what_is_no_regular_file_is_refused_and_stays(temp_workspace, kind, expected):
    before = temp_workspace.populate({"a": kind, "other": SECRET}).snapshot()
    with pytest.raises(OSError, match=rf"Errno {expected}\b.*a'$"):
        secure_delete(temp_workspace / "a")
    assert not temp_workspace.diff(before)


def test_a_fifo_with_a_reader_is_refused_before_a_byte_is_written(fifo_pair):
    with pytest.raises(OSError, match="no regular file"):
        secure_delete(fifo_pair.path)
    assert os.path.exists(fifo_pair.path)


def test_a_file_with_another_name_is_refused_and_stays(temp_workspace):
    before = temp_workspace.populate({"a": SECRET, "b": HardLink("a")}).snapshot()
    with pytest.raises(OSError, match="has 1 other name, which would lose"):
        secure_delete(temp_workspace / "a")
    assert not temp_workspace.diff(before)


def test_the_number_of_other_names_is_told(temp_workspace):
    temp_workspace.populate({"a": "", "b": HardLink("a"), "c": HardLink("a")})
    with pytest.raises(OSError, match="has 2 other names, which would lose"):
        secure_delete(temp_workspace / "a")


def test_it_is_the_file_and_then_its_directory_that_are_synced(temp_workspace, monkeypatch):
    temp_workspace.populate({"d": {"a": SECRET}})
    expected = [os.stat(temp_workspace / "d" / "a").st_ino, os.stat(temp_workspace / "d").st_ino]
    synced = []
    monkeypatch.setattr(module.os, "fsync", lambda fd: synced.append(os.fstat(fd).st_ino))
    secure_delete(temp_workspace / "d" / "a")
    assert synced == expected


def test_what_took_the_name_meanwhile_is_not_removed(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": SECRET, "precious": "keep"})
    fsync = os.fsync

    def swap(fd):
        fsync(fd)
        os.replace(temp_workspace / "precious", temp_workspace / "a")

    monkeypatch.setattr(module.os, "fsync", swap)
    with pytest.raises(OSError, match="was replaced"):
        secure_delete(temp_workspace / "a")
    assert (temp_workspace / "a").read_text() == "keep"


def test_names_that_are_no_text_and_a_name_without_a_directory(temp_workspace):
    odd = os.fsdecode(b"caf\xe9\n x")
    temp_workspace.populate({odd: SECRET})
    with temp_workspace.chdir():
        secure_delete(odd)
    assert os.listdir(temp_workspace) == []


def test_a_missing_file_and_no_pass_at_all_are_errors(temp_workspace):
    with pytest.raises(FileNotFoundError, match="missing"):
        secure_delete(temp_workspace / "missing")
    temp_workspace.populate({"a": SECRET})
    with pytest.raises(ValueError, match=r"passes=0: at least 1"):
        secure_delete(temp_workspace / "a", passes=0)
    assert (temp_workspace / "a").read_bytes() == SECRET


def test_the_promise_names_its_limits():
    for limit in ("journal", "SSD", "snapshot", "backups"):
        assert limit in module.__doc__


@pytest.mark.requires("dac")
def test_a_file_that_may_not_be_written_stays(temp_workspace):
    before = temp_workspace.populate({"a": File(SECRET, mode=0o400)}).snapshot()
    with pytest.raises(PermissionError):
        secure_delete(temp_workspace / "a")
    assert not temp_workspace.diff(before)


@pytest.mark.requires_root
def test_a_file_of_another_user_stays(short_socket_dir, fork_runner):
    short_socket_dir.chmod(0o777)
    path = short_socket_dir / "a"
    path.write_bytes(SECRET)
    result = fork_runner.run(secure_delete, path, user=65534)
    assert isinstance(result, Raised)
    assert isinstance(result.error, PermissionError)
    assert path.read_bytes() == SECRET
    assert fork_runner.run(os.path.exists, path, user=65534) == Returned(True)

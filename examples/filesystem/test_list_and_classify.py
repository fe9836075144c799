"""Every kind of entry is told apart, wherever we stand (exercise A7)."""
# ruff: noqa: ANN202  # what is run in children returns what the test compares

from __future__ import annotations

import os
import stat
import subprocess
import sys

import list_and_classify as module
import pytest
from list_and_classify import Entry, classify, kind_of, list_entries, main

from pytest_syskit import Executable, Fifo, Returned, Symlink, UnixSocket

pytestmark = pytest.mark.posix_only
TREE = {
    "a file": "x",
    "dangling": Symlink("no\nwhere"),
    "dir": {},
    "fifo": Fifo(),
    "link": Symlink("dir"),
    "program": Executable("exit 0"),
    "socket": UnixSocket(),
}
LISTING = """\
file              a file
symlink           dangling -> 'no\\nwhere'
directory         dir
FIFO              fifo
symlink           link -> dir
file              program
socket            socket
"""


def test_every_kind_is_listed_by_name(temp_workspace, capsys):
    temp_workspace.populate(TREE)
    assert main([str(temp_workspace)]) == 0
    assert capsys.readouterr().out == LISTING


def test_names_are_looked_up_where_they_are_not_where_we_stand(temp_workspace):
    temp_workspace.populate({"here": {"x": {}}, "there": {"x": "a file"}})
    with temp_workspace.chdir("here"):
        assert list(list_entries("../there")) == [Entry("x", "file")]


def test_devices_are_told_apart():
    assert classify("/dev", "null") == Entry("null", "character device")


@pytest.mark.requires_root
def test_a_block_device_is_one(temp_workspace):
    path = temp_workspace / "disk"
    try:
        os.mknod(path, stat.S_IFBLK | 0o600, os.makedev(7, 200))
    except PermissionError:
        pytest.skip("root may not make devices here (a container without CAP_MKNOD)")
    assert classify(str(temp_workspace), "disk").kind == "block device"


def test_a_mode_that_nobody_knows_is_unknown():
    assert kind_of(0) == "unknown"
    assert kind_of(stat.S_IFBLK) == "block device"


def test_an_entry_that_vanishes_meanwhile_is_left_out(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": "", "gone": "", "z": ""})
    names = os.listdir(temp_workspace)
    monkeypatch.setattr(module.os, "listdir", lambda _: names)
    (temp_workspace / "gone").unlink()
    assert [entry.name for entry in list_entries(str(temp_workspace))] == ["a", "z"]


def _kinds_of_a_directory_that_may_be_read_but_not_searched(directory):
    with open(os.devnull, "w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        return main([directory]), [type(entry).__name__ for entry in list_entries(directory)]


@pytest.mark.requires_root
def test_an_entry_that_may_not_be_looked_at_ends_nothing(short_socket_dir, fork_runner):
    closed = short_socket_dir / "closed"
    closed.mkdir()
    (closed / "a").touch()
    (closed / "b").touch()
    closed.chmod(0o744)  # names can be read, but nothing about them
    short_socket_dir.chmod(0o755)
    result = fork_runner.run(
        _kinds_of_a_directory_that_may_be_read_but_not_searched, str(closed), user=65534
    )
    assert result == Returned((1, ["PermissionError", "PermissionError"]))


@pytest.mark.requires("dac")
def test_an_entry_that_may_not_be_looked_at_is_told(temp_workspace, capsys):
    temp_workspace.populate({"closed": {"a": ""}})
    (temp_workspace / "closed").chmod(0o400)
    assert main([str(temp_workspace / "closed")]) == 1
    assert "closed/a: Permission denied" in capsys.readouterr().err


def test_as_a_process_it_lists_where_it_stands(temp_workspace):
    temp_workspace.populate(TREE)
    done = subprocess.run(
        [sys.executable, module.__file__],
        cwd=temp_workspace, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, LISTING, "")


@pytest.mark.parametrize(
    ("name", "why"), [("missing", "No such file or directory"), ("a file", "Not a directory")]
)
def test_what_cannot_be_listed_is_status_1(temp_workspace, capsys, name, why):
    temp_workspace.populate(TREE)
    with temp_workspace.chdir():
        assert main([name]) == 1
    assert capsys.readouterr().err == f"list_and_classify: {name}: {why}\n"


def test_an_entry_that_may_not_be_looked_at_is_told_and_the_others_are_listed(
    temp_workspace, monkeypatch, capsys
):
    temp_workspace.populate({"a": "", "b": "", "c": ""})
    lstat = os.lstat

    def refuse(path):
        if path.endswith("b"):
            raise PermissionError(13, "Permission denied", path)
        return lstat(path)

    monkeypatch.setattr(module.os, "lstat", refuse)
    with temp_workspace.chdir():
        assert main([]) == 1
    printed = capsys.readouterr()
    assert printed.err == "list_and_classify: ./b: Permission denied\n"
    assert [line.split()[-1] for line in printed.out.splitlines()] == ["a", "c"]


def test_a_reader_who_has_seen_enough_is_status_1_without_a_word(temp_workspace):
    temp_workspace.populate({"a": "", "b": ""})
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-u", module.__file__],
            cwd=temp_workspace, stdout=closed, stderr=subprocess.PIPE, timeout=30, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"")

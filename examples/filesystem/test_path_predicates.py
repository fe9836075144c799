"""The truth table of the path predicates, for every type of entry (exercise A5)."""
# ruff: noqa: ANN202  # what is run in children returns what the test compares

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from path_predicates import HERE, Predicates, predicates

from pytest_syskit import Fifo, File, HardLink, Returned, Symlink, UnixSocket

pytestmark = pytest.mark.posix_only

TREE = {
    "file": "12345",
    "second name": HardLink("file"),
    "directory": {},
    "fifo": Fifo(),
    "socket": UnixSocket(),
    "link to file": Symlink("file"),
    "link to directory": Symlink("directory"),
    "link to fifo": Symlink("fifo"),
    "link to link": Symlink("link to file"),
    "dangling": Symlink("nowhere"),
    "loop": Symlink("loop"),
}
NOTHING = Predicates(
    exists=False, lexists=False, isfile=False, isdir=False, islink=False, size=None
)
ENTRY = replace(NOTHING, exists=True, lexists=True)
FILE = replace(ENTRY, isfile=True, size=5)
SPECIAL = replace(ENTRY, size=0)
UNUSABLE_LINK = replace(NOTHING, lexists=True, islink=True)
TRUTH = {
    "file": FILE,
    "second name": FILE,
    "file/below": NOTHING,
    "missing": NOTHING,
    "": NOTHING,
    "fifo": SPECIAL,
    "socket": SPECIAL,
    "link to file": replace(FILE, islink=True),
    "link to link": replace(FILE, islink=True),
    "link to fifo": replace(SPECIAL, islink=True),
    "dangling": UNUSABLE_LINK,
    "loop": UNUSABLE_LINK,
}


@pytest.mark.parametrize("name", TRUTH)
def test_each_entry_answers_as_predicted(temp_workspace, name):
    temp_workspace.populate(TREE)
    with temp_workspace.chdir():
        assert predicates(name) == TRUTH[name]


@pytest.mark.parametrize(
    ("name", "islink"), [("directory", False), ("link to directory", True), (HERE, False)]
)
def test_directories_have_a_size_that_the_file_system_chooses(temp_workspace, name, islink):
    temp_workspace.populate(TREE)
    with temp_workspace.chdir():
        answer = predicates(name)
        size = os.stat(name).st_size
    assert answer == replace(ENTRY, isdir=True, islink=islink, size=size)


def test_a_slash_behind_a_link_to_a_directory_follows_it(temp_workspace):
    temp_workspace.populate(TREE)
    with temp_workspace.chdir():
        assert not predicates("link to directory/").islink


@pytest.mark.signal_timeout(10)  # to open the FIFO would wait for ever
def test_asking_opens_nothing(temp_workspace, leak_check):
    temp_workspace.populate(TREE)
    with leak_check():
        predicates(temp_workspace / "fifo")


def _ask_below(directory):
    return predicates(os.path.join(directory, "file"))


@pytest.mark.requires("dac")
def test_what_may_not_be_looked_at_is_nothing(temp_workspace):
    temp_workspace.populate({"closed": {"file": File("12345")}})
    (temp_workspace / "closed").chmod(0)
    assert _ask_below(temp_workspace / "closed") == NOTHING


@pytest.mark.requires_root
def test_what_an_ordinary_user_may_not_look_at_is_nothing(short_socket_dir, fork_runner):
    closed = short_socket_dir / "closed"
    closed.mkdir()
    (closed / "file").write_text("12345")
    closed.chmod(0)
    short_socket_dir.chmod(0o755)
    assert fork_runner.run(_ask_below, closed, user=65534) == Returned(NOTHING)
    assert _ask_below(closed) == FILE  # nothing is closed to root

"""A tree has its size: names, links, holes and other file systems counted right (exercise D12)."""

from __future__ import annotations

import os
import subprocess
import sys

import directory_size as module
import pytest
from directory_size import TreeSize, directory_size, main

from pytest_syskit import Fifo, HardLink, Returned, Symlink

pytestmark = pytest.mark.posix_only
TREE = {"a": "12345", "sub": {"b": "123", "empty": {}}, "odd\nname \udce9": "1"}


def fail(error) -> None:
    raise error


def test_files_directories_and_bytes_are_counted(temp_workspace):
    temp_workspace.populate(TREE)
    size = directory_size(temp_workspace, fail)
    assert (size.files, size.directories, size.content) == (3, 3, 9)


def test_an_empty_directory_is_one_directory(temp_workspace):
    size = directory_size(temp_workspace, fail)
    assert (size.files, size.directories, size.content) == (0, 1, 0)


def test_a_file_with_two_names_counts_once(temp_workspace):
    temp_workspace.populate({"a": "12345", "sub": {"again": HardLink("a")}})
    size = directory_size(temp_workspace, fail)
    assert (size.files, size.content) == (1, 5)


def test_links_count_as_links_and_are_not_entered(temp_workspace, signal_timeout):
    temp_workspace.populate(
        {"tree": {"up": Symlink(".."), "big": Symlink("../big"), "x": Symlink("nowhere")},
         "big": "1" * 5000}
    )  # fmt: skip
    with signal_timeout(10):
        size = directory_size(temp_workspace / "tree", fail)
    assert (size.files, size.directories) == (3, 1)
    assert size.content == len("..") + len("../big") + len("nowhere")


def test_a_fifo_is_counted_and_not_opened(temp_workspace, signal_timeout):
    temp_workspace.populate({"pipe": Fifo()})
    with signal_timeout(5):
        assert directory_size(temp_workspace, fail).files == 1


def test_a_link_to_the_tree_is_a_way_to_it(temp_workspace):
    temp_workspace.populate({"tree": TREE, "link": Symlink("tree")})
    assert directory_size(temp_workspace / "link", fail) == directory_size(
        temp_workspace / "tree", fail
    )


@pytest.mark.linux_only(reason="other file systems may fill holes")
def test_a_hole_is_content_but_takes_no_space(temp_workspace):
    with open(temp_workspace / "holes", "wb") as file:
        file.truncate(10**9)
    size = directory_size(temp_workspace, fail)
    assert size.content == 10**9
    assert size.on_disk < 10**6


@pytest.mark.linux_only(reason="du of GNU")
@pytest.mark.requires_commands("du")
def test_du_measures_the_same(temp_workspace):
    temp_workspace.populate({**TREE, "link": Symlink("a"), "again": HardLink("sub/b"),
                             "big": "x" * 100_000})  # fmt: skip
    os.sync()  # some file systems find a place for the content later
    command = ["du", "-s", "-B1", temp_workspace]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    assert directory_size(temp_workspace, fail).on_disk == int(told.split()[0])


# what goes wrong


@pytest.mark.parametrize("name", ["missing", "a", "link"])
def test_a_root_that_is_no_directory_is_told(temp_workspace, name):
    temp_workspace.populate({**TREE, "link": Symlink("nowhere")})
    problems = []
    size = directory_size(temp_workspace / name, problems.append)
    assert [os.path.basename(problem.filename) for problem in problems] == [name]
    assert size == TreeSize()


def test_what_vanishes_after_its_listing_is_no_error(temp_workspace, monkeypatch):
    temp_workspace.populate({"sub": {"x": ""}, "a": "12345", "b": "123"})
    listdir = os.listdir

    def list_and_remove(path) -> list[str]:
        names = listdir(path)
        for name in set(names) & {"a"}:
            os.unlink(os.path.join(path, name))
        return names

    monkeypatch.setattr(os, "listdir", list_and_remove)
    size = directory_size(temp_workspace, fail)
    assert (size.files, size.content) == (2, 3)


def test_a_directory_that_cannot_be_read_is_told_and_the_rest_is_counted(
    temp_workspace, fork_runner
):
    temp_workspace.populate({"closed": {"x": "123"}, "a": "12345"})
    os.chmod(temp_workspace, 0o755)

    def measure() -> tuple[list[str], int]:
        os.chdir(temp_workspace)
        os.chmod("closed", 0)
        if os.geteuid() == 0:
            os.seteuid(65534)
        problems: list[OSError] = []
        size = directory_size(".", problems.append)
        return [problem.filename for problem in problems], size.content

    assert fork_runner.run(measure) == Returned((["./closed"], 5))


@pytest.mark.linux_only(reason="has a second file system for certain")
def test_what_is_mounted_inside_counts_only_if_asked_for(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": "12345", "mounted": {"b": "123", "deep": {"c": "1"}}})
    lstat = os.lstat

    def as_if_mounted(path) -> os.stat_result:
        found = lstat(path)
        device = found.st_dev + ("mounted" in str(path))
        return os.stat_result((*found[:2], device, *found[3:10]))

    monkeypatch.setattr(os, "lstat", as_if_mounted)
    here = directory_size(temp_workspace, fail)
    everything = directory_size(temp_workspace, fail, cross=True)
    assert (here.files, here.directories, here.content) == (1, 1, 5)
    assert (everything.files, everything.directories, everything.content) == (3, 3, 9)


# the script


def test_as_a_process_it_measures_each_root_and_tells_a_bad_one(temp_workspace):
    temp_workspace.populate({"tree": TREE, "one": {"x": "1234567"}})
    done = subprocess.run(
        [sys.executable, module.__file__, "tree", "missing", "one"],
        cwd=temp_workspace, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "directory_size: missing: No such file or directory\n"
    lines = [line.rpartition(", ")[0] for line in done.stdout.splitlines()]
    assert lines == [
        "tree: 3 files in 3 directories, 9 bytes",
        "one: 1 file in 1 directory, 7 bytes",
    ]


def test_help_and_a_wrong_option(capsys):
    for arguments, status in ((["--help"], 0), (["--wrong"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == status
    assert "usage: directory_size" in capsys.readouterr().err

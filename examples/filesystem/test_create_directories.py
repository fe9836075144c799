"""Directories come and go as documented, and nothing goes that is not ours."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from create_directories import main, remove_empty, show_directory

from pytest_syskit import Symlink

SCRIPT = Path(__file__).with_name("create_directories.py")
DOCUMENTED = f"""\
Creating os_directories_example
Creating {Path("os_directories_example", "example.txt")}
Listing os_directories_example
['example.txt']
Cleaning up
"""


def test_the_script_prints_the_documented_output_and_leaves_nothing(
    temp_workspace, process_factory
):
    before = temp_workspace.snapshot()
    program = process_factory([sys.executable, SCRIPT], cwd=temp_workspace)
    assert program.wait(timeout=20) == 0
    assert program.stdout == DOCUMENTED
    assert not temp_workspace.diff(before)


def test_a_directory_that_exists_is_left_alone(temp_workspace, capsys):
    temp_workspace.populate({"os_directories_example": {"mine": "precious"}})
    before = temp_workspace.snapshot()
    with temp_workspace.chdir():
        assert main() == 1
    assert capsys.readouterr().err == (
        "create_directories: 'os_directories_example': File exists\n"
    )
    assert not temp_workspace.diff(before)


def test_an_error_on_the_way_still_cleans_up(temp_workspace, monkeypatch):
    before = temp_workspace.snapshot()

    def refuse(path) -> list[str]:
        raise PermissionError(path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(PermissionError, match="new"):
        show_directory(temp_workspace / "new")
    monkeypatch.undo()
    assert not temp_workspace.diff(before)


def test_the_file_of_somebody_else_is_not_cleaned_up(temp_workspace, monkeypatch):
    listdir = os.listdir

    def list_after_somebody_came(path) -> list[str]:
        (temp_workspace / "new" / "other").touch()
        return listdir(path)

    monkeypatch.setattr(os, "listdir", list_after_somebody_came)
    with pytest.raises(OSError, match="new"):
        show_directory(temp_workspace / "new")
    monkeypatch.undo()
    assert list(temp_workspace.snapshot()) == ["new", "new/other"]


def test_a_file_that_somebody_removed_meanwhile_needs_no_cleaning(
    temp_workspace, monkeypatch, capsys
):
    def list_and_remove(path) -> list[str]:
        (temp_workspace / "new" / "example.txt").unlink()
        return ["b", "a"]  # a directory has no order

    monkeypatch.setattr(os, "listdir", list_and_remove)
    show_directory(temp_workspace / "new")
    monkeypatch.undo()
    assert "['a', 'b']\n" in capsys.readouterr().out
    assert list(temp_workspace.snapshot()) == []


# What the four calls do:


def test_mkdir_makes_one_level_and_makedirs_all(temp_workspace):
    deep = temp_workspace / "a" / "b" / "c"
    with pytest.raises(FileNotFoundError):
        os.mkdir(deep)
    os.makedirs(deep)
    with pytest.raises(FileExistsError):
        os.mkdir(deep)
    with pytest.raises(FileExistsError):
        os.makedirs(deep)
    os.makedirs(deep, exist_ok=True)


def test_exist_ok_does_not_excuse_a_file(temp_workspace):
    temp_workspace.populate({"a": "a file"})
    with pytest.raises(FileExistsError):
        os.makedirs(temp_workspace / "a", exist_ok=True)


@pytest.mark.posix_only(reason="modes")
@pytest.mark.requires("fork")
def test_the_mode_is_for_the_last_level_only(fork_runner, temp_workspace):
    def make() -> list[int]:
        os.umask(0o022)
        os.makedirs(temp_workspace / "a" / "b", mode=0o700)
        places = (temp_workspace / "a", temp_workspace / "a" / "b")
        return [stat.S_IMODE(place.stat().st_mode) for place in places]

    assert fork_runner.run(make).unwrap() == [0o755, 0o700]


def test_rmdir_wants_an_empty_directory(temp_workspace):
    temp_workspace.populate({"a": {"b": {}}})
    with pytest.raises(OSError, match="a"):
        os.rmdir(temp_workspace / "a")
    os.rmdir(temp_workspace / "a" / "b")
    assert list(temp_workspace.snapshot()) == ["a"]


def test_removedirs_stops_without_an_error_at_the_first_that_is_not_empty(temp_workspace):
    temp_workspace.populate({"keep": {"file": "", "b": {"c": {"d": {}}}}})
    os.removedirs(temp_workspace / "keep" / "b" / "c" / "d")
    assert list(temp_workspace.snapshot()) == ["keep", "keep/file"]


def test_removedirs_climbs_out_of_the_place_that_was_ours_and_remove_empty_does_not(temp_workspace):
    temp_workspace.populate({"anchor": "", "root": {"ours": {"a": {"b": {}}}}})
    ours = temp_workspace / "root" / "ours"
    assert remove_empty(ours / "a" / "b", ours) == [ours / "a" / "b", ours / "a"]
    assert ours.is_dir()
    os.makedirs(ours / "a" / "b")
    os.removedirs(ours / "a" / "b")
    assert list(temp_workspace.snapshot()) == ["anchor"]


# remove_empty:


def test_the_climb_stops_where_a_sibling_is(temp_workspace):
    temp_workspace.populate({"a": {"sibling": "", "b": {"c": {}}}})
    path = temp_workspace / "a" / "b"
    assert remove_empty(path / "c", temp_workspace) == [path / "c", path]


def test_a_directory_that_is_not_empty_is_an_error_and_stays(temp_workspace):
    temp_workspace.populate({"a": {"b": ""}})
    with pytest.raises(OSError, match="a"):
        remove_empty(temp_workspace / "a", temp_workspace)
    assert (temp_workspace / "a" / "b").exists()


@pytest.mark.parametrize("path", [".", "..", "../elsewhere"])
def test_the_top_and_what_is_not_below_it_are_refused(temp_workspace, path):
    temp_workspace.populate({"top": {"a": {}}, "elsewhere": {}})
    with pytest.raises(ValueError, match="is not below"):
        remove_empty(temp_workspace / "top" / path, temp_workspace / "top")
    assert list(temp_workspace.snapshot()) == ["elsewhere", "top", "top/a"]


@pytest.mark.requires("symlink")
def test_a_link_does_not_lead_out(temp_workspace):
    temp_workspace.populate({"top": {"link": Symlink("../elsewhere")}, "elsewhere": {"empty": {}}})
    top = temp_workspace / "top"
    with pytest.raises(ValueError, match="is not below"):
        remove_empty(top / "link" / "empty", top)
    with pytest.raises(NotADirectoryError):
        remove_empty(top / "link", top)
    assert (temp_workspace / "elsewhere" / "empty").is_dir()

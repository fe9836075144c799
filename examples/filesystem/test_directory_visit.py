"""A visit ends where it began, after an error and after a move of the house, too."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from directory_visit import main, visit

SCRIPT = Path(__file__).with_name("directory_visit.py")


@pytest.fixture
def start(temp_workspace):
    """Stand in ``outer/inner`` of the workspace."""
    temp_workspace.populate({"outer": {"inner": {}, "other": {}}})
    with temp_workspace.chdir("outer/inner") as place:
        yield place


def test_one_directory_up_and_back(start, capsys):
    assert main() == 0
    assert capsys.readouterr().out == (
        f"Starting: {start}\nMoving up one: ..\nAfter move: {start.parent}\nBack: {start}\n"
    )
    assert os.getcwd() == str(start)


def test_the_script_starts_where_it_is_called(temp_workspace, process_factory):
    temp_workspace.populate({"a b": {}})
    program = process_factory([sys.executable, SCRIPT], cwd=temp_workspace / "a b")
    assert program.wait(timeout=20) == 0
    assert program.stdout.splitlines()[2] == f"After move: {temp_workspace.path}"


def test_an_error_in_the_block_changes_nothing_about_the_way_back(start, leak_check):
    with leak_check(), pytest.raises(KeyError), visit(os.pardir):
        raise KeyError
    assert os.getcwd() == str(start)


@pytest.mark.parametrize("error", [FileNotFoundError, NotADirectoryError])
def test_a_place_that_cannot_be_entered_leaves_us_where_we_are(start, leak_check, error):
    (start / "file").touch()
    name = "missing" if error is FileNotFoundError else "file"
    with leak_check(), pytest.raises(error, match=name), visit(name):
        pytest.fail("entered the block")
    assert os.getcwd() == str(start)


@pytest.mark.requires("dac")
def test_a_directory_without_search_permission_is_an_error(start):
    os.chmod("../other", 0o600)
    with pytest.raises(PermissionError), visit("../other"):
        pytest.fail("entered the block")
    assert os.getcwd() == str(start)


def test_visits_nest(start):
    with visit(os.pardir):
        with visit("other"):
            assert os.getcwd() == str(start.parent / "other")
        assert os.getcwd() == str(start.parent)
    assert os.getcwd() == str(start)


def test_where_directories_cannot_be_entered_by_descriptor_the_name_leads_back(start, monkeypatch):
    monkeypatch.setattr(os, "supports_fd", set())  # as on Windows
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("a directory was opened"))
    with pytest.raises(KeyError), visit(os.pardir):
        raise KeyError
    assert os.getcwd() == str(start)


@pytest.mark.posix_only(reason="a working directory can be renamed")
def test_the_way_back_survives_a_rename_and_an_impostor(start):
    with visit(os.pardir):
        os.rename("inner", "renamed")
        os.mkdir("inner")  # going back by name would end here
    assert os.getcwd() == str(start.parent / "renamed")


@pytest.mark.posix_only(reason="a working directory can be removed")
def test_the_way_back_survives_the_removal_of_the_place_visited(start):
    with visit("../other"):
        shutil.rmtree(start.parent / "other")
    assert os.getcwd() == str(start)


@pytest.mark.requires("symlink")
def test_the_parent_of_a_linked_directory_is_the_true_one(start, temp_workspace):
    os.symlink(start, temp_workspace / "link")
    with visit(temp_workspace / "link"), visit(os.pardir):
        assert os.getcwd() == str(start.parent)

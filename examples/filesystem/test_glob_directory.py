"""Patterns match names, never the directory they stand in (exercise A13)."""

from __future__ import annotations

import os

import pytest
from glob_directory import glob_here, glob_in

from pytest_syskit import Symlink

pytestmark = pytest.mark.posix_only
NAMES = {"b.py": "", "a.py": "", "c.txt": "", ".hidden.py": "", ".no": "", "dir.py": {}, "A.PY": ""}


def names(paths):
    return [os.path.basename(path) for path in paths]


def test_here_are_the_python_files_sorted(temp_workspace):
    temp_workspace.populate(NAMES)
    with temp_workspace.chdir():
        assert glob_here() == ["a.py", "b.py", "dir.py"]


def test_paths_are_joined_with_the_directory(temp_workspace):
    temp_workspace.populate({"sub": NAMES})
    with temp_workspace.chdir():
        assert glob_in("sub") == ["sub/a.py", "sub/b.py", "sub/dir.py"]


@pytest.mark.parametrize("directory", ["data[1]", "what?", "*", "[!a]", "[]]"])
def test_the_name_of_the_directory_is_no_pattern(temp_workspace, directory):
    temp_workspace.populate(
        {directory: {"in.py": ""}, "data1": {"wrong.py": ""}, "b": {"x.py": ""}}
    )
    with temp_workspace.chdir():
        assert glob_in(directory) == [f"{directory}/in.py"]


def test_the_order_is_that_of_the_names_not_of_the_directory(temp_workspace):
    temp_workspace.populate({f"{number}.py": "" for number in range(20)})
    found = names(glob_in(str(temp_workspace)))
    assert found == sorted(found)
    assert len(found) == 20
    with temp_workspace.chdir():
        assert glob_here() == found


@pytest.mark.parametrize(
    ("pattern", "hidden", "found"),
    [
        ("*.py", False, ["a.py", "b.py", "dir.py"]),
        ("*.py", True, [".hidden.py", "a.py", "b.py", "dir.py"]),
        (".*.py", False, [".hidden.py"]),
        ("?hidden.py", True, [".hidden.py"]),
        ("?hidden.py", False, []),
        ("[ab].py", True, ["a.py", "b.py"]),
        ("[!a].py", False, ["b.py"]),
        ("[!a]*.py", True, ["b.py", "dir.py"]),  # only * and ? come to match a dot
    ],
)
def test_hidden_names_match_when_asked_for(temp_workspace, pattern, hidden, found):
    temp_workspace.populate(NAMES)
    assert names(glob_in(str(temp_workspace), pattern, hidden=hidden)) == found


def test_dangling_links_are_names_too(temp_workspace):
    temp_workspace.populate({"dangling.py": Symlink("nowhere")})
    assert names(glob_in(str(temp_workspace))) == ["dangling.py"]


def test_a_missing_directory_has_no_names(temp_workspace):
    assert glob_in(str(temp_workspace / "missing"), hidden=True) == []

"""Each form of pattern matches what it says, and several keep their order (exercise D23)."""
# ruff: noqa: ANN202  # stand-ins for functions of the os module

from __future__ import annotations

import glob
import os

import pytest
from glob_patterns import except_those, first_match, literally, matches

from pytest_syskit import Symlink

pytestmark = pytest.mark.posix_only
TREE = {
    "a.py": "",
    "b.py": "",
    "c1.txt": "",
    "c2.txt": "",
    "cx.txt": "",
    ".hidden.py": "",
    "[x].txt": "",
    "sub": {"d.py": "", "deep": {"e.py": "", "c9.txt": ""}},
}


@pytest.fixture
def tree(temp_workspace):
    return temp_workspace.populate(TREE)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.py", ["a.py", "b.py"]),
        ("c?.txt", ["c1.txt", "c2.txt", "cx.txt"]),
        ("c[0-9].txt", ["c1.txt", "c2.txt"]),
        ("c[1x].txt", ["c1.txt", "cx.txt"]),
        ("c[!0-9].txt", ["cx.txt"]),
        ("[!.]x].txt", ["[x].txt"]),
        ("[[]x].txt", ["[x].txt"]),
        ("[x].txt", []),
        ("*/*.py", ["sub/d.py"]),
        ("**/*.py", ["a.py", "b.py", "sub/d.py", "sub/deep/e.py"]),
        ("sub/**/*.py", ["sub/d.py", "sub/deep/e.py"]),
        ("sub/**", ["sub/", "sub/d.py", "sub/deep", "sub/deep/c9.txt", "sub/deep/e.py"]),
        ("**/deep", ["sub/deep"]),
        ("**/", ["sub/", "sub/deep/"]),
        (".*", [".hidden.py"]),
        ("A.PY", []),
        ("nothing*", []),
    ],
)
def test_each_form_matches_what_it_says(tree, pattern, found):
    assert matches(tree, pattern) == found


def test_the_root_itself_is_nothing_below_the_root(tree):
    assert "" not in matches(tree, "**")
    assert first_match(tree, "**") in matches(tree, "**")


def test_several_patterns_keep_their_order_and_give_each_path_once(tree):
    assert matches(tree, "c[2x].txt", "*.py", "c*.txt", "**/*.py") == [
        "c2.txt",
        "cx.txt",
        "a.py",
        "b.py",
        "c1.txt",
        "sub/d.py",
        "sub/deep/e.py",
    ]
    assert matches(tree) == []


def test_the_order_is_the_same_in_every_run(temp_workspace):
    temp_workspace.populate({f"{number:03}.{'ab'[number % 2]}": "" for number in range(100)})
    found = matches(temp_workspace, "*.b", "*")
    assert found == [
        *sorted(matches(temp_workspace, "*.b")),
        *sorted(matches(temp_workspace, "*.a")),
    ]
    assert len(found) == 100


def test_a_pattern_negates_characters_and_a_filter_negates_patterns():
    names = ["b.py", "test_b.py", "a.txt", "a.py", "B.PY"]
    assert except_those(names, "test_*", "*.txt") == ["b.py", "a.py", "B.PY"]
    assert except_those(names) == names


@pytest.mark.parametrize("name", ["data[1]", "what?", "*", "[!a]", "a*[b]?"])
def test_a_name_can_be_taken_literally_as_prefix_and_as_root(temp_workspace, name):
    temp_workspace.populate(
        {name: {"in.py": ""}, f"{name}.old": "", "data1": "", "b": {"x.py": ""}}
    )
    assert literally(temp_workspace, name) == [name, f"{name}.old"]
    assert matches(temp_workspace / name, "*.py") == ["in.py"]


def test_the_first_match_looks_no_further_than_it_has_to(temp_workspace, monkeypatch):
    temp_workspace.populate({f"d{number:02}": {"x.py": ""} for number in range(50)})
    listed = []
    scandir = os.scandir

    def counted(place):
        listed.append(place)
        return scandir(place)

    monkeypatch.setattr(glob.os, "scandir", counted)
    assert first_match(temp_workspace, "*/*.py").endswith("/x.py")
    assert len(listed) == 2
    assert first_match(temp_workspace, "*/*.txt") is None
    assert len(listed) > 50


def test_odd_names_and_dangling_links_are_found(temp_workspace, leak_check):
    temp_workspace.populate({b"caf\xe9.py": "", "two\nlines.py": "", "z.py": Symlink("no")})
    with leak_check():
        found = matches(temp_workspace, "*.py")
        first_match(temp_workspace, "*.py")
    assert found == [os.fsdecode(b"caf\xe9.py"), "two\nlines.py", "z.py"]

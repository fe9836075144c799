r"""Both systems' rules side by side, on any machine (exercise D2)."""

from __future__ import annotations

import os

import pytest
from path_operations import (
    POSIX,
    WINDOWS,
    PathPieces,
    Separators,
    common_directory,
    common_letters,
    is_below,
    join_below,
    relative_way,
    separators,
    take_apart,
    true_path,
    written_path,
)

from pytest_syskit import Symlink


def test_the_separators():
    assert separators(POSIX) == Separators("/", None, ":")
    assert separators(WINDOWS) == Separators("\\", "/", ";")
    assert separators() == Separators(os.sep, os.altsep, os.pathsep)


# taking apart: drive, directory, name, stem, extension, absolute
PIECES = [
    (
        "/a/b/c.txt",
        ("", "/a/b", "c.txt", "c", ".txt", True),
        ("", "/a/b", "c.txt", "c", ".txt", False),
    ),
    (
        r"C:\a\c.txt",
        ("", "", r"C:\a\c.txt", r"C:\a\c", ".txt", False),
        ("C:", r"C:\a", "c.txt", "c", ".txt", True),
    ),
    ("a/", ("", "a", "", "", "", False), ("", "a", "", "", "", False)),
    (
        "a.tar.gz",
        ("", "", "a.tar.gz", "a.tar", ".gz", False),
        ("", "", "a.tar.gz", "a.tar", ".gz", False),
    ),
    (
        "x/.profile",
        ("", "x", ".profile", ".profile", "", False),
        ("", "x", ".profile", ".profile", "", False),
    ),
    ("C:a", ("", "", "C:a", "C:a", "", False), ("C:", "C:", "a", "a", "", False)),
    (
        r"\\host\share\a",
        ("", "", r"\\host\share\a", r"\\host\share\a", "", False),
        (r"\\host\share", "\\\\host\\share\\", "a", "a", "", True),
    ),
    ("/", ("", "/", "", "", "", True), ("", "/", "", "", "", False)),
    ("", ("", "", "", "", "", False), ("", "", "", "", "", False)),
    ("a.b/c", ("", "a.b", "c", "c", "", False), ("", "a.b", "c", "c", "", False)),
    (
        "line\nbreak .txt",
        ("", "", "line\nbreak .txt", "line\nbreak ", ".txt", False),
        ("", "", "line\nbreak .txt", "line\nbreak ", ".txt", False),
    ),
]


@pytest.mark.parametrize(("path", "posix", "windows"), PIECES, ids=[repr(p[0]) for p in PIECES])
def test_a_path_is_taken_apart_by_the_rules_of_each(path, posix, windows):
    assert take_apart(path, POSIX) == PathPieces(*posix)
    assert take_apart(path, WINDOWS) == PathPieces(*windows)


@pytest.mark.parametrize("rules", [POSIX, WINDOWS])
def test_split_is_dirname_and_basename(rules):
    pieces = take_apart("a/b/c.txt", rules)
    assert (pieces.directory, pieces.name) == (
        rules.dirname("a/b/c.txt"),
        rules.basename("a/b/c.txt"),
    )


# joining


def test_a_plain_join_forgets_what_stands_before_an_absolute_part():
    assert POSIX.join("/base", "/etc/passwd") == "/etc/passwd"
    assert WINDOWS.join("C:\\base", "\\etc") == "C:\\etc"


@pytest.mark.parametrize(
    ("rules", "base", "parts", "joined"),
    [
        (POSIX, "/base", ("a", "b.txt"), "/base/a/b.txt"),
        (POSIX, "/base", ("a", "../b"), "/base/b"),
        (POSIX, "/base", ("",), "/base"),
        (POSIX, "base", ("..a",), "base/..a"),
        (POSIX, ".", ("a",), "a"),
        (POSIX, "/", ("a",), "/a"),
        (WINDOWS, "C:\\base", ("a/b",), "C:\\base\\a\\b"),
        (WINDOWS, "c:/Base", ("A",), "c:\\Base\\A"),
    ],
)
def test_parts_are_joined_below_a_base(rules, base, parts, joined):
    assert join_below(base, *parts, rules=rules) == joined


@pytest.mark.parametrize(
    ("rules", "base", "part"),
    [
        (POSIX, "/base", "/etc"),
        (POSIX, "/base", "../base2/x"),
        (POSIX, "/base", "a/../../x"),
        (POSIX, "base", "../../x"),
        (POSIX, ".", "/etc"),
        (POSIX, ".", ".."),
        (WINDOWS, "C:\\base", "\\etc"),
        (WINDOWS, "C:\\base", "D:x"),
        (WINDOWS, "C:\\base", "..\\base2"),
        (WINDOWS, "C:\\base", "../x"),
        (WINDOWS, ".", "\\x"),
        (WINDOWS, "base", "C:x"),
        (WINDOWS, "base", "\\\\host\\share\\x"),
    ],
)
def test_no_part_leaves_the_base(rules, base, part):
    with pytest.raises(ValueError, match="is not below"):
        join_below(base, part, rules=rules)


@pytest.mark.parametrize(
    ("path", "directory", "posix", "windows"),
    [
        ("/home/anna", "/home/ann", False, False),
        ("/home/ann", "/home/ann", True, True),
        ("/home/ann/", "/home/ann", True, True),
        ("/home/ann/x", "/home/ann/", True, True),
        ("/HOME/ANN/x", "/home/ann", False, True),
        ("x", "/home", False, False),
        ("../home/x", "..", False, False),
        ("C:\\a\\b", "c:/A", False, True),
        ("C:\\a", "D:\\a", False, False),
        ("/anything", "/", True, True),
    ],
)
def test_containment_goes_by_names_and_not_by_letters(path, directory, posix, windows):
    assert is_below(path, directory, POSIX) is posix
    assert is_below(path, directory, WINDOWS) is windows


# relating


def test_commonprefix_cuts_names_in_the_middle_and_commonpath_does_not():
    paths = ["/home/ann/a", "/home/anna/b"]
    assert common_letters(paths) == "/home/ann"  # another user's home, or nobody's
    assert common_directory(paths, POSIX) == "/home"
    assert common_directory(["C:\\home\\ann", "c:/HOME/anna"], WINDOWS) == "C:\\home"


@pytest.mark.parametrize(
    ("rules", "paths", "why"),
    [
        (POSIX, [], "empty"),
        (POSIX, ["/a", "a"], "absolute and relative"),
        (WINDOWS, ["C:\\a", "D:\\a"], "drive"),
    ],
)
def test_paths_with_nothing_in_common_are_an_error(rules, paths, why):
    with pytest.raises(ValueError, match=why):
        common_directory(paths, rules)


def test_ways_from_place_to_place():
    assert relative_way("/a/b/c", "/a/x", POSIX) == "../b/c"
    assert relative_way("/a", "/a", POSIX) == "."
    assert relative_way("C:\\a\\b", "c:\\A\\x", WINDOWS) == "..\\b"
    with pytest.raises(ValueError, match="path is on mount 'D:', start on mount 'C:'"):
        relative_way("D:\\a", "C:\\a", WINDOWS)


def test_a_relative_way_leads_to_the_path(temp_workspace):
    temp_workspace.populate({"a": {"b c": {"d": "here"}}, "x": {"y": {}}})
    with temp_workspace.chdir("x/y"):
        way = relative_way(str(temp_workspace / "a" / "b c" / "d"), os.curdir)
        with open(way, encoding="utf-8") as file:
            assert file.read() == "here"


# links: the text and the truth


@pytest.mark.requires("symlink")
def test_two_dots_behind_a_link_are_written_otherwise_than_they_lead(temp_workspace):
    temp_workspace.populate({"deep": {"inner": {}}, "link": Symlink("deep/inner")})
    with temp_workspace.chdir():
        assert written_path("link/..") == str(temp_workspace.path)
        assert true_path("link/..") == str(temp_workspace / "deep")
        assert os.path.samefile("link/..", true_path("link/.."))


@pytest.mark.requires("symlink")
def test_the_end_of_a_true_path_may_be_missing(temp_workspace):
    temp_workspace.populate({"real": {}, "link": Symlink("real")})
    assert true_path(str(temp_workspace / "link" / "new")) == str(temp_workspace / "real" / "new")


@pytest.mark.requires("symlink")
def test_below_by_text_is_not_below_in_truth(temp_workspace):
    temp_workspace.populate({"base": {"out": Symlink("../other")}, "other": {}})
    base, through = str(temp_workspace / "base"), str(temp_workspace / "base" / "out" / "x")
    assert is_below(through, base)
    assert not is_below(true_path(through), true_path(base))

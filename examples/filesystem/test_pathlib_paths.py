"""The properties of both systems' paths, and changes of names with several dots (exercise D10)."""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath, PureWindowsPath

import pytest
from pathlib_paths import (
    PathProperties,
    joined,
    numbered,
    path_properties,
    with_all_suffixes,
    with_new_stem,
)

POSIX, WINDOWS = PurePosixPath, PureWindowsPath


@pytest.mark.parametrize(
    ("path", "properties"),
    [
        (
            POSIX("/srv/logs/web.tar.gz"),
            PathProperties("", "/", "/", "/srv/logs", "web.tar.gz", "web.tar", ".gz",
                           (".tar", ".gz"), ("/", "srv", "logs", "web.tar.gz"), True),
        ),
        (
            WINDOWS("C:/srv/web.tar.gz"),
            PathProperties("C:", "\\", "C:\\", "C:\\srv", "web.tar.gz", "web.tar", ".gz",
                           (".tar", ".gz"), ("C:\\", "srv", "web.tar.gz"), True),
        ),
        (
            POSIX("a/.profile"),
            PathProperties("", "", "", "a", ".profile", ".profile", "", (), ("a", ".profile"),
                           False),
        ),
        (
            WINDOWS("C:a"),
            PathProperties("C:", "", "C:", "C:", "a", "a", "", (), ("C:", "a"), False),
        ),
        (
            WINDOWS("/a"),
            PathProperties("", "\\", "\\", "\\", "a", "a", "", (), ("\\", "a"), False),
        ),
        (
            WINDOWS("//host/share/a"),
            PathProperties("\\\\host\\share", "\\", "\\\\host\\share\\", "\\\\host\\share\\", "a",
                           "a", "", (), ("\\\\host\\share\\", "a"), True),
        ),
        (POSIX("/"), PathProperties("", "/", "/", "/", "", "", "", (), ("/",), True)),
        (POSIX(), PathProperties("", "", "", ".", "", "", "", (), (), False)),
        (
            POSIX("one\ntwo .x"),
            PathProperties("", "", "", ".", "one\ntwo .x", "one\ntwo ", ".x", (".x",),
                           ("one\ntwo .x",), False),
        ),
    ],
    ids=repr,
)  # fmt: skip
def test_a_path_has_its_properties(path, properties):
    assert path_properties(path) == properties


def test_the_suffix_alone_is_not_all_of_a_double_one():
    assert POSIX("web.tar.gz").with_suffix(".zip") == POSIX("web.tar.zip")  # the trap
    assert with_all_suffixes(POSIX("web.tar.gz"), ".zip") == POSIX("web.zip")
    assert POSIX("web.tar.gz").with_stem("mail") == POSIX("mail.gz")  # and again
    assert with_new_stem(POSIX("web.tar.gz"), "mail") == POSIX("mail.tar.gz")


@pytest.mark.parametrize(
    ("path", "suffixes", "changed"),
    [
        ("/a/web", ".tar.gz", "/a/web.tar.gz"),
        ("/a/web.txt", "", "/a/web"),
        ("/a.b/web", ".c", "/a.b/web.c"),
        (".profile", ".bak", ".profile.bak"),
        (".profile.old", ".bak", ".profile.bak"),
    ],
)
def test_all_suffixes_are_exchanged(path, suffixes, changed):
    assert with_all_suffixes(POSIX(path), suffixes) == POSIX(changed)
    assert with_all_suffixes(WINDOWS(path), suffixes) == WINDOWS(changed)


@pytest.mark.parametrize("suffixes", ["zip", ".", "..", ".a/b", ".a\\b"])
def test_a_suffix_has_a_dot_and_no_separator(suffixes):
    with pytest.raises(ValueError, match=r"'\.zip' or '\.tar\.gz' or '' is expected"):
        with_all_suffixes(POSIX("a"), suffixes)


@pytest.mark.parametrize("path", [POSIX("/"), POSIX("."), WINDOWS("C:/")])
def test_what_has_no_name_cannot_be_renamed(path):
    with pytest.raises(ValueError, match="has no name"):
        with_all_suffixes(path, ".x")
    with pytest.raises(ValueError, match="has no name"):
        numbered(path, 2)
    with pytest.raises(ValueError, match="empty name"):
        with_new_stem(path, "x")


@pytest.mark.parametrize("stem", ["", "a/b", "a\\b"])
def test_a_stem_is_part_of_a_name(stem):
    with pytest.raises(ValueError, match="the beginning of a name is expected"):
        with_new_stem(POSIX("a.txt"), stem)


def test_a_number_comes_before_the_suffixes():
    assert numbered(POSIX("/a/web.tar.gz"), 2) == POSIX("/a/web (2).tar.gz")
    assert numbered(WINDOWS("C:/web"), 2) == WINDOWS("C:/web (2)")
    assert numbered(POSIX(".profile"), 2) == POSIX(".profile (2)")


def test_the_kind_of_the_path_stays():
    assert type(with_all_suffixes(WINDOWS("a"), ".b")) is WINDOWS
    assert type(joined(POSIX("a"), "b")) is POSIX
    assert isinstance(numbered(PurePath("a"), 1), PurePath)


def test_a_plain_join_forgets_what_stands_before_an_absolute_part():
    assert POSIX("/base") / "/etc" == POSIX("/etc")
    assert WINDOWS("C:/base") / "D:x" == WINDOWS("D:x")


def test_relative_parts_are_joined():
    assert joined(POSIX("/base"), "a", "b c/d") == POSIX("/base/a/b c/d")
    assert joined(WINDOWS("C:/base"), "a/b", "..c") == WINDOWS("C:/base/a/b/..c")
    assert joined(POSIX("/base")) == POSIX("/base")


@pytest.mark.parametrize(
    ("base", "part"),
    [(POSIX("/base"), "/etc"), (POSIX("/base"), "a/../../x"), (POSIX("/base"), ".."),
     (WINDOWS("C:/base"), "\\x"), (WINDOWS("C:/base"), "D:x"), (WINDOWS("C:/base"), "C:x"),
     (WINDOWS("C:/base"), "a\\..\\..")],
)  # fmt: skip
def test_no_part_leaves_the_base(base, part):
    with pytest.raises(ValueError, match="would leave"):
        joined(base, "fine", part)


def test_paths_of_two_systems_are_never_equal():
    assert POSIX("a") != WINDOWS("a")
    assert POSIX("a") != POSIX("A")
    assert WINDOWS("a") == WINDOWS("A")

"""Text keeps its bytes, links lead where they lead, clean-up takes what is ours (exercise D10)."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from pathlib_files import (
    copy_bytes,
    directories_for_now,
    make_directories,
    read_text,
    remove_made,
    resolved,
    write_text,
)

from pytest_syskit import Symlink

# resolve


@pytest.mark.requires("symlink")
def test_a_path_resolves_to_where_it_leads(temp_workspace):
    temp_workspace.populate({"deep": {"inner": {"file": ""}}, "link": Symlink("deep/inner")})
    with temp_workspace.chdir():
        assert resolved(Path("link/../inner/file")) == temp_workspace / "deep" / "inner" / "file"
        assert resolved(Path()) == temp_workspace.path


@pytest.mark.requires("symlink")
@pytest.mark.parametrize("name", ["missing", "dangling", "link/missing"])
def test_what_is_missing_does_not_resolve(temp_workspace, name):
    temp_workspace.populate({"dangling": Symlink("nowhere"), "link": Symlink(".")})
    (temp_workspace / name).resolve()  # which pathlib does without asking
    with pytest.raises(FileNotFoundError):
        resolved(temp_workspace / name)


@pytest.mark.requires("symlink")
def test_a_circle_of_links_is_one_error_in_every_python(temp_workspace):
    temp_workspace.populate({"a": Symlink("b"), "b": Symlink("a")})
    with pytest.raises(OSError, match="a") as caught:
        resolved(temp_workspace / "a")
    assert caught.value.errno == errno.ELOOP


# text and bytes


@pytest.mark.parametrize("text", ["", "caffè\n", "one\r\ntwo\rthree\n", "\ufeffmark"])
def test_text_comes_back_as_it_was(temp_workspace, fake_env, text):
    fake_env.set("LC_ALL", "C")
    path = temp_workspace / "new" / "two words" / "file.txt"
    write_text(path, text)
    assert path.read_bytes() == text.encode()
    assert read_text(path) == text


def test_what_is_no_text_is_an_error(temp_workspace):
    temp_workspace.populate({"latin": b"caf\xe9"})
    with pytest.raises(UnicodeDecodeError, match="position 3"):
        read_text(temp_workspace / "latin")


def test_bytes_are_copied(temp_workspace):
    content = bytes(range(256)) + b"\r\n"
    temp_workspace.populate({"a": content, "b": "longer than nothing"})
    assert copy_bytes(temp_workspace / "a", temp_workspace / "b") == len(content)
    assert (temp_workspace / "b").read_bytes() == content


# directories


def test_only_missing_directories_are_made_and_told_inner_first(temp_workspace):
    temp_workspace.populate({"a": {}})
    a = temp_workspace / "a"
    assert make_directories(a / "b" / "c") == (a / "b" / "c", a / "b")
    assert make_directories(a / "b" / "c") == ()


def test_a_file_in_the_way_is_an_error_and_nothing_stays(temp_workspace):
    temp_workspace.populate({"a": {"file": "x"}})
    before = temp_workspace.snapshot()
    for path in ("a/file", "a/file/b", "a/file/b/c"):
        with pytest.raises((FileExistsError, NotADirectoryError), match="file"):
            make_directories(temp_workspace / path)
    assert not temp_workspace.diff(before)


def test_an_error_half_way_takes_back_what_was_made(temp_workspace, monkeypatch):
    before = temp_workspace.snapshot()
    mkdir = Path.mkdir

    def refuse_c(self) -> None:
        if self.name == "c":
            raise PermissionError(errno.EACCES, "refused", str(self))
        mkdir(self)

    monkeypatch.setattr(Path, "mkdir", refuse_c)
    with pytest.raises(PermissionError, match="refused"):
        make_directories(temp_workspace / "a" / "b" / "c")
    assert not temp_workspace.diff(before)


def test_a_directory_that_another_makes_first_is_not_ours(temp_workspace, monkeypatch):
    mkdir = Path.mkdir

    def come_second(self) -> None:
        if self.name == "theirs":
            mkdir(self)
        mkdir(self)

    monkeypatch.setattr(Path, "mkdir", come_second)
    assert make_directories(temp_workspace / "theirs" / "a") == (temp_workspace / "theirs" / "a",)


def test_for_a_block_there_are_directories_and_afterwards_none(temp_workspace):
    temp_workspace.populate({"a": {}})
    before = temp_workspace.snapshot()
    with directories_for_now(temp_workspace / "a" / "b" / "c") as path:
        assert path.is_dir()
    assert not temp_workspace.diff(before)
    with pytest.raises(KeyError), directories_for_now(temp_workspace / "a" / "b" / "c"):
        raise KeyError
    assert not temp_workspace.diff(before)


def test_directories_of_others_and_directories_in_use_stay(temp_workspace):
    temp_workspace.populate({"theirs": {}})
    with directories_for_now(temp_workspace / "theirs" / "ours" / "deep"):
        (temp_workspace / "theirs" / "ours" / "file").touch()
    assert list(temp_workspace.snapshot()) == ["theirs", "theirs/ours", "theirs/ours/file"]


def test_a_directory_that_is_gone_already_does_not_stop_the_clean_up(temp_workspace):
    made = make_directories(temp_workspace / "a" / "b")
    made[0].rmdir()
    remove_made(made)
    assert list(temp_workspace.snapshot()) == []

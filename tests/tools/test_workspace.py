"""A workspace is private, usable as a path, and gone at the end of its block."""

from __future__ import annotations

import configparser
import os
import pathlib
import stat
import subprocess
import sys

import pytest
from ordinary_user import ordinary_user
from pyfakefs.fake_filesystem_unittest import Patcher

from pytest_syskit.host.real import real
from pytest_syskit.tools.workspace.tree_cursor import TreeCursor
from pytest_syskit.tools.workspace.tree_not_removed import TreeNotRemoved
from pytest_syskit.tools.workspace.working_directory import working_directory
from pytest_syskit.tools.workspace.workspace import TempWorkspace
from pytest_syskit.tools.workspace.workspace_entries import Fifo, Symlink


def busy(cursor, name):
    raise OSError(16, "Device or resource busy")


def test_it_is_private_and_gone_afterwards():
    with TempWorkspace() as workspace:
        assert isinstance(workspace.path, pathlib.Path)
        assert stat.S_IMODE(workspace.path.stat().st_mode) == 0o700
        (workspace / "a").write_text("")
    assert not workspace.path.exists()


def test_it_is_a_path_for_everybody():
    with TempWorkspace() as workspace:
        assert workspace / "a" / "b" == workspace.path / "a/b"
        assert os.fspath(workspace) == str(workspace) == str(workspace.path)
        assert os.listdir(workspace) == []
        assert repr(workspace) == f"TempWorkspace({str(workspace.path)!r})"


def test_its_path_has_no_links(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with TempWorkspace(root=tmp_path / "link") as workspace, workspace.chdir():
        assert os.getcwd() == str(workspace)
        assert workspace.path.parent == tmp_path.resolve()


@pytest.mark.parametrize("as_root", [os.fspath, os.fsencode, pathlib.Path])
def test_the_root_may_be_text_bytes_or_path(tmp_path, as_root):
    with TempWorkspace(root=as_root(tmp_path)) as workspace:
        assert workspace.path.parent == tmp_path


@pytest.mark.parametrize(
    ("root", "why"), [("nowhere", "No such file or directory"), ("file", "Not a directory")]
)
def test_a_bad_root_is_named(tmp_path, root, why):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=f"cannot make a private directory in '.*/{root}': {why}"):
        TempWorkspace(root=tmp_path / root)


def test_two_workspaces_are_two_places(tmp_path):
    with TempWorkspace(root=tmp_path) as one, TempWorkspace(root=tmp_path) as two:
        assert one.path != two.path


def test_it_is_kept_when_asked(tmp_path):
    with TempWorkspace(root=tmp_path, keep=True) as workspace:
        pass
    with TempWorkspace(root=tmp_path) as decided_later:
        decided_later.keep = True
    assert workspace.path.exists()
    assert decided_later.path.exists()
    workspace.remove()
    workspace.remove()
    assert os.listdir(tmp_path) == [decided_later.path.name]


def test_removal_problems_are_errors_of_a_good_block(monkeypatch, tmp_path):
    with (
        pytest.raises(TreeNotRemoved, match="something is mounted here"),
        TempWorkspace(root=tmp_path),
    ):
        monkeypatch.setattr(TreeCursor, "rmdir", busy)


def test_removal_problems_never_hide_what_the_block_raised(monkeypatch, tmp_path):
    with pytest.raises(KeyError) as caught, TempWorkspace(root=tmp_path):
        monkeypatch.setattr(TreeCursor, "rmdir", busy)
        raise KeyError("the news")
    assert "1 entry stayed" in caught.value.__notes__[0]


def test_closed_trees_are_removed():
    with ordinary_user() as folder:
        with TempWorkspace(root=folder) as workspace:
            workspace.populate({"a/b/c": "x", "f": Fifo(), "out": Symlink("/")})
            for path in ("a/b", "a", "."):
                (workspace / path).chmod(0)
        assert os.listdir(folder) == []


def test_a_workspace_moved_or_removed_by_the_test_is_fine(tmp_path):
    with TempWorkspace(root=tmp_path) as workspace:
        workspace.path.rename(tmp_path / "moved")
    assert os.listdir(tmp_path) == ["moved"]


def test_a_workspace_replaced_by_a_link_loses_the_link_only(tmp_path):
    (tmp_path / "precious").mkdir()
    with TempWorkspace(root=tmp_path) as workspace:
        workspace.path.rmdir()
        workspace.path.symlink_to("precious")
    assert os.listdir(tmp_path) == ["precious"]


def test_a_working_directory_left_inside_does_not_vanish(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with TempWorkspace(root=tmp_path) as workspace:
        workspace.populate({"a": {}})
        os.chdir(workspace / "a")
    assert os.getcwd() == str(tmp_path.resolve())
    assert os.listdir(tmp_path) == []


def test_a_working_directory_outside_stays(tmp_path, monkeypatch):
    with TempWorkspace(root=tmp_path) as workspace:
        (tmp_path / f"{workspace.path.name}x").mkdir()
        monkeypatch.chdir(tmp_path / f"{workspace.path.name}x")
    assert os.path.basename(os.getcwd()) == f"{workspace.path.name}x"


def test_a_forked_child_leaves_it_to_the_parent():
    with TempWorkspace() as workspace:
        pid = os.fork()
        if pid == 0:
            try:
                workspace.__exit__(None, None, None)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
        assert workspace.path.exists()


def test_standard_is_what_a_small_program_needs():
    with TempWorkspace().standard() as workspace:
        assert sorted(os.listdir(workspace)) == ["config.ini", "input", "output", "temp"]
        config = configparser.ConfigParser()
        config.read(workspace.config, encoding="utf-8")
        places = {name: workspace.config.parent / path for name, path in config["paths"].items()}
        assert places == {
            "input": workspace.input,
            "output": workspace.output,
            "temp": workspace.temp,
        }
        assert all(place.is_dir() for place in places.values())
        assert config["settings"]["encoding"] == "utf-8"
        assert config.getboolean("settings", "dry_run") is False
        assert workspace.standard() is workspace


def test_a_difference_is_taken_against_now():
    with TempWorkspace().standard() as workspace:
        before = workspace.snapshot()
        assert not workspace.diff(before)
        (workspace.output / "result").write_text("42")
        assert workspace.diff(before).added == ("output/result",)


def test_chdir_goes_there_and_back():
    before = os.getcwd()
    with TempWorkspace().standard() as workspace:
        with workspace.chdir() as place:
            assert place == workspace.path
            assert subprocess.check_output(["ls"], text=True).split()[0] == "config.ini"
            with workspace.chdir("input") as inner:
                assert os.getcwd() == str(inner) == str(workspace.input)
            assert os.getcwd() == str(workspace)
        assert os.getcwd() == before


def test_chdir_comes_back_after_an_error_and_a_removal():
    before = os.getcwd()
    with TempWorkspace() as workspace:
        with pytest.raises(ZeroDivisionError), workspace.chdir():
            1 / 0  # noqa: B018
        assert os.getcwd() == before
        with workspace.chdir():
            workspace.path.rmdir()
        assert os.getcwd() == before


def test_chdir_to_nowhere_leaves_the_directory_as_it_was():
    before, descriptors = os.getcwd(), len(os.listdir("/dev/fd"))
    with TempWorkspace() as workspace, pytest.raises(FileNotFoundError), workspace.chdir("no"):
        pass
    assert os.getcwd() == before
    assert len(os.listdir("/dev/fd")) == descriptors


def test_chdir_works_from_a_removed_directory(tmp_path, monkeypatch):
    into_removed_directory(tmp_path, monkeypatch)
    identity = os.stat(".").st_ino
    with TempWorkspace() as workspace, workspace.chdir():
        assert os.getcwd() == str(workspace)
    assert os.stat(".").st_ino == identity


@pytest.fixture
def handles(monkeypatch):
    """Collect the descriptors that are opened for the way back."""
    opened = []

    def watch(*args, **kwargs):
        opened.append(os.open(*args, **kwargs))
        return opened[-1]

    monkeypatch.setattr(real, "open", watch)
    return opened


def test_chdir_comes_back_when_its_descriptor_was_closed(handles):
    before = os.getcwd()
    with working_directory("/"):
        os.close(handles[0])
    assert os.getcwd() == before


def test_a_number_used_again_is_neither_followed_nor_closed(handles):
    before = os.getcwd()
    with working_directory("/"):
        other = os.open("/", os.O_RDONLY)
        os.dup2(other, handles[0])
        os.close(other)
    assert os.getcwd() == before
    os.close(handles[0])


def test_a_way_back_that_is_lost_is_an_error(handles, tmp_path, monkeypatch):
    into_removed_directory(tmp_path, monkeypatch)
    with pytest.raises(OSError, match="cannot go back"), working_directory("/"):
        os.close(handles[0])


def test_a_way_back_that_is_lost_never_hides_what_the_block_raised(handles, tmp_path, monkeypatch):
    into_removed_directory(tmp_path, monkeypatch)
    with pytest.raises(KeyError) as caught, working_directory("/"):
        os.close(handles[0])
        raise KeyError("the news")
    assert "cannot go back" in caught.value.__notes__[0]


def into_removed_directory(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()


def test_a_fake_file_system_does_not_blind_it(tmp_path):
    with TempWorkspace(root=tmp_path) as workspace:
        before = workspace.snapshot()
        with Patcher():
            workspace.populate({"true": "file"})
            assert workspace.diff(before).added == ("true",)
            workspace.remove()
    assert os.listdir(tmp_path) == []


BARE_PLATFORM = """
import os, socket
for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY", "O_CLOEXEC", "O_NOCTTY", "O_PATH", "fork",
             "mkfifo", "fchdir", "fchmod", "geteuid"):
    if hasattr(os, name):
        delattr(os, name)
del socket.AF_UNIX
os.supports_dir_fd = set()

from pytest_syskit.tools.workspace.workspace import TempWorkspace
from pytest_syskit.tools.workspace.workspace_entries import Fifo, UnixSocket

with TempWorkspace().standard() as workspace:
    workspace.populate({"a/b": "text"})
    before = workspace.snapshot()
    (workspace / "a" / "b").write_text("longer text")
    assert str(workspace.diff(before)) == "changed  a/b  (content: 4 bytes, now 11 bytes)"
    with workspace.chdir("a"):
        assert os.listdir() == ["b"]
    for entry in (Fifo(), UnixSocket()):
        try:
            workspace.populate({"c": "", "d": entry})
        except NotImplementedError as error:
            assert "this platform has no" in str(error)
        else:
            raise AssertionError(entry)
    assert not (workspace / "c").exists()
assert not workspace.path.exists()
"""


def test_it_works_where_there_is_little_of_posix():
    done = subprocess.run(
        [sys.executable, "-c", BARE_PLATFORM], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

"""The space on a disk, and the program behind a name (exercise D13)."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from shutil_lookups import DiskSpace, disk_space, find_program, has_room

from pytest_syskit import Executable, File, Symlink

pytestmark = pytest.mark.posix_only


def test_the_space_is_that_of_the_file_system(temp_workspace, monkeypatch):
    usage = shutil.disk_usage(temp_workspace)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage if os.path.exists(path) else None)
    space = disk_space(temp_workspace)
    assert space == DiskSpace(usage.total, usage.used, usage.free)
    assert disk_space(temp_workspace / "not" / "there yet") == space


def test_free_is_what_an_ordinary_user_may_write(temp_workspace, monkeypatch):
    # units of 1 byte: 100 in all, 50 not in use, 30 of these for everybody
    found = os.statvfs_result((1, 1, 100, 50, 30, 9, 9, 9, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: found)
    assert disk_space(temp_workspace) == DiskSpace(total=100, used=50, free=30)


def test_room_is_asked_for_in_bytes(temp_workspace, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: (100, 40, 50))
    assert has_room(temp_workspace, 50)
    assert not has_room(temp_workspace, 51)


def test_a_relative_path_is_that_of_the_working_directory(temp_workspace):
    with temp_workspace.chdir():
        assert disk_space("new").total == disk_space(temp_workspace).total
        assert disk_space("").total == disk_space(temp_workspace).total


# which


def test_the_program_that_is_found_is_the_one_that_runs(fake_env):
    fake_env.stub_command("greet", stdout="hello\n")
    path = find_program("greet")
    assert path == str(fake_env.bin / "greet")
    done = subprocess.run(["greet"], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "hello\n"


def test_the_first_directory_wins(temp_workspace):
    temp_workspace.populate({"a": {"tool": Executable("")}, "b": {"tool": Executable("")}})
    a, b = str(temp_workspace / "a"), str(temp_workspace / "b")
    assert find_program("tool", f"{a}:{b}") == f"{a}/tool"
    assert find_program("tool", f"{b}:{a}") == f"{b}/tool"


def test_only_files_that_may_be_run_are_programs(temp_workspace):
    temp_workspace.populate(
        {"a": {"tool": File("", mode=0o644)}, "b": {"tool": {}}, "c": {"tool": Symlink("nowhere")},
         "d": {"tool": Executable("")}}
    )  # fmt: skip
    path = ":".join(str(temp_workspace / name) for name in "abcd")
    assert find_program("tool", path) == str(temp_workspace / "d" / "tool")


def test_nothing_is_found_by_relative_entries_or_here(temp_workspace, fake_env):
    temp_workspace.populate({"tool": Executable(""), "bin": {"tool": Executable("")}})
    with temp_workspace.chdir():
        assert shutil.which("tool", path="bin") == "bin/tool"  # the trap
        for path in ("bin", ".", "", ":", "./bin:bin"):
            assert find_program("tool", path) is None, path
        absolute = str(temp_workspace / "bin")
        assert find_program("tool", f".:bin:{absolute}") == f"{absolute}/tool"
        fake_env.set("PATH", "bin:.")
        assert find_program("tool") is None


def test_a_missing_program_is_none(fake_env):
    assert find_program("no-such-program") is None
    fake_env.unset("PATH")
    assert find_program("sh") in {"/bin/sh", "/usr/bin/sh"}  # the system's default path


@pytest.mark.parametrize("name", ["", "./tool", "/bin/sh", "a/b"])
def test_a_command_is_a_name_without_a_directory(name):
    with pytest.raises(ValueError, match="the name of a command is expected"):
        find_program(name)

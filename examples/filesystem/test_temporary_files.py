"""Temporary files go when they should, stay when they should, and lie where they should (D20)."""
# ruff: noqa: ANN202  # what is run in children

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile

import pytest
from secure_temporary import private_directory, private_file
from temporary_files import file_with, persistent_file, scratch_directory, temporary_files_in

from pytest_syskit import Exited, Raised, Returned, Symlink

pytestmark = pytest.mark.posix_only
WHERE = "import tempfile; print(tempfile.gettempdir())"


@pytest.fixture
def own_directory(temp_workspace):
    """A directory where all temporary files of the test go."""
    with temporary_files_in(temp_workspace):
        yield temp_workspace


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_another_program_sees_the_content_and_the_file_goes(own_directory, leak_check):
    script = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    with leak_check(), file_with(b"for you\n", suffix=".txt") as path:
        seen = subprocess.check_output([sys.executable, "-c", script, path])
        assert (path.suffix, mode(path)) == (".txt", 0o600)
    assert seen == b"for you\n"
    assert os.listdir(own_directory) == []


@pytest.mark.parametrize("block", [file_with, private_file], ids=["file_with", "private_file"])
def test_a_file_that_was_moved_or_removed_in_the_block_is_no_error(own_directory, block):
    with block(b"") if block is file_with else block() as given:
        path = given if block is file_with else given[0]
        path.unlink()
    assert os.listdir(own_directory) == []


@pytest.mark.parametrize(
    "block",
    [lambda: file_with(b"x"), private_file, scratch_directory, private_directory],
    ids=["file_with", "private_file", "scratch_directory", "private_directory"],
)
def test_no_block_leaves_anything_not_even_after_an_error(own_directory, leak_check, block):
    with leak_check(), block():
        assert len(os.listdir(own_directory)) == 1
    assert os.listdir(own_directory) == []
    with pytest.raises(ZeroDivisionError), block():
        _ = 1 / 0
    assert os.listdir(own_directory) == []


def test_a_persistent_file_stays_and_is_its_owners(own_directory, leak_check):
    with leak_check():
        path = persistent_file(b"later", suffix=".keep")
    assert (path.read_bytes(), path.suffix, mode(path)) == (b"later", ".keep", 0o600)
    assert path.parent == own_directory.path


def test_a_persistent_file_may_lie_elsewhere(own_directory, temp_workspace):
    temp_workspace.populate({"elsewhere": {}})
    assert persistent_file(b"", directory=temp_workspace / "elsewhere").parent.name == "elsewhere"


def _write_too_much(directory, size):
    persistent_file(bytes(size), directory=directory)


@pytest.mark.parametrize("size", [100, 100_000])  # one waits in a buffer, one goes out at once
def test_a_persistent_file_that_cannot_be_written_is_not_left_behind(
    temp_workspace, fork_runner, size
):
    result = fork_runner.run(_write_too_much, temp_workspace.path, size, limits={"fsize": 50})
    assert isinstance(result, Raised)
    assert isinstance(result.error, OSError)
    assert os.listdir(temp_workspace) == []


def _exit_inside(block):
    with block():
        sys.exit(3)


@pytest.mark.parametrize("block", [scratch_directory, private_directory, private_file])
def test_blocks_clean_up_when_the_program_exits(own_directory, fork_runner, block):
    assert fork_runner.run(_exit_inside, block) == Exited(3)
    assert os.listdir(own_directory) == []


def test_a_scratch_directory_goes_with_its_content_but_not_with_what_links_lead_to(temp_workspace):
    temp_workspace.populate({"precious": {"x": "keep"}})
    with scratch_directory(temp_workspace) as scratch:
        assert (mode(scratch), scratch.parent) == (0o700, temp_workspace.path)
        (scratch / "sub" / "deep").mkdir(parents=True)
        (scratch / "sub" / "link").symlink_to(temp_workspace / "precious")
        (scratch / "shut").mkdir(mode=0)
    assert os.listdir(temp_workspace) == ["precious"]
    assert (temp_workspace / "precious" / "x").read_text() == "keep"


def test_a_directory_of_ones_own_holds_here_and_for_children(temp_workspace):
    with temporary_files_in(temp_workspace):
        assert tempfile.gettempdir() == str(temp_workspace)
        seen = subprocess.check_output([sys.executable, "-c", WHERE], text=True)
    assert seen.strip() == str(temp_workspace)


def test_everything_is_as_before_after_the_block_and_after_an_error(temp_workspace, fake_env):
    fake_env.unset("TEMP")
    fake_env.set("TMP", "something")
    before = (tempfile.tempdir, tempfile.gettempdir(), dict(os.environ))
    with temporary_files_in(temp_workspace):
        assert tempfile.gettempdir() == str(temp_workspace)
    with pytest.raises(ZeroDivisionError), temporary_files_in(temp_workspace):
        _ = 1 / 0
    assert (before[1], before[2]) == (tempfile.gettempdir(), dict(os.environ))


@pytest.mark.parametrize("remembered", [None, "/somewhere"])
def test_what_tempfile_remembered_is_restored_known_or_not(temp_workspace, monkeypatch, remembered):
    monkeypatch.setattr(tempfile, "tempdir", remembered)
    with temporary_files_in(temp_workspace):
        pass
    assert tempfile.tempdir == remembered


def test_blocks_nest_and_a_relative_directory_stays_the_same_one(temp_workspace):
    temp_workspace.populate({"a": {"b": {}}, "link": Symlink("a")})
    with temp_workspace.chdir(), temporary_files_in("link"):
        with temporary_files_in("a/b"), temp_workspace.chdir("a"):
            assert tempfile.gettempdir() == str(temp_workspace / "a" / "b")
        assert tempfile.gettempdir() == str(temp_workspace / "a")


def test_a_directory_that_is_none_is_refused_and_nothing_changes(temp_workspace, fake_env):
    temp_workspace.populate({"file": ""})
    before = dict(os.environ)
    for name in ("missing", "file"):
        block = temporary_files_in(temp_workspace / name)
        with pytest.raises(NotADirectoryError, match=f"{name}' is no directory for t"), block:
            pytest.fail("the block was entered")
    assert dict(os.environ) == before


def _ask_twice():
    tempfile.tempdir = None  # as in a new process
    first = tempfile.gettempdir()
    os.environ["TMPDIR"] = "/"
    return first, tempfile.gettempdir()


def test_tempfile_asks_the_environment_once_so_a_variable_alone_is_not_enough(
    fake_env, fork_runner
):
    assert fork_runner.run(_ask_twice) == Returned((fake_env["TMPDIR"],) * 2)

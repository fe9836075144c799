"""Rights, facts and the execute bit are those of the file system, to the letter."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from toggle_permission import Access, access, describe, main, octal_mode, toggle_execute

from pytest_syskit import Executable, File, Symlink

pytestmark = pytest.mark.posix_only(reason="modes are those of POSIX")

SCRIPT = Path(__file__).with_name("toggle_permission.py")


def _mode(path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_plain_file_may_be_read_and_written_and_not_run(temp_workspace):
    temp_workspace.populate({"plain": "text", "program": Executable("exit 0")})
    assert access(temp_workspace / "plain") == Access(True, True, True, False)
    assert access(temp_workspace / "program") == Access(True, True, True, True)
    assert access(temp_workspace / "missing") == Access(False, False, False, False)


@pytest.mark.requires("dac")
def test_the_rights_are_those_of_the_mode(temp_workspace):
    temp_workspace.populate({"closed": File("x", mode=0), "seen": File("x", mode=0o400)})
    assert access(temp_workspace / "closed") == Access(True, False, False, False)
    assert access(temp_workspace / "seen") == Access(True, True, False, False)


@pytest.mark.requires_root
def test_root_reads_and_writes_anything_and_runs_what_somebody_may_run(temp_workspace):
    temp_workspace.populate({"closed": File("x", mode=0), "others": File("x", mode=0o001)})
    assert access(temp_workspace / "closed") == Access(True, True, True, False)
    assert access(temp_workspace / "others").executable


def test_access_is_shown_as_documented():
    assert str(Access(True, True, True, False)) == (
        "Exists: True\nReadable: True\nWritable: True\nExecutable: False"
    )


def test_the_facts_are_shown_as_documented(temp_workspace):
    moment = 1_000_000_000
    temp_workspace.populate({"f": File("x" * 1547, mode=0o644, mtime=moment)})
    path = temp_workspace / "f"
    assert describe(path) == (
        "Size: 1547\n"
        "Permissions: 0100644\n"
        f"Owner: {os.geteuid()}\n"
        f"Device: {path.stat().st_dev}\n"
        f"Last modified: {time.ctime(moment)}"
    )


@pytest.mark.parametrize(
    ("mode", "text"),
    [(0o100644, "0100644"), (0o120777, "0120777"), (0o040755, "040755"), (0o104755, "0104755")],
)
def test_modes_are_written_in_octal_with_a_leading_zero(mode, text):
    assert octal_mode(mode) == text


def test_the_bit_is_added_then_removed_and_the_rest_stays(temp_workspace):
    temp_workspace.populate({"f": File("x", mode=0o640)})
    path = temp_workspace / "f"
    assert toggle_execute(path) == "Adding execute permission"
    assert _mode(path) == 0o740
    assert toggle_execute(path) == "Removing execute permission"
    assert _mode(path) == 0o640


@pytest.mark.parametrize("mode", [0o4644, 0o1755, 0o655, 0o000])
def test_twice_is_as_before_with_every_other_bit(temp_workspace, mode):
    temp_workspace.populate({"f": File("x", mode=mode)})
    before = temp_workspace.snapshot()
    toggle_execute(temp_workspace / "f")
    assert _mode(temp_workspace / "f") == mode ^ 0o100
    toggle_execute(temp_workspace / "f")
    assert not temp_workspace.diff(before)


def test_a_link_passes_the_change_on(temp_workspace):
    temp_workspace.populate({"f": File("x", mode=0o644), "link": Symlink("f")})
    toggle_execute(temp_workspace / "link")
    assert _mode(temp_workspace / "f") == 0o744
    assert (temp_workspace / "link").is_symlink()


def test_the_script_adds_then_removes(temp_workspace, capsys):
    temp_workspace.populate({"a b\n": "x"})
    path = str(temp_workspace / "a b\n")
    for verb in ("Adding", "Removing"):
        assert main(["--toggle", path]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == f"{verb} execute permission"
    before = temp_workspace.snapshot()
    assert main([path]) == 0
    assert not temp_workspace.diff(before)


def _run(*arguments: str | Path) -> tuple[int, str, str]:
    command = [sys.executable, SCRIPT, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_missing_file_is_an_error_on_stderr(temp_workspace):
    status, out, err = _run("--toggle", temp_workspace / "missing")
    assert (status, out.splitlines()[:1]) == (1, ["Exists: False"])
    assert err == (
        f"toggle_permission: {str(temp_workspace / 'missing')!r}: No such file or directory\n"
    )


def test_a_file_of_somebody_else_is_an_error(fork_runner, temp_workspace):
    ordinary = {"user": "nobody"} if os.geteuid() == 0 else {}
    result = fork_runner.run(toggle_execute, "/", **ordinary)  # root's on every system
    with pytest.raises(PermissionError):
        result.unwrap()


def test_help_and_usage():
    status, out, _ = _run("--help")
    assert (status, out.startswith("usage: toggle_permission")) == (0, True)
    status, _, err = _run()
    assert (status, "required: path" in err) == (2, True)

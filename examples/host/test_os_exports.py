"""Each export does what its line says, and none leaves anything behind (exercise C15)."""

from __future__ import annotations

import os
import subprocess
import sys

import os_exports as module
import pytest
from os_exports import EXPORTS

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork", "mkfifo")]

NAMES = [
    *("environ", "fork", "pipe", "execlp", "spawnv", "open"),
    *("mkdir", "mkfifo", "stat", "remove", "walk"),
]


@pytest.fixture
def show(fork_runner, temp_workspace):
    """Run a line in a child, see that nothing is left behind, and return what it gives."""

    def run(name) -> object:
        result = fork_runner.run(EXPORTS[name], str(temp_workspace.path))
        assert result.leaks == ()
        return result.unwrap()

    return run


def test_all_exports_of_the_exercise_are_there():
    assert list(EXPORTS) == NAMES
    assert all(hasattr(os, name) for name in NAMES)


def test_environ_is_the_environment(fake_env, show):
    fake_env.set("PATH", "/some/where")
    assert show("environ") == "/some/where"
    fake_env.unset("PATH")
    assert show("environ") is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("fork", 7), ("pipe", b"spam"), ("execlp", 5), ("spawnv", 6)],
)
def test_processes_end_with_the_status_they_should_and_pipes_pass_on(show, name, value):
    assert show(name) == value


def test_a_child_whose_exec_fails_ends_with_127(show, fake_env, temp_workspace):
    fake_env.set("PATH", str(temp_workspace.path))  # where there is no sh
    assert show("execlp") == 127


@pytest.mark.parametrize(
    ("name", "value", "made"),
    [
        ("open", "0 bytes", "opened"),
        ("mkdir", True, "made"),
        ("mkfifo", True, "fifo"),
        ("remove", True, None),
    ],
)
def test_entries_are_made_and_removed(show, temp_workspace, name, value, made):
    assert show(name) == value
    assert os.listdir(temp_workspace.path) == ([made] if made else [])


@pytest.mark.parametrize("name", ["open", "mkdir", "mkfifo"])
def test_what_is_there_already_is_not_overwritten(show, name):
    show(name)
    with pytest.raises(FileExistsError):
        show(name)


def test_stat_tells_kind_and_permissions(show, temp_workspace):
    os.chmod(temp_workspace.path, 0o750)
    assert show("stat") == "drwxr-x---"


def test_walk_finds_every_name_below(show, temp_workspace):
    temp_workspace.populate({"b": {"c": {}, "a": "text"}, "z": ""})
    assert show("walk") == ["a", "b", "c", "z"]


def test_the_script_shows_a_line_for_each(fake_env):
    done = subprocess.run(
        [sys.executable, module.__file__], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == [f"os.{n}" for n in NAMES]
    assert done.stdout.endswith("os.walk: ['fifo', 'made', 'opened']\n")
    assert os.listdir(fake_env["TMPDIR"]) == []

"""A change goes down to children and never up to the shell; nothing missing is an error (C3)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest
import shell_variables as module
from shell_variables import main, temporary_directory, user_name, variable_names


def run(*arguments: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, module.__file__, *arguments],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def test_all_names_are_there_and_sorted(fake_env):
    fake_env.set("ZEBRA", "striped")
    fake_env.set("APE", "")
    names = variable_names()
    assert names == sorted(names) == sorted(os.environ)
    assert {"APE", "ZEBRA"} < set(names)


def test_a_change_is_seen_here_and_in_children(fake_env):
    shown = run("SPAM", "new value")
    assert shown["SPAM before"] == "None"
    assert shown["SPAM here"] == shown["SPAM in a child"] == "new value"


@pytest.mark.posix_only(reason="asks a shell")
def test_a_change_is_not_seen_by_the_shell_that_started_us(fake_env):
    fake_env.set("SPAM", "old")
    line = '"$0" "$1" SPAM new; echo "SPAM in the shell: $SPAM"'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable, module.__file__],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-4:] == [
        "SPAM before: old",
        "SPAM here: new",
        "SPAM in a child: new",
        "SPAM in the shell: old",
    ]


def test_a_change_does_not_outlive_the_function(fake_env, capsys):
    fake_env.set("SPAM", "old")
    assert main(["SPAM", "new"]) == 0
    assert os.environ["SPAM"] == "old"
    assert "SPAM in a child: new\n" in capsys.readouterr().out


@pytest.mark.posix_only(reason="asks the list of users")
def test_without_user_and_tmpdir_the_system_is_asked(fake_env):
    import pwd  # noqa: PLC0415  # behind the marker

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "TMPDIR"):
        fake_env.unset(name)
    shown = run()
    try:
        expected = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a user without a name, as in some containers
        expected = str(os.getuid())
    assert shown["user"] == expected
    assert os.path.isdir(shown["temporary files"])


@pytest.mark.posix_only(reason="becomes another user")
@pytest.mark.requires("fork")
@pytest.mark.requires_root(reason="becomes a user that has no name")
def test_a_user_without_a_name_is_a_number(fork_runner, fake_env):
    def name_of_nobody_known() -> str:
        os.setresuid(54_321, 54_321, 54_321)
        return user_name()

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        fake_env.unset(name)
    assert fork_runner.run(name_of_nobody_known).unwrap() == "54321"


def test_a_user_or_tmpdir_that_is_set_is_taken(fake_env, temp_workspace):
    fake_env.set("LOGNAME", "brian")
    fake_env.set("TMPDIR", str(temp_workspace.path))
    assert user_name() == "brian"
    assert temporary_directory() == str(temp_workspace.path)


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_tmpdir_is_none(fake_env, monkeypatch, value):
    fake_env.unset("TMPDIR") if value is None else fake_env.set("TMPDIR", value)
    monkeypatch.setattr(tempfile, "tempdir", "/of/the/system")
    assert temporary_directory() == "/of/the/system"


@pytest.mark.posix_only(reason="values are bytes")
def test_a_value_that_is_no_text_can_be_shown(fake_env):
    fake_env.set("SPAM", "caf\udce9")
    shown = run("SPAM", "th\udce9")
    assert (shown["SPAM before"], shown["SPAM in a child"]) == ("caf\\xe9", "th\\xe9")


@pytest.mark.parametrize("name", ["", "A=B"])
def test_what_is_no_name_is_status_2(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "value"])
    assert ended.value.code == 2
    assert f"shell_variables: error: {name!r} cannot be the name" in capsys.readouterr().err

"""A child sees the value, then the new one, then nothing; and all is restored."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from environment_for_children import value_in_child, variable

SCRIPT = Path(__file__).with_name("environment_for_children.py")


def test_the_script_prints_the_documented_output(fake_env, process_factory):
    program = process_factory([sys.executable, SCRIPT])
    assert program.wait(timeout=30) == 0
    assert program.stdout == (
        "Initial value: None\n"
        "Child process:\n"
        "\n"
        "\n"
        "Changed value: THIS VALUE WAS CHANGED\n"
        "Child process:\n"
        "THIS VALUE WAS CHANGED\n"
        "\n"
        "Removed value: None\n"
        "Child process:\n"
        "\n"
    )


def test_a_child_sees_the_value_and_nothing_after_its_removal(fake_env):
    assert value_in_child("TESTVAR") is None
    with variable("TESTVAR", "set"):
        assert value_in_child("TESTVAR") == "set"
        with variable("TESTVAR", None):
            assert value_in_child("TESTVAR") is None
        assert value_in_child("TESTVAR") == "set"
    assert value_in_child("TESTVAR") is None


def test_an_empty_value_is_not_a_removed_one(fake_env):
    with variable("TESTVAR", ""):
        assert value_in_child("TESTVAR") == ""


@pytest.mark.posix_only(reason="values are bytes")
@pytest.mark.parametrize("value", ["two\nlines", " spaces ", "caf\udce9", "$HOME"])
def test_a_value_arrives_byte_for_byte(fake_env, value):
    with variable("TESTVAR", value):
        assert value_in_child("TESTVAR") == value


@pytest.mark.parametrize("before", [None, "before"])
def test_the_value_of_before_comes_back_after_an_error(fake_env, before):
    with variable("TESTVAR", before):
        with pytest.raises(KeyError), variable("TESTVAR", "changed"):
            raise KeyError
        assert os.environ.get("TESTVAR") == before


def test_a_value_for_one_child_leaves_this_process_alone(fake_env):
    for_child = {**os.environ, "TESTVAR": "for the child"}
    assert value_in_child("TESTVAR", env=for_child) == "for the child"
    assert "TESTVAR" not in os.environ


@pytest.mark.posix_only(reason="forks")
@pytest.mark.requires("fork")
def test_putenv_is_seen_by_children_only(fork_runner, fake_env):
    def put_behind_the_back() -> tuple[str | None, str | None]:
        os.putenv("TESTVAR", "put")  # a process that ends anyway may do so
        return os.environ.get("TESTVAR"), value_in_child("TESTVAR")

    assert fork_runner.run(put_behind_the_back).unwrap() == (None, "put")


def test_a_child_that_fails_is_an_error_and_no_missing_value(fake_env, monkeypatch):
    monkeypatch.setattr("environment_for_children._TELL", "import sys; sys.exit(3)")
    with pytest.raises(subprocess.CalledProcessError, match="exit status 3"):
        value_in_child("TESTVAR")


def test_a_name_that_no_environment_can_hold_is_refused(fake_env):
    with pytest.raises((ValueError, OSError)), variable("A=B", "value"):
        pytest.fail("entered the block")

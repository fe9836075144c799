"""Asking is right at the moment of asking, and only then (exercise A11)."""
# ruff: noqa: ANN202  # what is run in children returns what the test compares

from __future__ import annotations

import os

import pytest
from access_checks import Access, may, read_if_allowed, read_if_allowed_racy

from pytest_syskit import Returned, Symlink

pytestmark = pytest.mark.posix_only
ALL, NONE = Access(True, True, True, True), Access(False, False, False, False)


def test_nothing_may_be_done_with_what_is_not_there(temp_workspace):
    temp_workspace.populate({"dangling": Symlink("nowhere")})
    assert may(temp_workspace / "missing") == NONE
    assert may(temp_workspace / "dangling") == NONE


@pytest.mark.parametrize(
    ("mode", "read", "write", "execute"),
    [(0o400, True, False, False), (0o200, False, True, False), (0o100, False, False, True),
     (0o000, False, False, False), (0o077, False, False, False)],
)  # fmt: skip
@pytest.mark.requires("dac")
def test_the_answers_are_those_of_the_owners_bits(temp_workspace, mode, read, write, execute):
    temp_workspace.populate({"f": "x"})
    (temp_workspace / "f").chmod(mode)
    assert may(temp_workspace / "f") == Access(exists=True, read=read, write=write, execute=execute)


@pytest.mark.requires_root
def test_root_may_read_and_write_anything_but_run_what_somebody_may_run(temp_workspace):
    temp_workspace.populate({"f": "x"})
    (temp_workspace / "f").chmod(0)
    assert may(temp_workspace / "f") == Access(exists=True, read=True, write=True, execute=False)
    (temp_workspace / "f").chmod(0o001)
    assert may(temp_workspace / "f") == ALL


def _ask_as_a_set_uid_program(path):
    os.seteuid(65534)
    return may(path).read, may(path, effective=True).read, read_if_allowed(path)


@pytest.mark.requires_root
def test_the_real_user_and_the_effective_one_have_different_answers(short_socket_dir, fork_runner):
    path = short_socket_dir / "f"
    path.write_bytes(b"secret")
    path.chmod(0o600)
    short_socket_dir.chmod(0o755)
    result = fork_runner.run(_ask_as_a_set_uid_program, path)
    assert result == Returned((True, False, None))  # root, who asks, may; who opens may not


def test_without_a_race_the_version_that_asks_first_is_right(temp_workspace):
    temp_workspace.populate({"f": "x"})
    assert read_if_allowed_racy(temp_workspace / "f") == b"x"
    assert read_if_allowed_racy(temp_workspace / "missing") is None


def test_the_version_that_asks_first_loses_the_race_against_a_removal(temp_workspace):
    temp_workspace.populate({"f": "x"})
    with pytest.raises(FileNotFoundError, match="f"):
        read_if_allowed_racy(temp_workspace / "f", (temp_workspace / "f").unlink)


def test_the_version_that_asks_first_can_be_led_to_another_file(temp_workspace):
    temp_workspace.populate({"f": "harmless", "secret": "secret"})

    def swap():
        temp_workspace.populate({"f": Symlink("secret")})

    assert read_if_allowed_racy(temp_workspace / "f", swap) == b"secret"


def test_the_version_that_opens_cannot_lose(temp_workspace, monkeypatch):
    temp_workspace.populate({"f": "x"})
    assert read_if_allowed(temp_workspace / "f") == b"x"
    (temp_workspace / "f").unlink()
    assert read_if_allowed(temp_workspace / "f") is None
    monkeypatch.setattr(os, "access", lambda *_: pytest.fail("it asked first"))
    assert read_if_allowed(temp_workspace / "f") is None


def test_other_errors_are_no_refusals(temp_workspace):
    with pytest.raises(IsADirectoryError, match="syskit-"):
        read_if_allowed(temp_workspace)


@pytest.mark.requires("dac")
def test_a_refusal_is_none(temp_workspace):
    temp_workspace.populate({"f": "x"})
    (temp_workspace / "f").chmod(0)
    assert read_if_allowed(temp_workspace / "f") is None
    assert read_if_allowed_racy(temp_workspace / "f") is None

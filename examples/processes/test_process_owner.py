"""The owner changes for good, group first; whoever may not is told so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]

from process_owner import (  # noqa: E402  # behind the marker: Windows has no pwd
    ProcessOwner,
    change_group,
    change_owner,
    change_user,
    process_owner,
    prove_no_return,
    show_change,
)

SCRIPT = Path(__file__).with_name("process_owner.py")
SOMEBODY, SOME_GROUP = 54321, 54322  # ids need no account
ORDINARY = {"user": "nobody"} if os.geteuid() == 0 else {}


def test_the_report_names_every_id():
    owner = ProcessOwner(1, 2, 3, 4, (5, 6))
    labels = [line.split(":")[0].strip() for line in str(owner).splitlines()]
    assert labels == [
        "Effective User",
        "Effective Group",
        "Actual User",
        "Actual Group",
        "Actual Groups",
    ]
    assert str(owner).endswith("[5, 6]")


def test_a_user_without_an_account_is_shown_by_number():
    assert f"Effective User  : {SOMEBODY}\n" in str(ProcessOwner(SOMEBODY, 2, 3, 4, ()))


def test_the_owner_of_this_process_is_what_the_system_says():
    owner = process_owner()
    assert (owner.actual_user, owner.actual_group) == (os.getuid(), os.getgid())
    assert owner.groups == tuple(sorted(os.getgroups()))


def test_an_ordinary_user_cannot_change_the_group(fork_runner):
    result = fork_runner.run(change_group, SOME_GROUP, **ORDINARY)
    with pytest.raises(PermissionError, match="could not change effective group, re-run as root"):
        result.unwrap()


def test_an_ordinary_user_cannot_change_the_user(fork_runner):
    result = fork_runner.run(change_user, SOMEBODY, **ORDINARY)
    with pytest.raises(PermissionError, match="could not change effective user, re-run as root"):
        result.unwrap()


def _changed(user, group) -> ProcessOwner:
    change_owner(user, group)
    return process_owner()


@pytest.mark.requires_root
def test_root_changes_every_id_and_drops_the_supplementary_groups(fork_runner):
    def from_many_groups() -> ProcessOwner:
        os.setgroups([0, 4, 27])
        return _changed(SOMEBODY, SOME_GROUP)

    owner = fork_runner.run(from_many_groups).unwrap()
    assert owner == ProcessOwner(SOMEBODY, SOME_GROUP, SOMEBODY, SOME_GROUP, (SOME_GROUP,))
    assert os.geteuid() == 0  # this process is another


@pytest.mark.requires_root
def test_the_reverse_order_fails(fork_runner):
    def user_first() -> None:
        change_user(SOMEBODY)
        change_group(SOME_GROUP)

    with pytest.raises(PermissionError, match="could not change effective group"):
        fork_runner.run(user_first).unwrap()


def _ways_back() -> list[str]:
    ways = {
        "setresuid": lambda: os.setresuid(0, 0, 0),
        "setresuid of the effective user": lambda: os.setresuid(-1, 0, -1),
        "setresgid": lambda: os.setresgid(0, 0, 0),
        "setgroups": lambda: os.setgroups([0]),
    }
    return [name for name, way in ways.items() if _works(way)]


def _works(way) -> bool:
    try:
        way()
    except PermissionError:
        return False
    return True


@pytest.mark.requires_root
@pytest.mark.linux_only(reason="setresuid")
def test_there_is_no_way_back(fork_runner):
    def change_and_try() -> list[str]:
        change_owner(SOMEBODY, SOME_GROUP)
        return _ways_back()

    assert fork_runner.run(change_and_try).unwrap() == []


@pytest.mark.requires_root
def test_a_change_of_the_effective_user_alone_is_seen_to_be_reversible(fork_runner):
    def half_a_change() -> None:
        before = process_owner()
        os.seteuid(SOMEBODY)
        prove_no_return(before)

    with pytest.raises(RuntimeError, match=r"set(e)?uid\(0\) took back the change of owner"):
        fork_runner.run(half_a_change).unwrap()


@pytest.mark.requires_root
def test_a_group_that_is_changed_for_the_moment_only_is_seen_too(fork_runner):
    def half_a_change() -> None:
        before = process_owner()
        os.setegid(SOME_GROUP)
        change_user(SOMEBODY)
        prove_no_return(before)

    with pytest.raises(RuntimeError, match=r"set(e)?gid\(0\) took back the change of owner"):
        fork_runner.run(half_a_change).unwrap()


def test_who_was_not_changed_needs_no_way_back(fork_runner):
    result = fork_runner.run(lambda: prove_no_return(process_owner()), **ORDINARY)
    assert result.unwrap() is None


@pytest.mark.requires_root
def test_without_setresuid_the_superuser_changes_all_ids_as_well(fork_runner, monkeypatch):
    monkeypatch.delattr(os, "setresuid", raising=False)
    monkeypatch.delattr(os, "setresgid", raising=False)
    owner = fork_runner.run(_changed, SOMEBODY, SOME_GROUP).unwrap()
    assert owner == ProcessOwner(SOMEBODY, SOME_GROUP, SOMEBODY, SOME_GROUP, (SOME_GROUP,))


@pytest.mark.requires_root
def test_a_change_that_turns_out_reversible_is_an_error(fork_runner, monkeypatch):
    monkeypatch.setattr("process_owner._set_all", _set_effective)
    for change in (change_owner, show_change):
        result = fork_runner.run(change, SOMEBODY, SOME_GROUP)
        with pytest.raises(RuntimeError, match="took back the change of owner"):
            result.unwrap()


def _set_effective(kind, number) -> None:
    getattr(os, f"sete{kind}")(number)


def _run(user) -> tuple[int, str, str]:
    command = [sys.executable, os.fspath(SCRIPT), user]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.requires_root
def test_the_script_shows_three_owners_as_root():
    status, out, err = _run("nobody")
    assert (status, err) == (0, "")
    headings = [line for line in out.splitlines() if line.isupper() or line.endswith("E:")]
    assert headings == ["BEFORE CHANGE:", "CHANGED GROUP:", "CHANGED OWNER:"]
    assert out.split("CHANGED OWNER:")[1].count("(nobody)") == 2


@pytest.mark.requires("nonroot")
def test_the_script_says_how_it_would_work():
    status, out, err = _run("nobody")
    assert status == 1
    assert out.startswith("BEFORE CHANGE:\nEffective User")
    assert err == "process_owner: could not change effective group, re-run as root\n"


def test_the_steps_shown_to_an_ordinary_user_end_with_the_advice(fork_runner):
    result = fork_runner.run(show_change, SOMEBODY, SOME_GROUP, **ORDINARY)
    assert result.unwrap() == 1
    assert result.stdout.startswith("BEFORE CHANGE:\n")
    assert "CHANGED" not in result.stdout
    assert result.stderr == "process_owner: could not change effective group, re-run as root\n"


def test_an_unknown_user_is_a_usage_error():
    status, out, err = _run("no such user")
    assert (status, out) == (2, "")
    assert "process_owner: error: no such user: 'no such user'" in err

"""Becoming another user: all of it, for good, or not at all."""

from __future__ import annotations

import grp
import os
import pwd

import pytest

from pytest_syskit.host.processes import privileges
from pytest_syskit.tools.forking.fork_results import Returned
from pytest_syskit.tools.forking.fork_runner import run_in_fork

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser becomes another user")
NOBODY = pwd.getpwnam("nobody")


def facts():
    return {
        "uids": os.getresuid(),
        "gids": os.getresgid(),
        "groups": sorted(os.getgroups()),
        "variables": {name: os.environ.get(name) for name in ("HOME", "USER", "LOGNAME")},
    }


@as_root
@pytest.mark.parametrize("user", ["nobody", NOBODY.pw_uid])
def test_the_child_becomes_the_user_with_all_that_belongs_to_it(user):
    found = run_in_fork(facts, user=user).unwrap()
    assert found == {
        "uids": (NOBODY.pw_uid,) * 3,
        "gids": (NOBODY.pw_gid,) * 3,
        "groups": sorted(set(os.getgrouplist("nobody", NOBODY.pw_gid))),
        "variables": {"HOME": NOBODY.pw_dir, "USER": "nobody", "LOGNAME": "nobody"},
    }


@as_root
def test_groups_of_the_superuser_are_dropped():
    def become_with_groups():
        os.setgroups([0, grp.getgrgid(1).gr_gid])
        privileges.become(privileges.look_up("nobody"))
        return 0 in os.getgroups()

    assert run_in_fork(become_with_groups) == Returned(False)


@as_root
@pytest.mark.parametrize(
    "way_back",
    [
        lambda: os.setresuid(0, 0, 0),
        lambda: os.seteuid(0),
        lambda: os.setresgid(0, 0, 0),
        lambda: os.setgroups([0]),
        lambda: os.setuid(0),
    ],
)
def test_there_is_no_way_back(way_back):
    assert type(run_in_fork(way_back, user="nobody").error) is PermissionError


@as_root
def test_files_of_the_superuser_are_closed_to_it(tmp_path):
    secret = tmp_path / "secret"
    secret.touch(0o600)
    assert type(run_in_fork(open, secret, user="nobody").error) is PermissionError


@as_root
def test_output_result_and_leaks_arrive_from_another_user():
    def speak():
        print("hello")  # noqa: T201  # its way to the parent is the point
        return os.dup(0)

    result = run_in_fork(speak, user="nobody")
    assert (result, result.stdout) == (Returned(result.value), "hello\n")
    assert [leak.fd for leak in result.leaks] == [result.value]


@as_root
def test_variables_of_the_user_win_over_a_replaced_environment():
    environment = run_in_fork(lambda: dict(os.environ), user="nobody", env={"HOME": "/", "A": "1"})
    assert environment == Returned(
        {"A": "1", "HOME": NOBODY.pw_dir, "USER": "nobody", "LOGNAME": "nobody"}
    )


@as_root
def test_root_may_stay_root():
    assert run_in_fork(os.getuid, user="root") == Returned(0)


@as_root
def test_an_open_way_back_runs_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(privileges, "_can_return", lambda: True)
    with pytest.raises(
        RuntimeError, match="became 'nobody' but could return to root; nothing was run"
    ):
        run_in_fork((tmp_path / "ran").touch, user="nobody")
    assert not (tmp_path / "ran").exists()


@as_root
def test_an_ordinary_user_is_told_why_it_cannot():
    def try_it():
        run_in_fork(int, user="root")

    error = run_in_fork(try_it, user="nobody").error
    assert type(error) is PermissionError
    assert "user='root': only the superuser may become another user" in str(error)
    assert f"runs as user id {NOBODY.pw_uid}" in str(error)


@pytest.mark.skipif(os.geteuid() == 0, reason="about ordinary users")
def test_this_ordinary_user_is_told_why_it_cannot():
    with pytest.raises(PermissionError, match="only the superuser may become another user"):
        run_in_fork(int, user="root")


def test_an_unknown_name_is_named():
    with pytest.raises(LookupError, match=r"user='nobody-at-all': .* no user of that name"):
        run_in_fork(int, user="nobody-at-all")


@pytest.mark.parametrize("number", [987654, -5, 1 << 70])
def test_an_unknown_number_is_named(number):
    with pytest.raises(LookupError, match=f"user={number}: .* no user of that number"):
        run_in_fork(int, user=number)


@pytest.mark.parametrize("user", [1.5, True, b"root"])
def test_what_is_no_user_is_refused(user):
    with pytest.raises(TypeError, match="a user is a name or a number, not"):
        run_in_fork(int, user=user)

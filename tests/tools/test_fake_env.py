"""A hermetic environment: known inside, gone without a trace outside."""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pytest_syskit.tools.environment import hermetic_environment
from pytest_syskit.tools.environment.fake_env import FakeEnv

PRINT_ENV = "import os, sys; sys.stdout.write(repr(dict(os.environb)))"


def child_environment() -> dict[bytes, bytes]:
    """What a child sees that is given no environment: the C level's."""
    command = [sys.executable, "-IS", "-c", PRINT_ENV]
    return eval(subprocess.run(command, capture_output=True, check=True).stdout)


def c_getenv(name: str) -> bytes | None:
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_char_p
    return getenv(name.encode())


@pytest.fixture(autouse=True)
def exact_afterwards():
    """No test here may leave the environment changed, PYTEST_CURRENT_TEST aside."""
    before, environ, tempdir, zone = dict(os.environ), os.environ, tempfile.tempdir, time.tzname
    yield
    assert os.environ is environ
    assert dict(os.environ, PYTEST_CURRENT_TEST="") == dict(before, PYTEST_CURRENT_TEST="")
    assert tempfile.tempdir == tempdir
    assert time.tzname == zone


def test_known_variables_point_into_a_private_directory():
    with FakeEnv() as env:
        names = ["HOME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME",
                 "XDG_STATE_HOME", "XDG_RUNTIME_DIR"]  # fmt: skip
        for name in names:
            folder = Path(env[name])
            assert folder.is_relative_to(env.path)
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert Path.home() == env.home
        assert (env["LANG"], env["TZ"]) == ("C.UTF-8", "UTC")
    assert not os.path.lexists(folder)


@pytest.mark.parametrize("umask", [0o077, 0o000, 0o777])
def test_modes_do_not_depend_on_the_umask(umask):
    before = os.umask(umask)
    try:
        with FakeEnv() as env:
            env.stub_command("tool")
            assert stat.S_IMODE(env.home.stat().st_mode) == 0o700
            assert subprocess.run(["tool"], stdin=subprocess.DEVNULL, check=True).returncode == 0
    finally:
        os.umask(before)


def test_everything_else_is_gone(monkeypatch):
    monkeypatch.setenv("SOME_SECRET", "x")
    monkeypatch.setenv("PYTEST_ADDOPTS", "")
    with FakeEnv() as env:
        assert "SOME_SECRET" not in env
        assert b"SOME_SECRET" not in child_environment()
        assert "PYTEST_ADDOPTS" not in env
        assert c_getenv("SOME_SECRET") is None
    assert c_getenv("SOME_SECRET") == b"x"


def test_a_child_gets_what_we_see():
    with FakeEnv(extra={"WHO": "me"}) as env:
        assert child_environment() == {os.fsencode(k): os.fsencode(v) for k, v in env.items()}
        assert c_getenv("HOME") == os.fsencode(env.home)


def test_standard_utilities_are_found_behind_the_stubs():
    with FakeEnv() as env:
        assert env["PATH"].split(os.pathsep)[0] == str(env.bin)
        assert (
            subprocess.run(["sh", "-c", "echo hi | cat"], capture_output=True, check=True).stdout
            == b"hi\n"
        )


@pytest.mark.parametrize(
    "name",
    [
        "PYTEST_XDIST_WORKER",
        "COVERAGE_PROCESS_START",
        "COV_CORE_SOURCE",
        "SYSKIT_X",
        "LD_LIBRARY_PATH",
    ],
)
def test_what_the_test_run_needs_stays(monkeypatch, name):
    monkeypatch.setenv(name, "needed")
    with FakeEnv() as env:
        assert env[name] == "needed"
        assert "PYTEST_CURRENT_TEST" in env


def test_kept_variables_keep_their_values(monkeypatch):
    monkeypatch.setenv("LC_TIME", "C")
    monkeypatch.setenv("HOME", "/my/home")
    monkeypatch.setenv("PATH", "/a" + os.pathsep + "/b")
    with FakeEnv(keep=("LC_*", "HOME", "PATH")) as env:
        assert (env["LC_TIME"], env["HOME"]) == ("C", "/my/home")
        assert env["PATH"].split(os.pathsep) == [str(env.bin), "/a", "/b"]


def test_extra_variables_win_over_everything():
    with FakeEnv(extra={"HOME": Path("/x"), "NEW": "1"}) as env:
        assert (env["HOME"], env["NEW"]) == ("/x", "1")


def test_set_unset_and_prepend_reach_children_and_c():
    with FakeEnv() as env:
        env.set("WHERE", Path("/here"))
        assert child_environment()[b"WHERE"] == b"/here"
        env.unset("WHERE")
        env.unset("WHERE")
        assert c_getenv("WHERE") is None
        env.prepend_path("/first")
        assert env["PATH"].startswith("/first" + os.pathsep)
        env.unset("PATH")
        env.prepend_path("/only")
        assert env["PATH"] == "/only"


def test_time_zone_and_temporary_directory_follow():
    with FakeEnv() as env:
        assert time.tzname == ("UTC", "UTC")
        assert tempfile.gettempdir() == env["TMPDIR"]
        env.set("TZ", "XST-3")
        assert time.localtime(0).tm_hour == 3
        assert tempfile.gettempdir() == env["TMPDIR"]
        env.set("TMPDIR", env.home)
        assert tempfile.gettempdir() == str(env.home)


def test_foreign_writes_are_undone(monkeypatch):
    monkeypatch.setenv("CHANGED", "before")
    monkeypatch.setenv("REMOVED", "before")
    monkeypatch.setenv("BEHIND", "before")
    with FakeEnv(keep=("CHANGED", "REMOVED", "BEHIND")):
        os.environ["ADDED"] = "1"
        os.environ["CHANGED"] = "after"
        del os.environ["REMOVED"]
        os.putenv("BEHIND", "after")
    assert [c_getenv(name) for name in ("ADDED", "CHANGED", "REMOVED", "BEHIND")] == [
        None, b"before", b"before", b"before",
    ]  # fmt: skip


def test_a_replaced_environ_is_put_back():
    true = os.environ
    with FakeEnv():
        os.environ = {"A": "1"}  # noqa: B003  # what code under test does
    assert os.environ is true


def test_undone_when_the_block_fails():
    with pytest.raises(ZeroDivisionError), FakeEnv() as env:
        folder = env.path
        os.environ["ADDED"] = str(1 / 0)
    assert not folder.exists()


def test_what_pytest_does_to_its_variable_stands(monkeypatch):
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "a (setup)")
    with FakeEnv():
        os.environ["PYTEST_CURRENT_TEST"] = "a (call)"
    assert os.environ["PYTEST_CURRENT_TEST"] == "a (call)"
    with FakeEnv():
        del os.environ["PYTEST_CURRENT_TEST"]
    assert "PYTEST_CURRENT_TEST" not in os.environ


def test_environments_nest():
    with FakeEnv(extra={"LEVEL": "1"}) as outer:
        seen = dict(outer)
        with FakeEnv(extra={"LEVEL": "2"}) as inner:
            assert inner["LEVEL"] == "2"
            assert inner.path.is_relative_to(outer.path)
            assert inner["HOME"] != seen["HOME"]
        assert dict(outer) == seen


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_that_leaves_does_not_take_the_directory_along():
    with FakeEnv() as env:
        pid = os.fork()
        if pid == 0:
            try:
                env.__exit__(None, None, None)
            finally:
                os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert env.home.is_dir()


def test_a_stubborn_home_is_removed():
    with FakeEnv() as env:
        root = env.path
        locked = env.home / "locked"
        (locked / "deep").mkdir(parents=True)
        os.mkfifo(locked / "fifo")
        locked.chmod(0)
    assert not root.exists()


def test_reads_like_a_mapping():
    with FakeEnv() as env:
        assert env.get("NOT_THERE") is None
        assert len(env) == len(os.environ)
        with pytest.raises(KeyError, match="NOT_THERE"):
            env["NOT_THERE"]


@pytest.mark.parametrize("name", ["", "A=B", "A\0B"])
def test_impossible_names_are_refused_by_name(name):
    for make in (lambda: FakeEnv(extra={name: "x"}), lambda: FakeEnv(keep=[name])):
        with pytest.raises(ValueError, match="cannot name a variable"):
            make()
    with FakeEnv() as env:
        for act in (lambda: env.set(name, "x"), lambda: env.unset(name)):
            with pytest.raises(ValueError, match="cannot name a variable"):
                act()


def test_wrong_values_are_refused():
    with pytest.raises(TypeError, match=r"keep takes names of variables, such as \('HOME',\)"):
        FakeEnv(keep="HOME")
    with (
        pytest.raises(TypeError, match="set: the value of PORT is 8080; it takes text or a path"),
        FakeEnv() as env,
    ):
        env.set("PORT", 8080)
    with pytest.raises(ValueError, match=r"extra: the value of A is .* cannot hold a NUL"):
        FakeEnv(extra={"A": "x\0"})
    with pytest.raises(ValueError, match="which has no bytes"):
        FakeEnv(extra={"A": "\ud800"})
    with pytest.raises(TypeError, match="the name of a variable is text, not 3"):
        FakeEnv(extra={3: "x"})
    with pytest.raises(ValueError, match="PATH cannot hold"), FakeEnv() as env:
        env.prepend_path("a" + os.pathsep + "b")


def test_outside_of_its_block_it_changes_nothing():
    env = FakeEnv()
    with pytest.raises(RuntimeError, match="use it as `with FakeEnv"):
        env.set("A", "1")
    with env:
        pass
    for act in (
        lambda: env.set("A", "1"),
        lambda: env.unset("HOME"),
        lambda: env.stub_command("a"),
    ):
        with pytest.raises(RuntimeError, match="not active"):
            act()
    with pytest.raises(RuntimeError, match="make a new one for each"), env:
        pass


def test_a_failed_start_leaves_nothing(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(hermetic_environment, "system_path", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError), FakeEnv():
        pass
    monkeypatch.setattr(hermetic_environment, "StubFolder", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError), FakeEnv():
        pass
    assert list(tmp_path.iterdir()) == []


def test_variables_set_by_c_code_are_hidden_and_come_back():
    os.putenv("ONLY_C", "before")  # what readline does with LINES and COLUMNS
    try:
        with FakeEnv():
            assert c_getenv("ONLY_C") is None
            os.putenv("ONLY_C", "inside")
            os.putenv("ANOTHER", "inside")
        assert c_getenv("ONLY_C") == b"before"
        assert c_getenv("ANOTHER") is None
    finally:
        os.unsetenv("ONLY_C")

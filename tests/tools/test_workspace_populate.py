"""A workspace is filled exactly as asked, or not at all."""

from __future__ import annotations

import os
import pathlib
import socket
import stat
import subprocess

import pytest
from ordinary_user import ordinary_user

from pytest_syskit.host.real import real
from pytest_syskit.tools.workspace import make_entry
from pytest_syskit.tools.workspace.workspace import TempWorkspace
from pytest_syskit.tools.workspace.workspace_entries import (
    Executable,
    Fifo,
    File,
    HardLink,
    Symlink,
    UnixSocket,
)


@pytest.fixture
def workspace():
    with TempWorkspace() as made:
        yield made


def mode(path):
    return stat.S_IMODE(path.lstat().st_mode)


def test_text_bytes_and_directories(workspace):
    assert workspace.populate({"a": "é\r\n", "b": b"\0\xff", "d": {"e": {}, "f": ""}}) is workspace
    assert (workspace / "a").read_bytes() == b"\xc3\xa9\r\n"
    assert (workspace / "b").read_bytes() == b"\0\xff"
    assert sorted(os.listdir(workspace / "d")) == ["e", "f"]
    assert (workspace / "d" / "e").is_dir()


def test_keys_may_be_paths(workspace):
    workspace.populate(
        {"a/b/c.txt": "1", "a/b": {"d": "2"}, pathlib.Path("x") / "y": "3", "a/e/": {}, b"z": "4"}
    )
    assert list(workspace.snapshot()) == ["a", "a/b", "a/b/c.txt", "a/b/d", "a/e", "x", "x/y", "z"]


def test_names_may_be_anything_the_system_takes(workspace):
    names = [b"new\nline", b" ", b"no\xfftext", b"-rf", b"...", b"a..b"]
    workspace.populate({**dict.fromkeys(names, ""), os.fsdecode(b"\xfe"): "x"})
    assert set(os.listdir(os.fsencode(workspace))) == {*names, b"\xfe"}


def test_text_that_was_undecodable_bytes_goes_back_to_them(workspace):
    workspace.populate({"a": os.fsdecode(b"\xff")})
    assert (workspace / "a").read_bytes() == b"\xff"


@pytest.mark.parametrize("umask", [0o000, 0o027, 0o777])
def test_modes_are_exact_whatever_the_umask(umask):
    with ordinary_user() as folder:
        previous = os.umask(umask)
        try:
            with TempWorkspace(root=folder) as workspace:
                workspace.populate(
                    {
                        "d/plain": "",
                        "d/run": Executable("x"),
                        "d/closed": File("text", mode=0),
                        "d/set": File(b"x", mode=0o4711),
                        "d/fifo": Fifo(mode=0o622),
                        "d/sock": UnixSocket(mode=0o666),
                    }
                )
                assert mode(workspace.path) == 0o700
                assert mode(workspace / "d") == 0o755
                found = {path.name: mode(path) for path in (workspace / "d").iterdir()}
        finally:
            os.umask(previous)
    assert found == {
        "plain": 0o644,
        "run": 0o755,
        "closed": 0,
        "set": 0o4711,
        "fifo": 0o622,
        "sock": 0o666,
    }


def test_executables_run(workspace):
    workspace.populate(
        {
            "script": Executable("#!/bin/sh\necho one\n"),
            "text": Executable("echo two"),
            "raw": Executable(b"#!/bin/sh\necho three"),
            "private": Executable("exit 7", mode=0o700),
        }
    )
    said = [subprocess.check_output([workspace / name]) for name in ("script", "text", "raw")]
    assert said == [b"one\n", b"two\n", b"three\n"]
    assert subprocess.run([workspace / "private"], check=False).returncode == 7


def test_links_fifos_and_sockets_are_what_they_say(workspace):
    workspace.populate(
        {
            "first": HardLink("second"),
            "second": HardLink(b"d/file"),
            "d": {
                "file": "text",
                "link": Symlink("/no/such"),
                "fifo": Fifo(),
                "sock": UnixSocket(),
            },
            "fifo again": HardLink("d/fifo"),
        }
    )
    assert (workspace / "first").samefile(workspace / "d/file")
    assert (workspace / "second").samefile(workspace / "d/file")
    assert os.readlink(workspace / "d/link") == "/no/such"
    assert (workspace / "d/fifo").is_fifo()
    assert (workspace / "fifo again").is_fifo()
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(ConnectionRefusedError):
        client.connect(str(workspace / "d/sock"))


def test_a_hard_link_may_name_what_exists(workspace):
    workspace.populate({"d/old": "text"})
    workspace.populate({"new": HardLink("d/old")})
    assert (workspace / "new").samefile(workspace / "d/old")


def test_a_socket_may_lie_deeper_than_its_address_holds(workspace):
    path = "/".join(["d" * 100, "e" * 200, "s" * 255])
    workspace.populate({path: UnixSocket()})
    assert (workspace / path).is_socket()
    assert os.listdir((workspace / path).parent) == ["s" * 255]


def test_times_are_set(workspace):
    workspace.populate(
        {
            "a": File("x", mtime=1.5),
            "b": File("x", mode=0, mtime=-10),
            "c": File("x", mtime=10, atime=20),
            "d": File("x", atime=30),
        }
    )
    times = {path.name: path.stat() for path in workspace.path.iterdir()}
    assert times["a"].st_mtime_ns == times["a"].st_atime_ns == 1_500_000_000
    assert times["b"].st_mtime == -10
    assert (times["c"].st_mtime, times["c"].st_atime) == (10, 20)
    assert times["d"].st_atime == 30
    assert times["d"].st_mtime > 1_000_000_000


def test_what_exists_is_replaced_except_directories(workspace):
    workspace.populate({"a": "old", "f": Fifo(), "d": {"x": "1"}, "l": Symlink("a")})
    workspace.populate({"a": "new", "f": "file", "d": {"y": "2"}, "l": "no link"})
    assert (workspace / "a").read_text() == "new"
    assert (workspace / "f").read_text() == "file"
    assert (workspace / "l").read_text() == "no link"
    assert list(workspace.snapshot()) == ["a", "d", "d/x", "d/y", "f", "l"]


ALLOWED = "a relative path such as"


@pytest.mark.parametrize(
    ("tree", "error", "says"),
    [
        ({"": "x"}, ValueError, rf"entry '' is not allowed.*{ALLOWED}"),
        ({"/etc/x": "x"}, ValueError, rf"entry '/etc/x' is absolute.*{ALLOWED}"),
        ({"a/../../b": "x"}, ValueError, rf"entry 'a/../../b' is not allowed.*{ALLOWED}"),
        ({"..": {}}, ValueError, rf"entry '..' is not allowed.*{ALLOWED}"),
        ({".": {}}, ValueError, rf"entry '.' is not allowed.*{ALLOWED}"),
        ({"a//b": "x"}, ValueError, rf"entry 'a//b' is not allowed.*{ALLOWED}"),
        ({"a/": "x"}, ValueError, rf"entry 'a/' is not allowed.*{ALLOWED}"),
        ({"a\0b": "x"}, ValueError, rf"entry 'a\\x00b' is not allowed.*{ALLOWED}"),
        ({"d": {"..": "x"}}, ValueError, r"in 'd/' entry '..' is not allowed"),
        ({b"../a": "x"}, ValueError, r"entry b'../a' is not allowed"),
        ({1: "x"}, TypeError, r"entry 1: the path must be a str, bytes or path"),
        (
            {"d": {"a": 5}},
            TypeError,
            r"entry 'd/a' is 5: allowed are str, bytes, a dict, File, Exe",
        ),
        ({"a": None}, TypeError, r"entry 'a' is None: allowed are str"),
        ({"a": Fifo}, TypeError, r"entry 'a' is <class.*allowed are str"),
        (["a"], TypeError, r"populate\(\['a'\]\): a dict of names"),
        ({"a": "x", b"a": "y"}, ValueError, r"entry 'a' is given twice"),
        ({"a": "x", "a/b": "y"}, ValueError, r"entry 'a' is given twice: as a directory"),
        ({"a": Symlink("/etc"), "a/b": "y"}, ValueError, r"entry 'a' is given twice"),
        ({"a": File(5)}, ValueError, r"entry 'a' \(File\): its content is 5: str or bytes"),
        ({"a": File("", mode=0o10000)}, ValueError, r"'a' \(File\): mode=4096 is no mode.*0o7777"),
        ({"a": Fifo(mode=-1)}, ValueError, r"'a' \(Fifo\): mode=-1 is no mode: an int from 0"),
        ({"a": UnixSocket(mode="rw")}, ValueError, r"'a' \(UnixSocket\): mode='rw' is no mode"),
        ({"a": Executable("", mode=True)}, ValueError, r"'a' \(Executable\): mode=True is no mode"),
        ({"a": Executable(None)}, ValueError, r"'a' \(Executable\): its content is None"),
        (
            {"a": File("", mtime="now")},
            ValueError,
            r"'a' \(File\): mtime='now' is no time: seconds",
        ),
        ({"a": File("", mtime=float("nan"))}, ValueError, r"'a' \(File\): mtime=nan is no time"),
        ({"a": File("", atime=True)}, ValueError, r"'a' \(File\): atime=True is no time"),
        ({"a": Symlink("")}, ValueError, r"'a' \(Symlink\): its target is '': a link needs"),
        ({"a": Symlink("x\0y")}, ValueError, r"'a' \(Symlink\): its target is 'x\\x00y'"),
        ({"a": Symlink(5)}, ValueError, r"'a' \(Symlink\): its target is 5: a str, bytes or path"),
        ({"a": HardLink(5)}, ValueError, r"'a' \(HardLink\): its target is 5"),
        (
            {"a": HardLink("/etc/passwd")},
            ValueError,
            r"'a' \(HardLink\): target '/etc/pass.*absolut",
        ),
        ({"a": HardLink("../x")}, ValueError, r"'a' \(HardLink\): target '../x' is not allowed"),
        ({"a": HardLink("a")}, ValueError, r"'a' \(HardLink\): target 'a' leads back to it"),
        ({"a": HardLink("b"), "b": HardLink("a")}, ValueError, r"leads back to it"),
        ({"a": HardLink("d"), "d": {}}, ValueError, r"'a' \(HardLink\): target 'd' is a directory"),
        (
            {"a": HardLink("l"), "l": Symlink("x")},
            ValueError,
            r"target 'l' is a symbolic link: only",
        ),
        ({"a": HardLink("old_dir")}, ValueError, r"target 'old_dir' is a directory: only files"),
        ({"a": HardLink("no")}, FileNotFoundError, r"target 'no' is neither in the workspace nor"),
        ({"a": HardLink("way/passwd")}, FileNotFoundError, r"target 'way/passwd' is neither"),
        ({"old_dir": "x"}, FileExistsError, r"'old_dir': a directory is there, and is never"),
        ({"old": {}}, FileExistsError, r"'old' is to be a directory, but something else is there"),
        ({"old/a": "x"}, FileExistsError, r"'old' is to be a directory, but something else is"),
        ({"way/a": "x"}, FileExistsError, r"'way' is to be a directory, but a symbolic link is"),
        (
            {"x" * 300: "x"},
            OSError,
            r"entry 'x+' cannot be made \(File name too long\); all is as it",
        ),
        ({"/".join(["y" * 200] * 30): "x"}, OSError, r"cannot be made \(File name too long\)"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_input_names_the_entry_and_leaves_nothing(workspace, tree, error, says):
    workspace.populate({"old": "text", "old_dir": {}, "way": Symlink("/etc"), "seen": "before"})
    before = workspace.snapshot()
    if isinstance(tree, dict):
        tree = {"good": "x", "good_dir/a": "y", "seen": "after", **tree}
    with pytest.raises(error, match=f"(?s){says}"):
        workspace.populate(tree)
    assert str(workspace.diff(before)) == "no difference"


def test_a_dict_that_contains_itself_is_refused(workspace):
    loop = {}
    loop["a"] = {"b": loop}
    with pytest.raises(ValueError, match="entry 'a/b' is a dict that contains itself"):
        workspace.populate(loop)
    same = {"x": "1"}
    workspace.populate({"a": same, "b": same})
    assert (workspace / "b" / "x").exists()


@pytest.mark.parametrize("call", ["mkdir", "open", "write", "chmod", "symlink", "link", "mkfifo"])
def test_an_error_on_the_way_undoes_everything(workspace, monkeypatch, call):
    workspace.populate({"a": "old", "d": {"keep": "me"}})
    (workspace / "a").chmod(0o640)
    before = workspace.snapshot()
    act, failed = getattr(real, call), []

    def fail_at_last(*args, **kwargs):
        if call == "write" or any("last" in str(word) for word in args):
            failed.append(args)
            raise OSError(28, "No space left on device")
        return act(*args, **kwargs)

    monkeypatch.setattr(real, call, staticmethod(fail_at_last))
    tree = {"a": "new", "d/new": "x", "n/o": {}, "s": UnixSocket(), "last_dir": {"x": ""}}
    tree |= {"last_f": Fifo(), "last_l": Symlink("x"), "last_h": HardLink("d/new"), "last": "x"}
    with pytest.raises(OSError, match=r"entry '.*' cannot be made \(No space left on device\)"):
        workspace.populate(tree)
    assert len(failed) == 1
    monkeypatch.undo()
    assert str(workspace.diff(before)) == "no difference"


def test_an_interrupt_on_the_way_undoes_everything(workspace, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(real, "mkfifo", interrupt)
    with pytest.raises(KeyboardInterrupt):
        workspace.populate({"a": "x", "f": Fifo()})
    assert os.listdir(workspace) == []


@pytest.mark.parametrize(
    ("entry", "lack"), [(Fifo(), "os.mkfifo"), (UnixSocket(), "socket.AF_UNIX")]
)
def test_what_a_platform_cannot_have_is_said_before_anything_is_made(
    workspace, monkeypatch, entry, lack
):
    monkeypatch.setitem(make_entry._ABSENT, type(entry), lack)
    kind = type(entry).__name__
    with pytest.raises(
        NotImplementedError, match=rf"entry 'f' \({kind}\): this platform has no {lack}"
    ):
        workspace.populate({"a": "x", "f": entry})
    assert os.listdir(workspace) == []


def test_a_place_that_may_not_be_looked_at_is_named():
    with ordinary_user() as folder, TempWorkspace(root=folder) as workspace:
        workspace.populate({"shut/a": "x"})
        (workspace / "shut").chmod(0)
        with pytest.raises(PermissionError, match="entry 'shut/b' cannot be looked at"):
            workspace.populate({"shut/b": "x"})


def test_sockets_can_be_made_where_networking_is_forbidden(workspace, monkeypatch):
    def forbidden(*_):
        raise RuntimeError("no sockets in tests")

    monkeypatch.setattr(socket, "socket", forbidden)
    workspace.populate({"s": UnixSocket()})
    assert (workspace / "s").is_socket()


def test_no_descriptor_stays_open(workspace):
    before = len(os.listdir("/dev/fd"))
    workspace.populate({"a": "x", "s": UnixSocket(), "f": Fifo()})
    assert len(os.listdir("/dev/fd")) == before

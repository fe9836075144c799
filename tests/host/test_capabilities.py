"""Probes say yes, or why not, and leave nothing behind."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import warnings

import pytest

from pytest_syskit.host import capabilities, libc
from pytest_syskit.host.probing import PROBES

NAMED_BY_THE_INTERFACE = [
    "fork",
    "mkfifo",
    "symlink",
    "hardlink",
    "pty",
    "alarm",
    "af_unix",
    "dac",
    "root",
    "nonroot",
    "proc",
    "subreaper",
    "pidfd",
    "userns",
    "free_disk",
]
NOBODY = 65534
LINUX = sys.platform == "linux"


@pytest.fixture
def ask():
    """Ask anew, whatever was answered before."""
    capabilities.missing.cache_clear()
    yield capabilities.missing
    capabilities.missing.cache_clear()


def in_child(act):
    """Run ``act`` in a forked child; return the small number it returns."""
    with warnings.catch_warnings():  # an xdist worker has threads; the child only calls the system
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        code = 99
        try:
            code = act()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def become_nobody():
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def test_the_words_of_the_interface_are_known():
    assert set(NAMED_BY_THE_INTERFACE) <= set(capabilities.names())


@pytest.mark.parametrize("word", capabilities.names())
def test_a_word_has_a_purpose_and_an_answer(word, ask):
    answer = ask(word)
    assert capabilities.purpose(word)
    assert answer is None or answer.strip()


@pytest.mark.parametrize("word", capabilities.names())
def test_a_probe_leaves_nothing_behind(word, ask, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    listing = "/proc/self/fd" if LINUX else "/dev/fd"
    open_before = os.listdir(listing)
    ask(word)
    assert os.listdir(listing) == open_before
    assert os.listdir(tmp_path) == []
    with pytest.raises(ChildProcessError):
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)


def test_an_unknown_word_is_a_key_error():
    with pytest.raises(KeyError, match="frok"):
        capabilities.missing("frok")
    with pytest.raises(KeyError, match="frok"):
        capabilities.purpose("frok")


def test_a_machine_is_asked_once(ask, monkeypatch):
    asked = []
    monkeypatch.setitem(PROBES, "pty", (lambda: asked.append(1), "terminals"))
    assert ask("pty") is None
    assert ask("pty") is None
    assert len(asked) == 1


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(1, "not for you"),
        NotImplementedError("not for you"),
        subprocess.TimeoutExpired("not for you", 1),
    ],
)
def test_a_refusal_is_the_answer(error, ask, monkeypatch):
    def refused():
        raise error

    monkeypatch.setitem(PROBES, "pty", (refused, "terminals"))
    assert "not for you" in ask("pty")


def test_a_bug_in_a_probe_is_no_answer(ask, monkeypatch):
    monkeypatch.setitem(PROBES, "pty", (lambda: 1 / 0, "terminals"))
    with pytest.raises(ZeroDivisionError):
        ask("pty")


@pytest.mark.parametrize(
    ("word", "module", "name"),
    [
        ("fork", os, "fork"),
        ("mkfifo", os, "mkfifo"),
        ("symlink", os, "symlink"),
        ("hardlink", os, "link"),
        ("mknod", os, "mknod"),
        ("pty", os, "openpty"),
        ("root", os, "geteuid"),
        ("nonroot", os, "geteuid"),
        ("pidfd", os, "pidfd_open"),
        ("memfd", os, "memfd_create"),
        ("eventfd", os, "eventfd"),
        ("xattr", os, "setxattr"),
        ("sendfile", os, "sendfile"),
        ("alarm", signal, "setitimer"),
        ("af_unix", socket, "AF_UNIX"),
        ("epoll", select, "epoll"),
        ("kqueue", select, "kqueue"),
    ],
)
def test_an_absent_call_is_named(word, module, name, ask, monkeypatch):
    monkeypatch.delattr(module, name, raising=False)
    assert ask(word) == f"{module.__name__}.{name} does not exist here"


@pytest.mark.parametrize("word", ["subreaper", "userns", "inotify"])
def test_what_only_linux_has_is_not_tried_elsewhere(word, ask, monkeypatch):
    monkeypatch.setattr(sys, "platform", "plan9")
    assert ask(word).startswith("plan9 has no ")


def test_one_is_root_or_not(ask):
    assert (ask("root") is None) == (os.geteuid() == 0)
    assert (ask("nonroot") is None) == (os.geteuid() != 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser may become another user")
def test_permissions_bind_an_ordinary_user_and_not_the_superuser():
    dac = PROBES["dac"][0]
    assert "can be read" in dac()

    def as_nobody():
        become_nobody()
        tempfile.tempdir = "/tmp"
        return 0 if dac() is None else 1

    assert in_child(as_nobody) == 0


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser reads everything")
def test_permissions_bind_an_ordinary_user(ask):
    assert ask("dac") is None


@pytest.mark.skipif(not LINUX, reason="character devices of Linux")
def test_device_files_are_for_the_privileged(ask, tmp_path):
    try:
        os.mknod(tmp_path / "null", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        assert "not permitted" in ask("mknod")
    else:
        assert ask("mknod") is None


def test_a_deep_temporary_directory_does_not_hide_sockets(ask, tmp_path, monkeypatch):
    deep = tmp_path / ("d" * 120)  # more than any sun_path holds
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert ask("af_unix") is None


def test_a_full_disk_says_how_full(ask, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=3 * 1024 * 1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    assert ask("free_disk") == "only 3 MiB are free"


@pytest.mark.skipif(not LINUX, reason="child subreapers are Linux's")
def test_asking_for_a_subreaper_changes_nothing(ask):
    before = libc.is_subreaper()
    try:
        for state in (True, False):
            libc.set_subreaper(state)
            capabilities.missing.cache_clear()
            assert ask("subreaper") is None
            assert libc.is_subreaper() is state
    finally:
        libc.set_subreaper(before)


@pytest.mark.skipif(shutil.which("unshare") is None, reason="compared with unshare(1)")
def test_user_namespaces_are_there_when_unshare_makes_one(ask):
    witness = subprocess.run(
        ["unshare", "--user", "--map-root-user", "true"], check=False, capture_output=True
    )
    assert (ask("userns") is None) == (witness.returncode == 0)


@pytest.mark.skipif(not LINUX, reason="user namespaces are Linux's")
def test_a_refused_user_namespace_says_which_step_failed(ask, monkeypatch):
    refuse = "import sys; sys.exit('uid_map: Operation not permitted')"
    monkeypatch.setattr("pytest_syskit.host.processes.process_probes._ENTER_NAMESPACE", refuse)
    assert ask("userns") == "uid_map: Operation not permitted"

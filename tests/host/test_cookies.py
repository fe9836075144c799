"""A program's processes are found by their marks, also while they fork and exec."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import uuid

import psutil
import pytest

from pytest_syskit.host import capabilities
from pytest_syskit.host.processes import cookies, proc

pytestmark = pytest.mark.skipif(
    capabilities.missing("proc") is not None, reason="reads environments from /proc"
)


@pytest.fixture
def cookie():
    return uuid.uuid4().hex


@contextlib.contextmanager
def child(environ, code="import sys; print(flush=True); sys.stdin.read()"):
    argv = [sys.executable, "-I", "-S", "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, env=environ) as popen:
        try:
            popen.stdout.readline()  # it has passed exec
            yield popen
        finally:
            popen.kill()


def pids(processes):
    return [process.pid for process in processes]


def test_a_carrier_is_found_and_nobody_else(cookie):
    with child(cookies.marked(os.environ, cookie)) as popen, child(dict(os.environ)):
        assert pids(cookies.carriers(cookie, 0)) == [popen.pid]
    assert cookies.carriers(cookie, 0) == []


def test_the_cookie_must_be_in_its_own_variable(cookie):
    with child({**os.environ, "OTHER": cookie}):
        assert cookies.carriers(cookie, 0) == []


def test_a_second_cookie_does_not_hide_the_first(cookie):
    inner = uuid.uuid4().hex
    with child(cookies.marked(cookies.marked({}, cookie), inner)) as popen:
        assert pids(cookies.carriers(cookie, 0)) == pids(cookies.carriers(inner, 0)) == [popen.pid]


def test_a_process_born_while_we_look_is_found(cookie, monkeypatch):
    with child(cookies.marked(os.environ, cookie)) as popen:
        listings = iter([{1}, {1, popen.pid}, {1, popen.pid}])
        monkeypatch.setattr(cookies, "_all_pids", lambda: next(listings))
        assert pids(cookies.carriers(cookie, 0)) == [popen.pid]


def test_a_process_amid_exec_is_found(cookie, monkeypatch):
    with child(cookies.marked(os.environ, cookie)) as popen:
        started = cookies.start_of(popen.pid)
        blank = iter([b"", b""])
        read_file = cookies.read_file
        monkeypatch.setattr(cookies, "_all_pids", lambda: [popen.pid])
        monkeypatch.setattr(cookies, "read_file", lambda path: next(blank, None) or read_file(path))
        with monkeypatch.context() as amid:
            amid.setattr(proc, "read_argv", lambda _: [])
            assert pids(cookies.carriers(cookie, started)) == [popen.pid]


def test_whose_environment_was_cleared_holds_nobody_up_for_long(cookie, monkeypatch):
    pauses = []
    monkeypatch.setattr(cookies.real, "sleep", pauses.append)
    with child({}) as popen:
        monkeypatch.setattr(cookies, "_all_pids", lambda: [popen.pid])
        assert cookies.carriers(cookie, cookies.start_of(popen.pid)) == []
        assert 0 < sum(pauses) < 0.1
        pauses.clear()
        assert cookies.carriers(cookie, cookies.start_of(popen.pid) + 1) == []  # it is older
        assert pauses == []


@pytest.mark.requires_root
@pytest.mark.requires_commands("unshare")
def test_whose_session_leader_is_outside_the_container_is_no_kernel_thread():
    imports = "import os; from pytest_syskit.host.processes import cookies, proc"
    answers = "proc.read_stat('self').session, cookies._could_be_in_exec(os.getpid(), 0)"
    program = [sys.executable, "-c", f"{imports}; print({answers})"]
    inside = ["unshare", "--pid", "--fork", "--mount-proc", *program]
    done = subprocess.run(inside, capture_output=True, text=True, check=False, timeout=30)
    if "Operation not permitted" in done.stderr:
        pytest.skip(f"no namespaces for us here: {done.stderr.strip()}")
    assert done.stdout.split() == ["0", "True"], done.stderr


def test_a_program_that_execs_all_the_time_is_found_at_every_look(cookie):
    argv = "[sys.executable, '-I', '-S', '-c', sys.argv[1], sys.argv[1]]"
    again = f"import os, sys; os.execv(sys.executable, {argv})"
    first = f"import os, sys; print(flush=True); sys.argv[1:] = [{again!r}]; exec(sys.argv[1])"
    with child(cookies.marked(os.environ, cookie), first) as popen:
        started = cookies.start_of(popen.pid)
        misses = [look for look in range(300) if not cookies._carries(popen.pid, cookie, started)]
        assert psutil.Process(popen.pid).status() != psutil.STATUS_ZOMBIE
    assert misses == []


def test_the_members_of_a_session_are_found_without_its_leader():
    code = "import os, subprocess; os.setsid(); p = subprocess.Popen(['sleep', '600'], stdout=2); print(p.pid, flush=True); p.wait()"
    popen = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        member = int(popen.stdout.readline())
        assert pids(cookies.session_members(popen.pid)) == [member]
    finally:
        os.killpg(popen.pid, 9)
        popen.communicate()

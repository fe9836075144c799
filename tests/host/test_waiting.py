"""What a process waits for, and who holds the other end: asked of real processes."""

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time

import pytest

from pytest_syskit.host import capabilities
from pytest_syskit.host.descriptors.other_ends import Holder, has_two_ends, holders_of, other_ends
from pytest_syskit.host.processes.waiting import _names, what_it_waits_for

pytestmark = [
    pytest.mark.skipif(capabilities.missing("proc") is not None, reason="needs /proc"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
]
knows_calls = pytest.mark.skipif(
    os.name != "posix" or not _names(), reason="system calls of this machine have no table"
)


def wait_until_known(pid, task=None):
    """Return what a task waits for, as soon as it waits for anything that is not our start-up."""
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        wait = what_it_waits_for(pid, task)
        if wait is not None and "opens" not in wait.phrase and "lock" not in wait.phrase:
            return wait
        time.sleep(0.005)
    raise AssertionError(f"process {pid} waits for nothing that we know")


@contextlib.contextmanager
def program(*argv, **options):
    with subprocess.Popen(argv, **options) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def forked(action):
    """Run ``action`` in a child that does nothing else."""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        finally:
            os._exit(1)
    try:
        yield pid
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    os.close(reader)
    os.close(writer)


def link(fd):
    return os.readlink(f"/proc/self/fd/{fd}")


def test_a_sleeper_sleeps():
    with program("sleep", "30") as process:
        assert wait_until_known(process.pid).phrase == "sleeps"


@knows_calls
def test_who_selects_on_nothing_sleeps():
    with forked(lambda: select.select([], [], [], 30)) as pid:
        assert wait_until_known(pid).phrase == "sleeps"


@knows_calls
def test_who_selects_waits_for_descriptors(pipe):
    with forked(lambda: select.select([pipe[0]], [], [], 30)) as pid:
        assert wait_until_known(pid).phrase == "waits for any of several descriptors"


@knows_calls
def test_a_reader_is_known_with_its_descriptor(pipe):
    with forked(lambda: os.read(pipe[0], 1)) as pid:
        wait = wait_until_known(pid)
        assert wait.phrase == f"waits to read from fd {pipe[0]} ({link(pipe[0])})"
        assert (wait.fd, wait.target, wait.reading) == (pipe[0], link(pipe[0]), True)


@knows_calls
def test_a_writer_is_known_with_its_descriptor(pipe):
    with forked(lambda: os.write(pipe[1], bytes(10**7))) as pid:
        wait = wait_until_known(pid)
        assert wait.phrase.startswith(f"waits to write to fd {pipe[1]} (pipe:[")
        assert not wait.reading


@knows_calls
def test_a_fifo_without_a_peer_is_named(tmp_path):
    path = str(tmp_path / "lonely")
    os.mkfifo(path)
    with forked(lambda: os.open(path, os.O_WRONLY)) as pid:
        give_up = time.monotonic() + 20
        while (wait := what_it_waits_for(pid)) is None or path not in wait.phrase:
            assert time.monotonic() < give_up, wait
        assert wait.phrase in {f"waits for the other end of {path}", f"opens {path}"}
        assert (wait.target, wait.reading) == (path, False)


@knows_calls
def test_a_parent_that_waits_for_one_child_names_it():
    def parent():
        child = os.fork()
        if child == 0:
            time.sleep(30)
        os.waitpid(child, 0)

    with forked(parent) as pid:
        wait = wait_until_known(pid)
        child = int(wait.phrase.removeprefix("waits for child process "))
        assert os.path.exists(f"/proc/{child}")
        os.kill(child, 9)


@knows_calls
def test_a_parent_that_waits_for_any_child_says_so():
    script = "import os\nif os.fork() == 0: os.read(0, 1)\nelse: os.wait()"
    with program(sys.executable, "-c", script, stdin=subprocess.PIPE) as process:
        give_up = time.monotonic() + 20
        while (wait := what_it_waits_for(process.pid)) is None or "child" not in wait.phrase:
            assert time.monotonic() < give_up, wait
        assert wait.phrase == "waits for a child process"
        process.stdin.close()  # the child ends, and with it its parent
        process.wait()


@knows_calls
def test_a_server_waits_for_a_connection():
    with socket.create_server(("127.0.0.1", 0)) as server, forked(server.accept) as pid:
        wait = wait_until_known(pid)
        assert wait.phrase.startswith(f"waits for a connection on fd {server.fileno()}")
        assert wait.target is None


@knows_calls
def test_a_thread_is_asked_for_itself():
    reader, writer = os.pipe()
    thread = threading.Thread(target=os.read, args=(reader, 1))
    thread.start()
    try:
        wait = wait_until_known(os.getpid(), thread.native_id)
        assert wait.fd == reader
    finally:
        os.write(writer, b"x")
        thread.join()
        os.close(reader)
        os.close(writer)


def test_who_runs_waits_for_nothing():
    with program(sys.executable, "-c", "while True: pass") as process:
        give_up = time.monotonic() + 20
        while what_it_waits_for(process.pid) is not None:
            assert time.monotonic() < give_up


def test_a_process_that_has_ended_waits_for_nothing():
    with program("true") as process:
        process.wait()
    assert what_it_waits_for(process.pid) is None


# -- the other end -------------------------------------------------------------------------------


def test_both_ends_of_a_pipe_are_told_apart(pipe):
    reader, writer = pipe
    assert other_ends(link(reader), reading=True) == [Holder(os.getpid(), writer, "w")]
    assert other_ends(link(writer), reading=False) == [Holder(os.getpid(), reader, "r")]


def test_a_child_that_holds_an_end_is_found(pipe):
    with program("sleep", "30", pass_fds=[pipe[1]]) as process:
        assert Holder(process.pid, pipe[1], "w") in other_ends(link(pipe[0]), reading=True)


def test_a_pipe_without_a_writer_has_no_holder():
    reader, writer = os.pipe()
    os.close(writer)
    try:
        assert other_ends(link(reader), reading=True) == []
    finally:
        os.close(reader)


def test_a_fifo_is_found_by_its_path(tmp_path):
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    both = os.open(path, os.O_RDWR)
    try:
        assert has_two_ends(path)
        assert holders_of(path) == [Holder(os.getpid(), both, "rw")]
    finally:
        os.close(both)


def test_the_peer_of_a_unix_socket_is_found():
    left, right = socket.socketpair()
    with left, right:
        holders = other_ends(link(left.fileno()), reading=True)
        assert [holder.fd for holder in holders] == [right.fileno()]


def test_the_peer_of_a_tcp_connection_is_found():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        server.accept()[0] as accepted,
    ):
        holders = other_ends(link(client.fileno()), reading=True)
        assert [holder.fd for holder in holders] == [accepted.fileno()]


def test_a_socket_that_is_not_connected_has_no_peer():
    with socket.socket(socket.AF_UNIX) as lonely:
        assert other_ends(link(lonely.fileno()), reading=True) == []


def test_a_file_has_no_two_ends(tmp_path):
    (tmp_path / "file").write_text("")
    assert not has_two_ends(str(tmp_path / "file"))
    assert not has_two_ends("anon_inode:[eventpoll]")
    assert has_two_ends("pipe:[1]")

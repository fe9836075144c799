"""When a program counts as ready, and what is said while it does not."""

from __future__ import annotations

import os
import re
import socket
import sys
import tempfile
from pathlib import Path

import pytest

from pytest_syskit.tools.programs import ready_addresses
from pytest_syskit.tools.programs.process_errors import (
    ProcessExited,
    ProcessNotStarted,
    ProcessTimeout,
)
from pytest_syskit.tools.programs.process_factory import ProcessFactory
from pytest_syskit.tools.programs.readiness import conditions

PROGRAMS = Path(__file__).with_name("programs")
SLEEP = ["sleep", "600"]


def python(program, *arguments):
    return [sys.executable, PROGRAMS / f"{program}.py", *map(str, arguments)]


@pytest.fixture
def factory():
    with ProcessFactory() as factory:
        yield factory


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


@pytest.fixture
def socket_path():
    """A path short enough for any UNIX socket."""
    with tempfile.TemporaryDirectory(prefix="s-") as folder:
        yield Path(folder, "s")


def ask(address, family):
    with socket.socket(family) as client:
        client.settimeout(10)
        client.connect(address)
        client.sendall(b"drawer\n")
        return client.recv(10)


def test_a_pattern_is_found_on_either_stream(factory):
    factory(["sh", "-c", "echo up; sleep 600"], ready="^up$")
    factory(["sh", "-c", "echo up >&2; sleep 600"], ready=re.compile("UP", re.IGNORECASE))


def test_what_made_it_ready_is_still_there_to_expect(factory):
    program = factory(["sh", "-c", "echo port 4711; sleep 600"], ready=r"port \d+\n")
    assert program.expect(r"port (\d+)")[1] == "4711"


def test_a_listening_port_is_noticed_without_a_client_s_visit(factory, port):
    program = factory(python("echo_server", port), ready=port)
    assert ask(("127.0.0.1", port), socket.AF_INET) == b"reward\n"  # its first and only client
    assert program.wait() == 0


def test_a_port_is_tried_by_connecting_where_no_table_tells(factory, port, monkeypatch):
    monkeypatch.setattr(ready_addresses, "port_listens", lambda _: None)
    program = factory(python("echo_server", port), ready=port)
    assert program.wait() == 0  # the trial was its only client


def test_an_address_is_tried_by_connecting(factory, port):
    program = factory(python("echo_server", port), ready=("127.0.0.1", port))
    assert program.wait() == 0  # the trial was its only client


def test_a_listening_unix_socket_is_noticed_without_a_client_s_visit(factory, socket_path):
    program = factory(python("echo_server", socket_path), ready=socket_path)
    assert ask(str(socket_path), socket.AF_UNIX) == b"reward\n"
    assert program.wait() == 0


def test_a_unix_socket_bound_by_a_relative_name_is_tried_by_connecting(factory, socket_path):
    program = factory(
        python("echo_server", socket_path.name), ready=socket_path, cwd=socket_path.parent
    )
    assert program.wait() == 0  # the trial was its only client


def test_a_socket_left_by_an_earlier_run_is_not_ready(factory, socket_path):
    with socket.socket(socket.AF_UNIX) as earlier:
        earlier.bind(str(socket_path))
    message = "'.*' is a socket that takes no connections"
    with pytest.raises(ProcessTimeout, match=message):
        factory(SLEEP, ready=socket_path, timeout=0.05)


def test_a_socket_served_by_a_stranger_is_refused(factory, socket_path):
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(socket_path))
        stranger.listen()
        with pytest.raises(ProcessNotStarted, match="takes connections before the start"):
            factory(SLEEP, ready=socket_path)


def test_a_stranger_s_socket_whose_file_is_gone_does_not_count(factory, socket_path):
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(socket_path))
        stranger.listen()
        socket_path.unlink()
        bind = "import socket, sys, time; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); time.sleep(600)"
        with pytest.raises(ProcessTimeout, match="is a socket that takes no connections"):
            factory([sys.executable, "-c", bind, socket_path], ready=socket_path, timeout=1)


def test_a_datagram_socket_is_ready_once_it_is_bound(factory, socket_path):
    bind = "import socket, sys, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1]); time.sleep(600)"
    factory([sys.executable, "-c", bind, socket_path], ready=socket_path)
    assert socket_path.is_socket()


def test_a_path_is_waited_for(factory, tmp_path):
    factory(
        ["sh", "-c", 'read go; touch "$0"; sleep 600', tmp_path / "pid"],
        stdin=False,
        ready=tmp_path / "pid",
    )
    assert (tmp_path / "pid").exists()


def test_a_path_that_exists_before_tells_nothing(factory, tmp_path):
    with pytest.raises(ProcessNotStarted, match=r"exists before the start; .* remove it"):
        factory(SLEEP, ready=tmp_path)


def test_a_path_that_never_comes_is_named(factory, tmp_path):
    with pytest.raises(ProcessTimeout, match=r"not ready: '.*/pid' does not exist"):
        factory(SLEEP, ready=tmp_path / "pid", timeout=0.05)


def test_a_callable_is_asked_until_it_agrees(factory):
    answers = iter([None, 0, "", "yes"])
    factory(SLEEP, ready=lambda: next(answers))
    assert list(answers) == []


def test_a_callable_may_ask_for_the_program(factory):
    seen = []
    program = factory(SLEEP, ready=lambda program: seen.append(program) or True)
    assert seen == [program]


def test_an_operating_system_s_error_means_not_yet(factory):
    def refused():
        raise ConnectionRefusedError("nobody there")

    with pytest.raises(
        ProcessTimeout, match=r"refused raised ConnectionRefusedError\('nobody there'\)"
    ):
        factory(SLEEP, ready=refused, timeout=0.05)


def test_all_of_a_list_must_hold_and_the_missing_ones_are_named(factory, port, tmp_path):
    with pytest.raises(ProcessTimeout) as caught:
        factory(
            ["sh", "-c", "echo up; sleep 600"],
            ready=["up", port, tmp_path / "pid", lambda: False],
            timeout=0.5,
        )
    text = str(caught.value)
    assert f"it was not ready: nobody listens on TCP port {port}; '{tmp_path}/pid' does not" in text
    assert "<lambda> returned False" in text
    assert "'up'" not in text


@pytest.mark.parametrize("kind", ["port", "address", "path"])
def test_every_wait_ends_with_the_program(factory, port, tmp_path, kind):
    ready = {"port": port, "address": ("127.0.0.1", port), "path": tmp_path / "s"}[kind]
    with pytest.raises(ProcessExited, match="exited with status 6"):
        factory(python("dies_at_once", 6), ready=ready, timeout=60)


@pytest.mark.parametrize(
    "ready", [3.5, True, b"up", object(), ("a", "b"), (80, "host"), ("pattern",), {"up"}]
)
def test_what_is_no_condition_is_refused(ready):
    with pytest.raises(TypeError, match=re.escape(f"got {ready!r}")):
        conditions(ready)


@pytest.mark.parametrize("ready", [0, -1, 65536, ("localhost", 0)])
def test_a_port_that_cannot_be_is_refused(ready):
    with pytest.raises(ValueError, match="a TCP port is a number from 1 to 65535, got"):
        conditions(ready)


def test_nothing_to_wait_for_is_no_condition():
    assert conditions(None) == conditions([]) == []
    assert os.fspath(Path("x")) == "x"

"""The fixtures: each is a few lines of a tool that also works without pytest.

The tools are imported when a fixture is first used, so that a suite pays for what it asks for only.
"""
# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..host.real import real
from .failure_notes import add_note, has_failed
from .undoing_order import tell_monkeypatch

if TYPE_CHECKING:
    from ..detectors.leak_check import LeakCheck
    from ..tools.channels.fifo_pair import FifoPair
    from ..tools.channels.pipe_pair import PipePair
    from ..tools.channels.pty_pair import PtyPair
    from ..tools.channels.socket_pair import SocketPair
    from ..tools.environment.fake_env import FakeEnv
    from ..tools.environment.fake_platform import FakePlatform
    from ..tools.forking.fork_runner import ForkRunner
    from ..tools.programs.process_factory import ProcessFactory
    from ..tools.signals.signal_log import SignalLog
    from ..tools.timeouts.signal_timeout import signal_timeout as SignalTimeoutBlock  # noqa: N812  # a class
    from ..tools.workspace.workspace import TempWorkspace


@pytest.fixture
def temp_workspace(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TempWorkspace]:
    """A private directory to fill, compare and enter; kept if the test fails, as tmp_path is."""
    from ..tools.workspace.workspace import TempWorkspace

    root = _workspace_root(tmp_path_factory)
    retained = request.config.getini("tmp_path_retention_policy") in ("all", "failed")
    keeps = retained and root is not None  # elsewhere nobody would ever clear it up
    with TempWorkspace(root) as workspace:
        if keeps:
            text = f"kept: {workspace.path}"
            add_note(request.node, lambda: ("temp_workspace", text))
        yield workspace
        workspace.keep = keeps and has_failed(request.node)


def _workspace_root(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """Return a directory of pytest's, or ``None`` where it is out of reach.

    It is closed to a test that root forked as another user (``run_in_fork(user=…)``), and pytest
    looks for it in a fake file system if that came before.
    """
    if os.mkdir is not real.mkdir:
        return None
    try:
        return tmp_path_factory.mktemp("workspace")
    except PermissionError:
        return None


@pytest.fixture
def short_socket_dir() -> Iterator[Path]:
    """A directory whose paths always fit into the address of a UNIX socket."""
    from ..tools.workspace.short_socket_dir import short_socket_dir

    with short_socket_dir() as folder:
        yield folder


@pytest.fixture
def fake_env(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FakeEnv]:
    """A hermetic environment, real for children too, with stand-ins for commands."""
    from ..tools.environment.fake_env import FakeEnv

    if os.mkdir is real.mkdir:  # a fake file system came later, or never
        tmp_path_factory.getbasetemp()  # decided by the real environment, for all tests that follow
    before = dict(os.environ)
    with FakeEnv() as env:
        if "monkeypatch" in request.fixturenames:
            tell_monkeypatch(request.getfixturevalue("monkeypatch"), before)
        yield env


@pytest.fixture
def fake_platform() -> Iterator[FakePlatform]:
    """Pretend to be another system: ``fake_platform("windows")``, until the end or as a block."""
    from ..tools.environment.fake_platform import FakePlatform

    with FakePlatform() as fake:
        yield fake


@pytest.fixture
def fork_runner() -> Iterator[ForkRunner]:
    """Run functions in forked children, and get back whatever became of them."""
    from ..tools.forking.fork_runner import ForkRunner

    runner = ForkRunner()
    yield runner
    runner.close()


@pytest.fixture
def fifo_pair() -> Iterator[FifoPair]:
    """Both ends of a named pipe, with limits on every wait."""
    from ..tools.channels.fifo_pair import fifo_pair

    with fifo_pair() as pair:
        yield pair


@pytest.fixture
def pipe_pair() -> Iterator[PipePair]:
    """Both ends of a pipe, with limits on every wait."""
    from ..tools.channels.pipe_pair import pipe_pair

    with pipe_pair() as pair:
        yield pair


@pytest.fixture
def pty_pair() -> Iterator[PtyPair]:
    """Both sides of a pseudo-terminal, with limits on every wait."""
    from ..tools.channels.pty_pair import pty_pair

    with pty_pair() as pair:
        yield pair


@pytest.fixture
def socket_pair() -> Iterator[SocketPair]:
    """Two connected sockets, with limits on every wait."""
    from ..tools.channels.socket_pair import socket_pair

    with socket_pair() as pair:
        yield pair


@pytest.fixture
def process_factory(request: pytest.FixtureRequest) -> Iterator[ProcessFactory]:
    """Start real programs that live no longer than the test."""
    from ..tools.programs.process_factory import ProcessFactory

    with ProcessFactory() as factory:
        add_note(request.node, lambda: _excerpts(factory))
        yield factory


def _excerpts(factory: ProcessFactory) -> tuple[str, str] | None:
    texts = [f"--- {title}\n{text}" for title, text in factory.excerpts()]
    return ("output of started processes", "\n".join(texts)) if texts else None


@pytest.fixture
def signal_timeout() -> type[SignalTimeoutBlock]:
    """Limit the time that a block of code may take; fractions of a second allowed."""
    from ..tools.timeouts.signal_timeout import signal_timeout

    return signal_timeout


@pytest.fixture
def signal_log() -> Callable[..., AbstractContextManager[SignalLog]]:
    """Record which signals arrive during a block of code, and when."""
    from ..tools.signals.signal_log import signal_log

    return signal_log


@pytest.fixture
def rlimits() -> Callable[..., AbstractContextManager[None]]:
    """Lower resource limits inside a forked child: ``rlimits(nofile=16)``."""
    from ..tools.forking.rlimits import rlimits

    return rlimits


@pytest.fixture
def leak_check() -> Callable[..., LeakCheck]:
    """Fail there and then if a block of code leaves a process or descriptor behind."""
    from ..detectors.leak_check import leak_check

    return leak_check

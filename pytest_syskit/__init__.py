"""Test system code: leaked processes and descriptors, forks, FIFOs, signals, workspaces.

Every tool is importable from here and works without pytest; the plugin hands the same tools out as
fixtures.  Names are loaded on first use, so importing this package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .detectors.leak_check import LeaksFound as LeaksFound
    from .detectors.leak_check import leak_check as leak_check
    from .leaks.leak import Leak as Leak
    from .leaks.owner import Owner as Owner
    from .leaks.resource import Detector as Detector
    from .leaks.resource import NotObservable as NotObservable
    from .leaks.resource import Resource as Resource
    from .tools.channel_errors import ChannelTimeout as ChannelTimeout
    from .tools.channel_errors import EndOfStream as EndOfStream
    from .tools.channel_errors import NobodyReads as NobodyReads
    from .tools.fake_env import FakeEnv as FakeEnv
    from .tools.fake_platform import FakePlatform as FakePlatform
    from .tools.fake_platform import fake_platform as fake_platform
    from .tools.fifo_pair import FifoPair as FifoPair
    from .tools.fifo_pair import fifo_pair as fifo_pair
    from .tools.fork_handle import ForkHandle as ForkHandle
    from .tools.fork_results import Exited as Exited
    from .tools.fork_results import ForkResult as ForkResult
    from .tools.fork_results import Killed as Killed
    from .tools.fork_results import Raised as Raised
    from .tools.fork_results import Returned as Returned
    from .tools.fork_results import TimedOut as TimedOut
    from .tools.fork_runner import ForkRunner as ForkRunner
    from .tools.fork_runner import run_in_fork as run_in_fork
    from .tools.pipe_pair import PipePair as PipePair
    from .tools.pipe_pair import pipe_pair as pipe_pair
    from .tools.process_errors import ProcessError as ProcessError
    from .tools.process_errors import ProcessExited as ProcessExited
    from .tools.process_errors import ProcessNotStarted as ProcessNotStarted
    from .tools.process_errors import ProcessTimeout as ProcessTimeout
    from .tools.process_factory import ProcessFactory as ProcessFactory
    from .tools.pty_pair import PtyPair as PtyPair
    from .tools.pty_pair import pty_pair as pty_pair
    from .tools.remote_errors import RemoteError as RemoteError
    from .tools.rlimits import rlimits as rlimits
    from .tools.short_socket_dir import short_socket_dir as short_socket_dir
    from .tools.signal_log import SignalLog as SignalLog
    from .tools.signal_log import signal_log as signal_log
    from .tools.signal_state import signal_state as signal_state
    from .tools.signal_timeout import signal_timeout as signal_timeout
    from .tools.socket_pair import SocketPair as SocketPair
    from .tools.socket_pair import socket_pair as socket_pair
    from .tools.started_process import StartedProcess as StartedProcess
    from .tools.stub_command import Call as Call
    from .tools.stub_command import StubCommand as StubCommand
    from .tools.stub_guard import UnexpectedCommand as UnexpectedCommand
    from .tools.timeout_verdict import SignalTimeout as SignalTimeout
    from .tools.tree_diff import TreeDiff as TreeDiff
    from .tools.tree_not_removed import TreeNotRemoved as TreeNotRemoved
    from .tools.tree_snapshot import TreeSnapshot as TreeSnapshot
    from .tools.workspace import TempWorkspace as TempWorkspace
    from .tools.workspace_entries import Executable as Executable
    from .tools.workspace_entries import Fifo as Fifo
    from .tools.workspace_entries import File as File
    from .tools.workspace_entries import HardLink as HardLink
    from .tools.workspace_entries import Symlink as Symlink
    from .tools.workspace_entries import UnixSocket as UnixSocket

__version__ = "0.1.0"

# Public name -> the module that defines it.
_HOMES = {
    "Call": "tools.stub_command",
    "ChannelTimeout": "tools.channel_errors",
    "Detector": "leaks.resource",
    "EndOfStream": "tools.channel_errors",
    "Executable": "tools.workspace_entries",
    "Exited": "tools.fork_results",
    "fake_platform": "tools.fake_platform",
    "FakeEnv": "tools.fake_env",
    "FakePlatform": "tools.fake_platform",
    "Fifo": "tools.workspace_entries",
    "fifo_pair": "tools.fifo_pair",
    "FifoPair": "tools.fifo_pair",
    "File": "tools.workspace_entries",
    "ForkHandle": "tools.fork_handle",
    "ForkResult": "tools.fork_results",
    "ForkRunner": "tools.fork_runner",
    "HardLink": "tools.workspace_entries",
    "Killed": "tools.fork_results",
    "Leak": "leaks.leak",
    "leak_check": "detectors.leak_check",
    "LeaksFound": "detectors.leak_check",
    "NobodyReads": "tools.channel_errors",
    "NotObservable": "leaks.resource",
    "Owner": "leaks.owner",
    "pipe_pair": "tools.pipe_pair",
    "PipePair": "tools.pipe_pair",
    "ProcessError": "tools.process_errors",
    "ProcessExited": "tools.process_errors",
    "ProcessFactory": "tools.process_factory",
    "ProcessNotStarted": "tools.process_errors",
    "ProcessTimeout": "tools.process_errors",
    "pty_pair": "tools.pty_pair",
    "PtyPair": "tools.pty_pair",
    "Raised": "tools.fork_results",
    "RemoteError": "tools.remote_errors",
    "Resource": "leaks.resource",
    "Returned": "tools.fork_results",
    "rlimits": "tools.rlimits",
    "run_in_fork": "tools.fork_runner",
    "short_socket_dir": "tools.short_socket_dir",
    "signal_log": "tools.signal_log",
    "signal_state": "tools.signal_state",
    "signal_timeout": "tools.signal_timeout",
    "SignalLog": "tools.signal_log",
    "SignalTimeout": "tools.timeout_verdict",
    "socket_pair": "tools.socket_pair",
    "SocketPair": "tools.socket_pair",
    "StartedProcess": "tools.started_process",
    "StubCommand": "tools.stub_command",
    "Symlink": "tools.workspace_entries",
    "TempWorkspace": "tools.workspace",
    "TimedOut": "tools.fork_results",
    "TreeDiff": "tools.tree_diff",
    "TreeNotRemoved": "tools.tree_not_removed",
    "TreeSnapshot": "tools.tree_snapshot",
    "UnexpectedCommand": "tools.stub_guard",
    "UnixSocket": "tools.workspace_entries",
}

__all__ = [  # noqa: PLE0604, F822, RUF100  # names come from _HOMES when asked for
    "Call",
    "ChannelTimeout",
    "Detector",
    "EndOfStream",
    "Executable",
    "Exited",
    "FakeEnv",
    "FakePlatform",
    "Fifo",
    "FifoPair",
    "File",
    "ForkHandle",
    "ForkResult",
    "ForkRunner",
    "HardLink",
    "Killed",
    "Leak",
    "LeaksFound",
    "NobodyReads",
    "NotObservable",
    "Owner",
    "PipePair",
    "ProcessError",
    "ProcessExited",
    "ProcessFactory",
    "ProcessNotStarted",
    "ProcessTimeout",
    "PtyPair",
    "Raised",
    "RemoteError",
    "Resource",
    "Returned",
    "SignalLog",
    "SignalTimeout",
    "SocketPair",
    "StartedProcess",
    "StubCommand",
    "Symlink",
    "TempWorkspace",
    "TimedOut",
    "TreeDiff",
    "TreeNotRemoved",
    "TreeSnapshot",
    "UnexpectedCommand",
    "UnixSocket",
    "__version__",
    "fake_platform",
    "fifo_pair",
    "leak_check",
    "pipe_pair",
    "pty_pair",
    "rlimits",
    "run_in_fork",
    "short_socket_dir",
    "signal_log",
    "signal_state",
    "signal_timeout",
    "socket_pair",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

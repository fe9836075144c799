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
    from .tools.channels.channel_end import ChannelEnd as ChannelEnd
    from .tools.channels.channel_errors import ChannelTimeout as ChannelTimeout
    from .tools.channels.channel_errors import EndOfStream as EndOfStream
    from .tools.channels.channel_errors import NobodyReads as NobodyReads
    from .tools.channels.fifo_pair import FifoPair as FifoPair
    from .tools.channels.fifo_pair import fifo_pair as fifo_pair
    from .tools.channels.pipe_pair import PipePair as PipePair
    from .tools.channels.pipe_pair import pipe_pair as pipe_pair
    from .tools.channels.pty_pair import PtyPair as PtyPair
    from .tools.channels.pty_pair import pty_pair as pty_pair
    from .tools.channels.socket_pair import SocketPair as SocketPair
    from .tools.channels.socket_pair import socket_pair as socket_pair
    from .tools.environment.fake_env import FakeEnv as FakeEnv
    from .tools.environment.fake_platform import FakePlatform as FakePlatform
    from .tools.environment.fake_platform import fake_platform as fake_platform
    from .tools.environment.stub_command import Call as Call
    from .tools.environment.stub_command import StubCommand as StubCommand
    from .tools.environment.stub_guard import UnexpectedCommand as UnexpectedCommand
    from .tools.forking.fork_handle import ForkHandle as ForkHandle
    from .tools.forking.fork_leftovers import EscapedChild as EscapedChild
    from .tools.forking.fork_leftovers import LeftDescriptor as LeftDescriptor
    from .tools.forking.fork_leftovers import LeftProcess as LeftProcess
    from .tools.forking.fork_results import Exited as Exited
    from .tools.forking.fork_results import ForkResult as ForkResult
    from .tools.forking.fork_results import Killed as Killed
    from .tools.forking.fork_results import NoValue as NoValue
    from .tools.forking.fork_results import Raised as Raised
    from .tools.forking.fork_results import Returned as Returned
    from .tools.forking.fork_results import TimedOut as TimedOut
    from .tools.forking.fork_runner import ForkRunner as ForkRunner
    from .tools.forking.fork_runner import run_in_fork as run_in_fork
    from .tools.forking.remote_errors import RemoteError as RemoteError
    from .tools.forking.rlimits import rlimits as rlimits
    from .tools.programs.process_errors import ProcessError as ProcessError
    from .tools.programs.process_errors import ProcessExited as ProcessExited
    from .tools.programs.process_errors import ProcessNotStarted as ProcessNotStarted
    from .tools.programs.process_errors import ProcessTimeout as ProcessTimeout
    from .tools.programs.process_factory import ProcessFactory as ProcessFactory
    from .tools.programs.started_process import StartedProcess as StartedProcess
    from .tools.signals.signal_log import Delivery as Delivery
    from .tools.signals.signal_log import SignalLog as SignalLog
    from .tools.signals.signal_log import signal_log as signal_log
    from .tools.signals.signal_state import SignalState as SignalState
    from .tools.signals.signal_state import signal_state as signal_state
    from .tools.timeouts.autopsy import autopsy as autopsy
    from .tools.timeouts.signal_timeout import signal_timeout as signal_timeout
    from .tools.timeouts.timeout_verdict import SignalTimeout as SignalTimeout
    from .tools.workspace.short_socket_dir import short_socket_dir as short_socket_dir
    from .tools.workspace.tree_diff import TreeDiff as TreeDiff
    from .tools.workspace.tree_not_removed import TreeNotRemoved as TreeNotRemoved
    from .tools.workspace.tree_snapshot import TreeSnapshot as TreeSnapshot
    from .tools.workspace.workspace import TempWorkspace as TempWorkspace
    from .tools.workspace.workspace_entries import Executable as Executable
    from .tools.workspace.workspace_entries import Fifo as Fifo
    from .tools.workspace.workspace_entries import File as File
    from .tools.workspace.workspace_entries import HardLink as HardLink
    from .tools.workspace.workspace_entries import Symlink as Symlink
    from .tools.workspace.workspace_entries import UnixSocket as UnixSocket

__version__ = "0.1.0"

# Public name -> the module that defines it.
_HOMES = {
    "autopsy": "tools.timeouts.autopsy",
    "Call": "tools.environment.stub_command",
    "ChannelEnd": "tools.channels.channel_end",
    "ChannelTimeout": "tools.channels.channel_errors",
    "Delivery": "tools.signals.signal_log",
    "Detector": "leaks.resource",
    "EndOfStream": "tools.channels.channel_errors",
    "EscapedChild": "tools.forking.fork_leftovers",
    "Executable": "tools.workspace.workspace_entries",
    "Exited": "tools.forking.fork_results",
    "fake_platform": "tools.environment.fake_platform",
    "FakeEnv": "tools.environment.fake_env",
    "FakePlatform": "tools.environment.fake_platform",
    "Fifo": "tools.workspace.workspace_entries",
    "fifo_pair": "tools.channels.fifo_pair",
    "FifoPair": "tools.channels.fifo_pair",
    "File": "tools.workspace.workspace_entries",
    "ForkHandle": "tools.forking.fork_handle",
    "ForkResult": "tools.forking.fork_results",
    "ForkRunner": "tools.forking.fork_runner",
    "HardLink": "tools.workspace.workspace_entries",
    "Killed": "tools.forking.fork_results",
    "Leak": "leaks.leak",
    "leak_check": "detectors.leak_check",
    "LeaksFound": "detectors.leak_check",
    "LeftDescriptor": "tools.forking.fork_leftovers",
    "LeftProcess": "tools.forking.fork_leftovers",
    "NobodyReads": "tools.channels.channel_errors",
    "NotObservable": "leaks.resource",
    "NoValue": "tools.forking.fork_results",
    "Owner": "leaks.owner",
    "pipe_pair": "tools.channels.pipe_pair",
    "PipePair": "tools.channels.pipe_pair",
    "ProcessError": "tools.programs.process_errors",
    "ProcessExited": "tools.programs.process_errors",
    "ProcessFactory": "tools.programs.process_factory",
    "ProcessNotStarted": "tools.programs.process_errors",
    "ProcessTimeout": "tools.programs.process_errors",
    "pty_pair": "tools.channels.pty_pair",
    "PtyPair": "tools.channels.pty_pair",
    "Raised": "tools.forking.fork_results",
    "RemoteError": "tools.forking.remote_errors",
    "Resource": "leaks.resource",
    "Returned": "tools.forking.fork_results",
    "rlimits": "tools.forking.rlimits",
    "run_in_fork": "tools.forking.fork_runner",
    "short_socket_dir": "tools.workspace.short_socket_dir",
    "signal_log": "tools.signals.signal_log",
    "signal_state": "tools.signals.signal_state",
    "signal_timeout": "tools.timeouts.signal_timeout",
    "SignalLog": "tools.signals.signal_log",
    "SignalState": "tools.signals.signal_state",
    "SignalTimeout": "tools.timeouts.timeout_verdict",
    "socket_pair": "tools.channels.socket_pair",
    "SocketPair": "tools.channels.socket_pair",
    "StartedProcess": "tools.programs.started_process",
    "StubCommand": "tools.environment.stub_command",
    "Symlink": "tools.workspace.workspace_entries",
    "TempWorkspace": "tools.workspace.workspace",
    "TimedOut": "tools.forking.fork_results",
    "TreeDiff": "tools.workspace.tree_diff",
    "TreeNotRemoved": "tools.workspace.tree_not_removed",
    "TreeSnapshot": "tools.workspace.tree_snapshot",
    "UnexpectedCommand": "tools.environment.stub_guard",
    "UnixSocket": "tools.workspace.workspace_entries",
}

__all__ = [  # noqa: RUF022  # sorted as a reader sorts
    "autopsy",
    "Call",
    "ChannelEnd",
    "ChannelTimeout",
    "Delivery",
    "Detector",
    "EndOfStream",
    "EscapedChild",
    "Executable",
    "Exited",
    "fake_platform",
    "FakeEnv",
    "FakePlatform",
    "Fifo",
    "fifo_pair",
    "FifoPair",
    "File",
    "ForkHandle",
    "ForkResult",
    "ForkRunner",
    "HardLink",
    "Killed",
    "Leak",
    "leak_check",
    "LeaksFound",
    "LeftDescriptor",
    "LeftProcess",
    "NobodyReads",
    "NotObservable",
    "NoValue",
    "Owner",
    "pipe_pair",
    "PipePair",
    "ProcessError",
    "ProcessExited",
    "ProcessFactory",
    "ProcessNotStarted",
    "ProcessTimeout",
    "pty_pair",
    "PtyPair",
    "Raised",
    "RemoteError",
    "Resource",
    "Returned",
    "rlimits",
    "run_in_fork",
    "short_socket_dir",
    "signal_log",
    "signal_state",
    "signal_timeout",
    "SignalLog",
    "SignalState",
    "SignalTimeout",
    "socket_pair",
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

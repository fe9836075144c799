"""The pytest plugin: names the hooks and fixtures, nothing else."""

from __future__ import annotations

import pytest

from .hooks.fixtures import (
    fake_env,
    fake_platform,
    fifo_pair,
    fork_runner,
    leak_check,
    pipe_pair,
    process_factory,
    pty_pair,
    rlimits,
    short_socket_dir,
    signal_log,
    signal_timeout,
    socket_pair,
    temp_workspace,
)
from .hooks.information import pytest_cmdline_main
from .hooks.markers import (
    marker_lines,
    pytest_collection_modifyitems,
    pytest_runtestloop,
    pytest_testnodedown,
)
from .hooks.options import add_options as pytest_addoption
from .hooks.session import add_hooks as pytest_addhooks
from .hooks.session import (
    configure,
    pytest_collection_finish,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from .hooks.session import header as pytest_report_header
from .hooks.skip_before_import import (
    pytest_collect_file,
    pytest_make_collect_report,
    pytest_pycollect_makemodule,
)

__all__ = [
    "fake_env",
    "fake_platform",
    "fifo_pair",
    "fork_runner",
    "leak_check",
    "pipe_pair",
    "process_factory",
    "pty_pair",
    "pytest_addhooks",
    "pytest_addoption",
    "pytest_cmdline_main",
    "pytest_collect_file",
    "pytest_collection_finish",
    "pytest_collection_modifyitems",
    "pytest_make_collect_report",
    "pytest_pycollect_makemodule",
    "pytest_report_header",
    "pytest_runtestloop",
    "pytest_sessionfinish",
    "pytest_terminal_summary",
    "pytest_testnodedown",
    "rlimits",
    "short_socket_dir",
    "signal_log",
    "signal_timeout",
    "socket_pair",
    "temp_workspace",
]


def pytest_configure(config: pytest.Config) -> None:
    """Read the settings, start what they ask for, and describe the markers."""
    configure(config)
    for line in marker_lines(config):
        config.addinivalue_line("markers", line)

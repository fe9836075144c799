"""Running pytest as a page of the documentation shows it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

LIMIT = 60  # seconds for a run; the slowest takes about five on a busy machine


def run_pytest(
    folder: Path, arguments: list[str], *, plugins: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder and a session of its own; end what it leaves there."""
    own = ("PYTEST", "SYSKIT", "GITHUB_", "COLUMNS")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    environment |= {"COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "syskit", "-p", "no:cacheprovider"]
    if plugins:
        command += ["-p", "no:randomly"]
    else:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with subprocess.Popen(
        [*command, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            output, _ = child.communicate(timeout=LIMIT)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(command, child.returncode, output)

"""One pytest run in a folder of its own, with what it published of each test."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

RECORDER = """
import json, os
import pytest

@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report):
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # its controller publishes
    outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
    told = [report.nodeid.partition("::")[2], report.when, outcome, report.longreprtext]
    with open({path!r}, "a") as out:
        print(json.dumps(told), file=out)
"""
TIMEOUT = 120  # seconds for a whole run


def start_recording(folder):
    """Let a run in ``folder`` note every report."""
    (folder / "conftest.py").write_text(RECORDER.format(path=str(folder / "record.jsonl")))


def recorded(folder):
    """Return test -> [(phase, outcome, text of the failure)], in the order of publication."""
    told: dict[str, list[tuple[str, str, str]]] = {}
    for line in (folder / "record.jsonl").read_text().splitlines():
        test, *report = json.loads(line)
        told.setdefault(test, []).append(tuple(report))
    return told


def run_pytest(folder, arguments):
    """Run pytest in a session of its own, end whatever it leaves there; return status and output."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "SYSKIT"))}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    output = folder / "output.txt"
    with output.open("w") as out:
        run = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "syskit", *arguments],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        status = run.wait(timeout=TIMEOUT)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    return status, output.read_text()

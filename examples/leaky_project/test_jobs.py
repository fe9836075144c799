"""Four tests that pass, and each leaves something behind; the two at the end do not."""

from __future__ import annotations

import os
import subprocess

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the samples fork")

# Everything started here ends by itself after half a minute.
NAP = ["sleep", "30"]


def start_daemon():
    """Start a process in a session of its own, with nobody left who could wait for it."""
    middle = os.fork()
    if middle == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                os.execvp(NAP[0], NAP)
        finally:
            os._exit(0)
    os.waitpid(middle, 0)


def test_compress_in_background():
    """LEAK: the child ended, and nobody collects its status: a zombie."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os._exit(os.write(writer, b"done") - 4)
    os.close(writer)
    with open(reader, "rb") as answer:
        assert answer.read() == b"done"


def test_daemon_starts():
    """LEAK: the daemon outlives the test; no one is its parent any more."""
    start_daemon()


def test_server_answers():
    """LEAK: the server still runs; an assertion before its stop() would do the same."""
    server = subprocess.Popen(NAP)
    assert server.poll() is None


def test_pipeline_closes_its_input():
    """LEAK: both ends of the pipe stay open."""
    reader, writer = os.pipe()
    os.write(writer, b"ready")
    assert os.read(reader, 5) == b"ready"


def test_clock_ticks(clock):
    """Clean: the process belongs to a session fixture that ends it."""
    assert clock.poll() is None


def test_child_is_waited_for():
    """Clean: started, finished and waited for."""
    assert subprocess.run(["true"], check=False).returncode == 0

"""Fixtures of the sample project: one leaks, one is clean."""

from __future__ import annotations

import os
import subprocess

import pytest


@pytest.fixture(scope="module")
def search_index(tmp_path_factory):
    """LEAK: the index stays open, because nothing stands after the return."""
    path = tmp_path_factory.mktemp("index") / "words.idx"
    return os.open(path, os.O_RDWR | os.O_CREAT)


@pytest.fixture(scope="session")
def clock():
    """Clean: lives through the whole session, and is ended and waited for with it."""
    with subprocess.Popen(["sleep", "30"]) as process:
        yield process
        process.terminate()

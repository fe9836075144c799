"""Write the test suites that are measured: empty tests, and what surrounds them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PER_MODULE = 100  # a usual size, so that module boundaries weigh as they do elsewhere

_PSUTIL_CONFTEST = '''
import psutil, pytest

@pytest.fixture(autouse=True)
def no_children_left():
    """What people write first: list the children before and after every test."""
    own = psutil.Process()
    before = set(own.children(recursive=True))
    yield
    assert set(own.children(recursive=True)) <= before
'''

_OPEN_DESCRIPTORS = """
import os

KEPT = [os.open(os.devnull, os.O_RDONLY) for _ in range({count})]
"""

# Growth is read from a quarter to the end: the first quarter fills caches that stay as they are.
_MEMORY = """
import json, os, pathlib, psutil

seen = {{"tests": 0}}
own = psutil.Process()

def pytest_runtest_logfinish():
    seen["tests"] += 1
    if seen["tests"] == {total} // 4:
        seen["early"] = own.memory_info().rss

def pytest_sessionfinish():
    seen["late"] = own.memory_info().rss
    pathlib.Path(os.environ["MEMORY_FILE"]).write_text(json.dumps(seen))
"""


def write_empty_tests(folder: Path, count: int) -> Path:
    """Write ``count`` tests that do nothing, a hundred to a module; return the folder."""
    folder.mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n")
    for first in range(0, count, _PER_MODULE):
        numbers = range(first, min(first + _PER_MODULE, count))
        text = "".join(f"def test_{number}(): pass\n" for number in numbers)
        (folder / f"test_{first // _PER_MODULE:04}.py").write_text(text)
    return folder


def open_descriptors(folder: Path, count: int) -> Path:
    """Let the session hold ``count`` descriptors from its start."""
    (folder / "conftest.py").write_text(_OPEN_DESCRIPTORS.format(count=count))
    return folder


def list_children_with_psutil(folder: Path) -> Path:
    """Add the fixture that asks psutil for the children around every test."""
    (folder / "conftest.py").write_text(_PSUTIL_CONFTEST)
    return folder


def record_memory(folder: Path, total: int) -> Path:
    """Let the session write its resident size, early and late, to ``$MEMORY_FILE``."""
    (folder / "conftest.py").write_text(_MEMORY.format(total=total))
    return folder


@contextmanager
def unrelated_processes(count: int) -> Iterator[None]:
    """Keep ``count`` idle processes on the machine that are no descendants of any test session."""
    idle = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"]
    processes = [subprocess.Popen(idle, stdin=subprocess.PIPE) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.communicate()  # closes its input, upon which it ends

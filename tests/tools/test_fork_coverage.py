"""Lines that only a forked child ran are counted, with no setting at all."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

coverage = pytest.importorskip("coverage")
needs_restart = pytest.mark.skipif(
    coverage.version_info < (7, 17), reason="before 7.17 patch = fork stops measuring in the child"
)

SCRIPT = """\
from pytest_syskit.tools.forking.fork_runner import run_in_fork

def parent_only():
    return 1

def child_only(flag):
    if flag:
        return 2
    return 3

def grandchild():
    return 4

def nested():
    return run_in_fork(grandchild).unwrap()

def never():
    return 5

assert parent_only() == 1
assert run_in_fork(child_only, True).unwrap() == 2
assert run_in_fork(nested).unwrap() == 4
assert parent_only() == 1
assert run_in_fork(child_only, False).unwrap() == 3
"""


def measured(folder, *, settings="", options=()):
    """Run the script under coverage and return the lines that it counted as run."""
    (folder / "script.py").write_text(SCRIPT)
    (folder / ".coveragerc").write_text(f"[run]\n{settings}\n")

    def run_coverage(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "coverage", *arguments],
            cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    run_coverage("run", *options, "script.py")
    if "parallel" in settings:
        run_coverage("combine")
    run_coverage("json", "--include=script.py", "-o", "report.json")
    return json.loads((folder / "report.json").read_text())["files"]["script.py"]


def lines_with(*texts):
    return {n for n, line in enumerate(SCRIPT.splitlines(), 1) if any(t in line for t in texts)}


@pytest.mark.parametrize(
    "settings",
    [
        "",
        "branch = true",
        "parallel = true",
        "parallel = true\npatch = _exit",
        pytest.param("patch = fork", marks=needs_restart),
    ],
)
def test_lines_of_children_and_grandchildren_are_counted(tmp_path, settings):
    found = measured(tmp_path, settings=settings)
    run = set(found["executed_lines"])
    assert lines_with("return 1", "return 2", "return 3", "return 4", "return run_in") <= run
    assert set(found["missing_lines"]) == lines_with("return 5")
    left = {path.name for path in tmp_path.iterdir() if path.name.startswith(".coverage")}
    assert left == {".coverage", ".coveragerc"}


def test_branches_of_children_are_counted(tmp_path):
    found = measured(tmp_path, options=["--branch"])
    assert found["summary"]["missing_branches"] == 0

"""The README's two lines are what they say: one line each, and they work."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

OWNERS = {
    "test_compress_in_background": "zombie",
    "test_daemon_starts": "orphan",
    "test_server_answers": "running",
    "test_pipeline_closes_its_input": "pipe",
    "search_index": "fd",
}
INNOCENT = (
    "test_index_is_a_file_of_ours",
    "test_index_accepts_words",
    "test_clock_ticks",
    "test_child_is_waited_for",
)
# Seconds. The demo needs about one; none of its processes lives longer than thirty.
LIMIT = 60


def line(name: str) -> str:
    """Return the command below ``<!-- line: NAME -->``."""
    block = re.search(rf"<!-- line: {name} -->\n```\w*\n(.*?)```", README, re.DOTALL)
    assert block, f"the README has no line {name!r}"
    return block[1].removesuffix("\n")


def pytest_part(name: str) -> list[str]:
    """Return the arguments that a line hands to pytest."""
    command = shlex.split(line(name).split("&&")[-1])
    assert command[:3] == [".venv/bin/python", "-m", "pytest"]
    return command[3:]


@pytest.fixture(scope="module")
def demo():
    """Run the demo line's pytest part with this interpreter, from the repository's root."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SYSKIT_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *pytest_part("demo")],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_a_line_is_one_line(name):
    assert "\n" not in line(name)


@pytest.mark.parametrize("name", ["demo", "tests"])
def test_a_line_needs_nothing_but_python_and_a_checkout(name):
    venv, install, run = line(name).split(" && ")
    assert venv == "python3 -m venv .venv"
    assert install.startswith(".venv/bin/pip install ")
    assert run.startswith(".venv/bin/python -m pytest")


def test_paths_in_the_lines_exist():
    for argument in [*pytest_part("demo"), *pytest_part("tests")]:
        assert argument.startswith("-") or (ROOT / argument).exists(), argument


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the sample project forks")
class TestDemo:
    """What a reader sees who copies the demo line."""

    def test_every_sample_test_passes_and_the_run_fails(self, demo):
        assert demo.returncode == 1, demo.stdout + demo.stderr
        assert re.search(r"\b8 passed\b", demo.stdout), demo.stdout

    @pytest.mark.parametrize("owner", OWNERS)
    def test_the_report_names_the_owner_and_what_it_left(self, demo, owner):
        block = re.search(
            rf"^[^\n]*{owner}[^\n]* left [^\n]+ behind\n(?:[ \t]+[^\n]*\n)+",
            demo.stdout,
            re.MULTILINE,
        )
        assert block, f"no block for {owner} in\n{demo.stdout}"
        assert OWNERS[owner] in block[0]

    @pytest.mark.parametrize("name", INNOCENT)
    def test_the_report_does_not_blame(self, demo, name):
        assert not re.search(rf"{name}[^\n]* left ", demo.stdout)

    def test_the_sample_project_has_its_own_settings(self, demo):
        assert re.search(r"^rootdir: .*leaky_project$", demo.stdout, re.MULTILINE), demo.stdout
        assert "configfile: pytest.ini" in demo.stdout


def test_the_main_run_does_not_collect_the_sample_project():
    inner = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--collect-only",
            "-q",
            "examples",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert inner.returncode in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}
    assert "leaky_project" not in inner.stdout

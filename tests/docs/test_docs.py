"""What the documentation shows happens, and its pages are built."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docs_pages
import pytest
from docs_pages import DOCS, ROOT, Run, name_of, pages
from docs_runs import LIMIT, run_pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the pages show what POSIX has")

RUNS = [run for page in pages() for run in docs_pages.runs(page)]


def told(text: str, folder: Path) -> list[str]:
    """Return the lines of an output without indentation and what differs from run to run."""
    text = text.replace(f"{folder}{os.sep}", "").replace(str(folder), ".")
    text = re.sub(r"\S*pytest-of-\S+?/pytest-\d+/", "", text)
    text = re.sub(r"\bpython[\d.]+\b", "python", text)
    text = re.sub(r"\d+(\.\d+)?", "#", re.sub(r"[-_=]{3,}", "-", text))
    return [re.sub(r"^E?\s+", "", line.rstrip()) for line in text.splitlines()]


def missing_line(shown: list[str], printed: list[str]) -> str | None:
    """Return the first shown line that was not printed after the ones before it.

    ``…`` stands for anything, also within a line.
    """
    rest = iter(printed)
    return next((line for line in shown if line not in {"", "…"} and not _is_in(line, rest)), None)


def _is_in(line: str, rest: Iterator[str]) -> bool:
    pattern = re.compile(".*".join(map(re.escape, line.split("…"))))
    return any(pattern.fullmatch(each) for each in rest)


def is_part_of(shown: Any, whole: Any) -> bool:
    """Say whether shown JSON values occur in others; numbers need only be numbers."""
    if isinstance(shown, dict):
        return isinstance(whole, dict) and all(
            name in whole and is_part_of(value, whole[name]) for name, value in shown.items()
        )
    if isinstance(shown, list):
        return isinstance(whole, list) and all(any(is_part_of(s, w) for w in whole) for s in shown)
    if isinstance(shown, int | float) and not isinstance(shown, bool):
        return isinstance(whole, int | float)
    return told(str(shown), ROOT) == told(str(whole), ROOT) and type(shown) is type(whole)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.page}:{run.line}")
def test_what_a_page_shows_happens(run: Run, tmp_path):
    for module in run.needs:
        pytest.importorskip(module)
    if "root" in run.conditions and os.geteuid() != 0:
        pytest.skip("shows what the superuser can do")
    if "linux" in run.conditions and not sys.platform.startswith("linux"):
        pytest.skip("shows what Linux can do")
    for name, text in run.files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    result = run_pytest(tmp_path, run.arguments, plugins=bool(run.needs))
    assert result.returncode == run.status, result.stdout
    for shown in run.outputs:
        absent = missing_line(told(shown, tmp_path), told(result.stdout, tmp_path))
        assert absent is None, f"not printed: {absent}\n{result.stdout}"
    for name, text in run.reports.items():
        report = json.loads((tmp_path / name).read_text(encoding="utf-8"))
        assert is_part_of(json.loads(text), report), json.dumps(report, indent=1)


def test_there_is_something_to_run():
    assert len(RUNS) > 20


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_every_python_block_is_run(page):
    for block in docs_pages.blocks(page.read_text(encoding="utf-8")):
        if block.language == "python":
            assert "test" in block.words or block.values("file"), f"{page}:{block.line}"


def test_a_line_that_was_not_printed_is_noticed():
    assert missing_line(["a", "…", "c…e"], ["a", "b", "cde"]) is None
    assert missing_line(["c", "a"], ["a", "b", "c"]) == "a"


def test_a_value_that_is_not_in_the_report_is_noticed():
    assert is_part_of({"a": [{"pid": 1}]}, {"a": [{"pid": 2, "b": None}], "c": 1})
    assert not is_part_of({"a": [{"pid": 1}]}, {"a": [{"fd": 2}]})
    assert not is_part_of({"a": True}, {"a": False})


@pytest.mark.skipif(not importlib.util.find_spec("sphinx"), reason="needs pytest-syskit[docs]")
def test_the_documentation_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    built = subprocess.run(
        [*command, "-d", tmp_path / "doctrees", DOCS, tmp_path / "html"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert built.returncode == 0, built.stderr

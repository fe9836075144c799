"""Each known trap becomes what the documentation says of it."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from docs_pages import text_of
from docs_runs import run_pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the pages show what POSIX has")

TRAPS = Path(__file__).with_name("traps.py").read_text(encoding="utf-8")
TRAP_PAGE = text_of("explanation/what-we-cannot-see.md")


def promised(adopted: bool) -> dict[str, list[str]]:
    """Return what becomes of each trap, as its line says: words behind the arrow."""
    found = re.findall(r"def (test_t\w+)\(.*\):  # -> ([^;\n]*)(?:; adopted: (.*))?", TRAPS)
    return {
        name: sorted((other if adopted and other else word).split()) for name, word, other in found
    }


def word_for(leak: dict[str, Any]) -> str:
    detail = leak["detail"]
    if "change" in detail:
        return f"fd:{detail['change']}"
    if leak["kind"] == "fd":
        return "fd"
    return "orphan" if detail["orphan"] else f"process:{detail['state']}"


@pytest.mark.parametrize("adopted", [False, True], ids=["marked", "adopted"])
def test_each_trap_becomes_what_its_line_says(adopted, tmp_path):
    (tmp_path / "test_traps.py").write_text(TRAPS, encoding="utf-8")
    arguments = ["-W", "ignore", "--syskit-reap=leaked", "--syskit-report=r.json"]
    result = run_pytest(tmp_path, arguments + ["--syskit-subreaper"] * adopted)
    assert result.returncode == 0, result.stdout
    became: dict[str, list[str]] = {}
    for leak in json.loads((tmp_path / "r.json").read_text())["leaks"]:
        name = leak["owner"]["id"].rpartition("::")[2].partition("[")[0]
        became.setdefault(name, []).append(word_for(leak))
    for name, words in promised(adopted).items():
        ran = sys.platform.startswith("linux")  # elsewhere some are skipped
        assert sorted(became.pop(name, ["nothing"])) == words or not ran, (name, result.stdout)
    assert not became


def test_every_trap_has_a_row():
    numbers = [int(n) for n in re.findall(r"^\| (\d+) \|", TRAP_PAGE, re.MULTILINE)]
    assert numbers == list(range(1, 76))


def test_the_page_names_the_traps_that_are_run():
    rows = [line for line in TRAP_PAGE.splitlines() if re.match(r"\| \d+ ", line)]
    named = {name for row in rows for name in re.findall(r"`(test_t\d\w+)`", row)}
    assert named == promised(adopted=False).keys()

"""The pages of the documentation, taken apart: fenced blocks, and what is to be run.

The words after the language of a fence say what a block is::

    python test             a complete test module, which must pass
    python file=NAME        a file for the blocks that follow on this page; any language
    console run             a command line ``$ pytest …``, run with the page's files so far
    text output             lines that the run before must have printed, in this order
    json report=NAME        values that the JSON report NAME of the run before must contain

A run may say more: ``status=1`` (0 unless given), ``args=OPTION`` (repeatable), ``needs=MODULE`` (skipped
without it), ``root`` and ``linux`` (skipped elsewhere).  A test module is named ``test_docs_N.py``, N counting from 1 on
each page.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```(\w+)[ \t]*([^\n{]*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, the words after it, its text and its line."""

    language: str
    words: tuple[str, ...]
    text: str
    line: int

    def values(self, name: str) -> list[str]:
        """Return the values of each word ``name=value``."""
        return [word.partition("=")[2] for word in self.words if word.startswith(f"{name}=")]


@dataclass(slots=True)
class Run:
    """One run of pytest that a page asks for, and what the page says about it."""

    page: str
    line: int
    files: dict[str, str]
    arguments: list[str]
    status: int = 0
    needs: list[str] = field(default_factory=list)
    conditions: set[str] = field(default_factory=set)
    outputs: list[str] = field(default_factory=list)
    reports: dict[str, str] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether it may be joined with its neighbours: tests that pass, and nothing else."""
        special = self.status or self.needs or self.conditions or self.outputs or self.reports
        return not special and all(each.startswith("test_docs_") for each in self.arguments)


def pages(under: Path = DOCS) -> list[Path]:
    """Return all pages, those of the gallery aside, which are written with their examples."""
    found = sorted(under.rglob("*.md"))
    return [page for page in found if "gallery" not in page.relative_to(DOCS).parts[:-1]]


def with_readme() -> list[Path]:
    """Return all pages and the README, whose blocks are run like theirs."""
    return [*pages(), ROOT / "README.md"]


def name_of(page: Path) -> str:
    """Return a page's path as the documentation names it; the README lies above."""
    return page.relative_to(DOCS if page.is_relative_to(DOCS) else ROOT).as_posix()


def text_of(name: str) -> str:
    """Return a page's text."""
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page, directives aside."""
    return [
        Block(m[1], tuple(m[2].split()), m[3], text.count("\n", 0, m.start()) + 1)
        for m in _FENCE.finditer(text)
    ]


def runs(page: Path) -> list[Run]:
    """Return what a page asks to be run; neighbours that are plain tests become one run."""
    joined: list[Run] = []
    for run in _single_runs(page):
        before = joined[-1] if joined else None
        if before and before.is_plain and run.is_plain and _same_setting(before, run):
            before.files.update(run.files)
            before.arguments += run.arguments
        else:
            joined.append(run)
    return joined


def _same_setting(before: Run, run: Run) -> bool:
    def setting(one: Run) -> dict[str, str]:
        return {name: text for name, text in one.files.items() if not name.startswith("test_docs_")}

    return setting(before) == setting(run)


def _single_runs(page: Path) -> list[Run]:
    files: dict[str, str] = {}
    found: list[Run] = []
    tests = 0
    for block in blocks(page.read_text(encoding="utf-8")):
        if names := block.values("file"):
            files[names[0]] = block.text
        elif "test" in block.words:
            tests += 1
            files[f"test_docs_{tests}.py"] = block.text
            found.append(_run(page, block, files, [f"test_docs_{tests}.py"]))
        elif "run" in block.words:
            found.append(_run(page, block, files, _command(block)))
        elif "output" in block.words:
            found[-1].outputs.append(block.text)
        elif names := block.values("report"):
            found[-1].reports[names[0]] = block.text
    return found


def _run(page: Path, block: Block, files: dict[str, str], arguments: list[str]) -> Run:
    return Run(
        name_of(page),
        block.line,
        dict(files),
        [*arguments, *block.values("args")],
        int((block.values("status") or ["0"])[0]),
        block.values("needs"),
        {"root", "linux"}.intersection(block.words),
    )


def _command(block: Block) -> list[str]:
    lines = block.text.splitlines()
    assert len(lines) == 1, f"line {block.line}: a run is one line"
    assert lines[0].startswith("$ pytest"), f"line {block.line}: a run begins with '$ pytest'"
    return shlex.split(lines[0])[2:]


def headings(text: str, level: int) -> list[str]:
    """Return the code names that are headings of one level, as in ``### `--syskit-leaks```."""
    return re.findall(rf"^{'#' * level} `([^`]+)`$", text, re.MULTILINE)


def first_column(text: str) -> list[str]:
    """Return the code names in the first column of tables."""
    return re.findall(r"^\| `([^`]+)`[^|]*\|", text, re.MULTILINE)


def prose(text: str) -> Iterator[str]:
    """Yield the lines outside of fenced blocks."""
    inside = False
    for line in text.splitlines():
        inside ^= line.startswith("```")
        if not inside and not line.startswith("```"):
            yield line

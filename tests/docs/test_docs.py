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
from urllib.parse import unquote, urlsplit

import docs_pages
import pytest
from docs_pages import DOCS, ROOT, Run, name_of, with_readme
from docs_runs import LIMIT, run_pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the pages show what POSIX has")

RUNS = [run for page in with_readme() for run in docs_pages.runs(page)]


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


def dead_links(html: Path) -> Iterator[str]:
    """Name the links between pages, and within them, that lead nowhere."""
    pages = {page: page.read_text(encoding="utf-8") for page in sorted(html.rglob("*.html"))}
    anchors = {page: {"", *re.findall(r'\bid="([^"]+)"', text)} for page, text in pages.items()}
    for page, text in pages.items():
        for link in re.findall(r'<a [^>]*\bhref="([^"]+)"|<img [^>]*\bsrc="([^"]+)"', text):
            address = urlsplit("".join(link))
            if address.scheme or address.netloc:
                continue
            target = (page.parent / unquote(address.path)).resolve() if address.path else page
            known = anchors.get(target, {""}) if target.is_file() else ()
            if unquote(address.fragment) not in known:
                yield f"{page.relative_to(html)}: {''.join(link)}"


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


@pytest.mark.parametrize("page", with_readme(), ids=name_of)
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


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the documentation as CI does; return what was said and the folder of the pages."""
    if not importlib.util.find_spec("sphinx"):
        pytest.skip("needs pytest-syskit[docs]")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    built = subprocess.run(
        [*command, "-d", folder / "doctrees", DOCS, folder / "html"],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    return built, folder / "html"


def test_the_documentation_builds_without_a_warning(site):
    built, _ = site
    assert built.returncode == 0, built.stderr


def test_every_link_within_the_documentation_leads_somewhere(site):
    _, html = site
    assert list(dead_links(html)) == []


def test_the_index_page_shows_the_pictures_of_the_readme(site):
    _, html = site
    page = (html / "index.html").read_text(encoding="utf-8")
    pictures = re.findall(
        r"!\[[^]]*\]\(docs/images/([^)]+)\)", (ROOT / "README.md").read_text("utf-8")
    )
    assert len(pictures) == 2
    assert re.findall(r'<img [^>]*src="_images/([^"]+)"', page) == pictures


def test_a_dead_link_is_noticed(tmp_path):
    (tmp_path / "a.html").write_text(
        '<p id="x"><a href="#x"><a href="b.html"><a href="#y">', "utf-8"
    )
    (tmp_path / "c.html").write_text(
        '<a href="a.html#x"><a href="a.html#z"><a href="https://a.b/">', "utf-8"
    )
    assert list(dead_links(tmp_path)) == ["a.html: b.html", "a.html: #y", "c.html: a.html#z"]

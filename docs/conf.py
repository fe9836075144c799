"""How the documentation is built: ``sphinx-build -W -b html docs OUT``, without a network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def _version() -> str:
    """Read the version from the package, which need not be installed."""
    text = (ROOT / "pytest_syskit" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found, "pytest_syskit/__init__.py has no __version__"  # noqa: S101  # ours to keep
    return found[1]


project = "pytest-syskit"
copyright = "the authors of pytest-syskit, MIT licence"  # noqa: A001  # Sphinx wants this name
version = release = _version()

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_heading_anchors = 3
nitpicky = True

html_theme = "furo"
html_title = f"pytest-syskit {version}"
html_copy_source = False
html_show_sourcelink = False
# The schema keeps its name, so that tools can fetch it beside the page that explains it.
html_extra_path = ["reference/report.schema.json"]
# The exercises' pages are written beside their programs; the folder may be empty before the first.
suppress_warnings = ["toc.empty_glob"]

# ``sphinx-build -W -b linkcheck docs OUT``, without a network: what leads elsewhere is left out.
linkcheck_ignore = [r"https?://"]

# Files of the repository that have a page here; the README is the index page.
_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
_LINK = re.compile(r"(!?)\[([^]]+)\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def _links_from_the_root(text: str) -> str:
    """Make links and pictures of a file in the repository's root fit a page of this folder.

    A file that has no page here is named without a link.
    """

    def replace(match: re.Match[str]) -> str:
        mark, text, target, anchor = match[1], match[2], match[3], match[4] or ""
        page = target.removeprefix("docs/") if target.startswith("docs/") else _PAGES.get(target)
        return f"{mark}[{text}]({page}{anchor})" if page else text

    return _LINK.sub(replace, text)


def _include_read(_app: Any, path: Path, _page: str, content: list[str]) -> None:
    if path.name in _PAGES:
        content[0] = _links_from_the_root(content[0])


def _source_read(_app: Any, page: str, content: list[str]) -> None:
    """Give a page of the gallery that is a bare table a title."""
    folder, _, name = page.rpartition("/")
    if folder == "gallery" and not re.search(r"^# ", content[0], re.MULTILINE):
        content[0] = f"# Exercises: {name.replace('_', ' ')}\n\n{content[0]}"


def setup(app: Any) -> None:
    """Register what changes pages as they are read."""
    app.connect("include-read", _include_read)
    app.connect("source-read", _source_read)

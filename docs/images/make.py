"""Make the pictures of the README anew: ``python docs/images/make.py``.

Runs the sample project once and keeps its terminal report as ``terminal.svg`` and its page as
``page.png``.  Needs the package installed, and for the page one of the browsers that
``tests/plugin/devtools.py`` knows.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "plugin"))

import devtools  # noqa: E402  # found by the line above

COLUMNS = 118
WIDTH, HEIGHT = 1000, 1720  # of the page: down to the first stories
CHARACTER, LINE, MARGIN = 8.43, 20, 18  # of the drawn terminal, in pixels, at 14 pixels
COLOURS = {"31": "#ff8f6b", "32": "#6fd3a8", "33": "#f0c674", "36": "#7cc4f2"}
_GREY = "#d8d6d0"
_CODE = re.compile(r"\x1b\[([\d;]*)m")


def run(folder: Path) -> tuple[str, Path]:
    """Run the sample project; return what the terminal showed, and the page."""
    project = folder / "leaky_project"
    shutil.copytree(ROOT / "examples" / "leaky_project", project)
    page = project / "leaks.html"
    arguments = ["-p", "syskit", "-p", "no:cacheprovider", "--color=yes"]
    arguments += [f"--syskit-report={page.name}", f"--basetemp={folder / 'pytest'}", *EXTRA]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "SYSKIT"))}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": str(COLUMNS)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    shown = done.stdout[done.stdout.index("test_jobs.py") :]
    page.write_text(_plain(page.read_text(encoding="utf-8"), folder), encoding="utf-8")
    return _plain(shown, folder), page


EXTRA = ["--syskit-leak-trace", "--syskit-reap=leaked"]


def _plain(text: str, folder: Path) -> str:
    return text.replace(str(folder), "/tmp")  # noqa: S108  # a name in a picture


def drawn(command: str, output: str) -> str:
    """Draw a terminal as SVG."""
    lines = [f"\x1b[1m$ {command}\x1b[0m", *output.rstrip().splitlines()]
    wrapped = [part for line in lines for part in _wrapped(line)]
    width = round(COLUMNS * CHARACTER + 2 * MARGIN)
    height = len(wrapped) * LINE + 2 * MARGIN
    rows = "".join(
        f'<text x="{MARGIN}" y="{MARGIN + 15 + at * LINE}">{"".join(_spans(line))}</text>\n'
        for at, line in enumerate(wrapped)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="The terminal report of the sample project">\n'
        f'<rect width="{width}" height="{height}" rx="10" fill="#15171a"/>\n'
        f'<g font-family="ui-monospace,Menlo,Consolas,DejaVu Sans Mono,monospace" font-size="14" '
        f'fill="{_GREY}">\n{rows}</g>\n</svg>\n'
    )


def _wrapped(line: str) -> Iterator[str]:
    """Break a long line as a terminal does; only lines without colours are long."""
    while len(_CODE.sub("", line)) > COLUMNS and "\x1b" not in line:
        at = line.rindex(" ", 0, COLUMNS)
        yield line[:at]
        line = "      " + line[at + 1 :]
    yield line


def _spans(line: str) -> Iterator[str]:
    """Yield a line's parts in their colours."""
    colour, weight = _GREY, "400"
    pieces = _CODE.split(line)
    for text, codes in zip(pieces[::2], [*pieces[1::2], ""], strict=True):
        if text:
            yield f'<tspan fill="{colour}" font-weight="{weight}">{_fixed(text)}</tspan>'
        for code in codes.split(";"):
            colour = COLOURS.get(code, _GREY if code in {"", "0"} else colour)
            weight = {"1": "700", "": "400", "0": "400"}.get(code, weight)


def _fixed(text: str) -> str:
    """Escape a text and keep every blank of it."""
    return html.escape(text).replace(" ", "\N{NO-BREAK SPACE}")


def main() -> None:
    """Make both pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        output, page = run(folder)
        picture = drawn("pytest --syskit-report=leaks.html " + " ".join(EXTRA), output)
        (HERE / "terminal.svg").write_text(picture, encoding="utf-8")
        with (
            devtools.Browser(folder) as browser,
            browser.open(page, width=WIDTH, height=HEIGHT) as tab,
        ):
            tab.picture(HERE / "page.png", HEIGHT)


if __name__ == "__main__":
    main()

"""The documentation is true: what it shows runs, and what it lists is what the code has."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docs_pages
import pytest
import schema_check
from docs_pages import DOCS, ROOT, Run, headings, name_of, pages, text_of

import pytest_syskit
from pytest_syskit import plugin
from pytest_syskit.hooks import markers, specs, timeout_marker
from pytest_syskit.hooks.options import OPTIONS
from pytest_syskit.host import capabilities

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the pages show what POSIX has")

LIMIT = 60  # seconds for a run; the slowest takes about five on a busy machine
RUNS = [run for page in pages() for run in docs_pages.runs(page)]
NOT_YET = set(docs_pages.first_column(text_of("reference/not-yet.md")))
SWITCHES = {option.switch for option in OPTIONS} | {"--syskit-info"}
MARKERS = markers.MARKERS | {marker.name: marker for marker in timeout_marker.MARKERS}
HOOKS = {name: each for name, each in vars(specs).items() if name.startswith("pytest_syskit_")}


# -- what is shown runs ------------------------------------------------------------------------------


def run_pytest(
    folder: Path, arguments: list[str], *, plugins: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run pytest in a folder and a session of its own; end what it leaves there."""
    own = ("PYTEST", "SYSKIT", "GITHUB_", "COLUMNS")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    environment |= {"COLUMNS": "100", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "syskit", "-p", "no:cacheprovider"]
    if plugins:
        command += ["-p", "no:randomly"]
    else:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with subprocess.Popen(
        [*command, *arguments],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            output, _ = child.communicate(timeout=LIMIT)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(command, child.returncode, output)


def told(text: str, folder: Path) -> list[str]:
    """Return the lines of an output without indentation and what differs from run to run."""
    text = text.replace(f"{folder}{os.sep}", "").replace(str(folder), ".")
    text = re.sub(r"\S*pytest-of-\S+?/pytest-\d+/", "", text)
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


# -- what is listed exists, and the other way round ---------------------------------------------------


def test_the_options_are_those_of_the_code():
    assert set(headings(text_of("reference/options.md"), 3)) == SWITCHES - NOT_YET


def test_the_table_of_options_tells_key_variable_type_and_default():
    page = text_of("reference/options.md")
    for option in OPTIONS:
        if option.switch in NOT_YET:
            continue
        row = f"| `{option.switch}` | `{option.variable}` | `{option.key}` | {option.ini} | {_default(option.default)} |"
        assert row in page


def _default(value: object) -> str:
    if value in ((), 0.0) and value is not False:
        return "empty" if value == () else "`0`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{' '.join(value)}`" if isinstance(value, tuple) else f"`{value}`"


def test_the_markers_are_those_of_the_code():
    assert set(headings(text_of("reference/markers.md"), 3)) == MARKERS.keys() - NOT_YET


@pytest.mark.parametrize("name", sorted(MARKERS.keys() - NOT_YET))
def test_a_marker_is_shown_with_its_arguments(name):
    assert f"`{MARKERS[name].usage}`" in text_of("reference/markers.md")


def test_the_capabilities_are_those_of_the_code():
    page = text_of("reference/markers.md")
    assert docs_pages.first_column(page) == capabilities.names()
    for name in capabilities.names():
        assert f"| `{name}` | {capabilities.purpose(name)} |" in page


def test_the_fixtures_are_those_of_the_plugin():
    fixtures = {name for name in plugin.__all__ if not name.startswith("pytest_")}
    assert set(headings(text_of("reference/fixtures.md"), 3)) == fixtures - NOT_YET


def test_the_public_names_are_those_of_the_package():
    names = docs_pages.first_column(text_of("reference/names.md"))
    assert sorted(names) == sorted(set(pytest_syskit.__all__) - {"__version__"})


def test_the_hooks_are_those_of_the_code():
    assert set(headings(text_of("reference/hooks.md"), 2)) == HOOKS.keys() - NOT_YET


@pytest.mark.parametrize("name", sorted(HOOKS))
def test_a_hook_is_shown_with_its_arguments(name):
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)
    assert f"`{name}({arguments})`" in text_of("reference/hooks.md")


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_names_no_option_that_does_not_exist(page):
    if page.name == "not-yet.md":
        return
    known = SWITCHES | {f"--no-{option.switch[2:]}" for option in OPTIONS if option.negatable}
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"--(?:no-)?syskit-[a-z-]+", text)) <= known - NOT_YET
    keys = {option.key for option in OPTIONS}
    variables = {option.variable for option in OPTIONS}
    assert set(re.findall(r"\bsyskit_[a-z_]+", text)) <= keys
    assert set(re.findall(r"\bSYSKIT_[A-Z_]+", text)) <= variables | {"SYSKIT_PROCESS_ID"}


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_uses_no_marker_that_does_not_exist(page):
    foreign = {"parametrize", "skipif", "xfail", "asyncio", "usefixtures"}
    used = set(re.findall(r"pytest\.mark\.(\w+)", page.read_text(encoding="utf-8")))
    assert used <= foreign | (MARKERS.keys() - NOT_YET)


def test_what_is_announced_as_missing_is_missing():
    missing = {name for name in NOT_YET if not name.startswith("--")}
    assert not missing & MARKERS.keys()


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_names_only_tests_and_files_of_the_repository(page):
    text = page.read_text(encoding="utf-8")
    for path, name in re.findall(r"`((?:tests|examples|benchmarks)/[\w/.]+)(?:::(\w+))?`", text):
        assert (ROOT / path).exists(), path
        if name:
            assert re.search(rf"^\s*(?:async )?def {name}\b", (ROOT / path).read_text(), re.MULTILINE), name


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_a_page_is_about_the_project_alone(page):
    assert not re.search(r"/(?:work|root|home/\w+)/|/tmp/\w*venv", page.read_text(encoding="utf-8"))


# -- the report's schema ------------------------------------------------------------------------------

SCHEMA = json.loads(text_of("reference/report.schema.json"))
SUITE = """
import os, sys
import pytest

KEPT = []

def test_fd():
    KEPT.append(os.open("/dev/zero", os.O_RDONLY))

def test_process():
    if os.fork() == 0:
        os._exit(0)

@pytest.fixture(scope="module")
def pipe():
    KEPT.extend(os.pipe())

def test_uses(pipe):
    pass

@pytest.mark.allow_leaks("fd", reason="meant")
def test_allowed():
    KEPT.append(os.open("/dev/zero", os.O_RDONLY))

@pytest.mark.allow_leaks("process", reason="meant")
def test_unused():
    pass

def test_escapes():
    if os.fork() == 0:
        return
    os.wait()

def test_replaces_standard_input():
    fd = os.open("/dev/zero", os.O_RDONLY)
    os.dup2(fd, 0)
    os.close(fd)
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    (folder / "test_all.py").write_text(SUITE)
    arguments = ["--syskit-report=report.json", "--syskit-leak-ignore=fd:nowhere  # stale"]
    result = run_pytest(folder, arguments)
    assert (folder / "report.json").exists(), result.stdout
    return json.loads((folder / "report.json").read_text())


def test_a_report_fits_its_schema(report):
    assert list(schema_check.complaints(report, SCHEMA, SCHEMA)) == []


def test_the_report_that_is_checked_has_something_of_everything(report):
    for name in ("leaks", "escaped_children", "stale_rules", "unused_allowances"):
        assert report[name], name
    assert {leak["kind"] for leak in report["leaks"]} == {"process", "fd"}
    assert {leak["owner"]["type"] for leak in report["leaks"]} == {"test", "fixture"}
    assert {leak["verdict"] for leak in report["leaks"]} == {"leak", "allowed"}
    assert any("change" in leak["detail"] for leak in report["leaks"])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda r: r.pop("format"), r"\$: format is missing"),
        (lambda r: r.update(policy="loud"), r"\$\.policy: 'loud' is not one of"),
        (lambda r: r.update(more=1), r"\$: more is not described"),
        (lambda r: r["leaks"][0].update(phase=None), r"\$\.leaks\[0\]\.phase"),
        (lambda r: r["leaks"][0]["detail"].clear(), r"\$\.leaks\[0\]: fits none"),
        (lambda r: r["leaks"][0]["owner"].update(scope="galaxy"), r"\$\.leaks\[0\]\.owner"),
        (lambda r: r.update(tests_checked=True), r"\$\.tests_checked: True is not integer"),
    ],
)
def test_a_report_of_another_form_does_not_fit(report, change, complaint):
    wrong = json.loads(json.dumps(report))
    change(wrong)
    (first, *_) = schema_check.complaints(wrong, SCHEMA, SCHEMA)
    assert re.match(complaint, first)


def test_every_key_of_the_schema_is_explained_on_its_page():
    page = text_of("reference/json-report.md")
    for name in [*SCHEMA["properties"], *SCHEMA["$defs"]["leak"]["properties"]]:
        assert f"`{name}`" in page


# -- the pages are built ------------------------------------------------------------------------------


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

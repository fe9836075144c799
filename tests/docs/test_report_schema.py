"""The JSON report has the form that its published schema and its page describe."""

from __future__ import annotations

import json
import os
import re

import pytest
import schema_check
from docs_pages import text_of
from docs_runs import run_pytest

from pytest_syskit.leaks.kinds import KINDS

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the pages show what POSIX has")

SCHEMA = json.loads(text_of("reference/report.schema.json"))
SUITE = """
import os, signal, sys, threading
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

def test_thread():
    threading.Thread(target=threading.Event().wait, daemon=True).start()

def test_values(tmp_path):
    os.chdir(tmp_path)
    os.umask(0o077)
    os.environ["LEFT"] = "1"
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_PROF, 1000)

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
    arguments += ["--syskit-leak-kinds=all", "--syskit-restore=leaked"]
    result = run_pytest(folder, arguments)
    assert (folder / "report.json").exists(), result.stdout
    return json.loads((folder / "report.json").read_text())


def test_a_report_fits_its_schema(report):
    assert list(schema_check.complaints(report, SCHEMA, SCHEMA)) == []


def test_a_report_of_repeated_tests_and_a_baseline_fits_its_schema(tmp_path):
    (tmp_path / "test_all.py").write_text("import os\n\ndef test_fd():\n    os.open('.', 0)\n")
    old = "# pytest-syskit baseline, format 1\ntest_all.py::test_gone\n    1 fd  x\n"
    (tmp_path / "known.txt").write_text(old)
    arguments = ["--syskit-repeat=2", "--syskit-baseline=known.txt", "--syskit-report=report.json"]
    result = run_pytest(tmp_path, arguments)
    report = json.loads((tmp_path / "report.json").read_text())
    assert list(schema_check.complaints(report, SCHEMA, SCHEMA)) == [], result.stdout
    assert report["baseline"]["gone"][0]["owner"] == "test_all.py::test_gone"
    assert report["leaks"][0]["repeats"]["when"] == "every"


def test_the_report_that_is_checked_has_something_of_everything(report):
    for name in ("leaks", "escaped_children", "stale_rules", "unused_allowances"):
        assert report[name], name
    assert {leak["kind"] for leak in report["leaks"]} == set(KINDS)
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

"""What the pages list is what the code has, and the other way round."""

from __future__ import annotations

import inspect
import re

import docs_pages
import pytest
from docs_pages import ROOT, headings, name_of, text_of, with_readme

import pytest_syskit
from pytest_syskit import plugin
from pytest_syskit.hooks import specs
from pytest_syskit.hooks.marker_reading import MARKERS
from pytest_syskit.hooks.marker_texts import TEXTS
from pytest_syskit.hooks.options import OPTIONS
from pytest_syskit.host import capabilities

NOT_YET = set(docs_pages.first_column(text_of("reference/not-yet.md")))
INTERNAL = {"SYSKIT_PROCESS_ID", "SYSKIT_SESSION"}  # by which processes are found again
SWITCHES = {option.switch for option in OPTIONS} | {"--syskit-info"}
HOOKS = {name: each for name, each in vars(specs).items() if name.startswith("pytest_syskit_")}


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
    if value in ((), "", 0.0) and value is not False:
        return "`0`" if value == 0 else "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{' '.join(value)}`" if isinstance(value, tuple) else f"`{value}`"


def test_the_markers_are_those_of_the_code():
    assert set(headings(text_of("reference/markers.md"), 3)) == MARKERS.keys() - NOT_YET


@pytest.mark.parametrize("name", sorted(MARKERS.keys() - NOT_YET))
def test_a_marker_is_shown_with_its_arguments(name):
    assert f"`{TEXTS[name].usage}`" in text_of("reference/markers.md")


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


@pytest.mark.parametrize("page", with_readme(), ids=name_of)
def test_a_page_names_no_option_that_does_not_exist(page):
    if page.name == "not-yet.md":
        return
    known = SWITCHES | {f"--no-{option.switch[2:]}" for option in OPTIONS if option.negatable}
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"--(?:no-)?syskit-[a-z-]+", text)) <= known - NOT_YET
    keys = {option.key for option in OPTIONS}
    variables = {option.variable for option in OPTIONS}
    assert set(re.findall(r"\bsyskit_[a-z_]+", text)) <= keys
    assert set(re.findall(r"\bSYSKIT_[A-Z_]+", text)) <= variables | INTERNAL


@pytest.mark.parametrize("page", with_readme(), ids=name_of)
def test_a_page_uses_no_marker_that_does_not_exist(page):
    foreign = {"parametrize", "skipif", "xfail", "asyncio", "usefixtures"}
    used = set(re.findall(r"pytest\.mark\.(\w+)", page.read_text(encoding="utf-8")))
    assert used <= foreign | (MARKERS.keys() - NOT_YET)


def test_what_is_announced_as_missing_is_missing():
    missing = {name for name in NOT_YET if not name.startswith("--")}
    assert not missing & MARKERS.keys()


@pytest.mark.parametrize("page", with_readme(), ids=name_of)
def test_a_page_names_only_tests_and_files_of_the_repository(page):
    text = page.read_text(encoding="utf-8")
    for path, name in re.findall(r"`((?:tests|examples|benchmarks)/[\w/.]+)(?:::(\w+))?`", text):
        assert (ROOT / path).exists(), path
        if name:
            assert re.search(
                rf"^\s*(?:async )?def {name}\b", (ROOT / path).read_text(), re.MULTILINE
            ), name


@pytest.mark.parametrize("page", with_readme(), ids=name_of)
def test_a_page_is_about_the_project_alone(page):
    assert not re.search(r"/(?:work|root|home/\w+)/|/tmp/\w*venv", page.read_text(encoding="utf-8"))

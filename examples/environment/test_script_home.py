"""The script's home stays when one stands elsewhere, and sys.path[0] only mostly does (C2)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import script_home as module
from script_home import beside_script, first_on_path

SOURCE = Path(module.__file__).read_text(encoding="utf-8")


@pytest.fixture
def places(temp_workspace):
    """Have the script in one place, and two others to stand in."""
    temp_workspace.populate({"tool": {"script_home.py": SOURCE}, "here": {}, "there": {}})
    return Path(os.path.realpath(temp_workspace.path))


def run(folder, *command: object) -> dict[str, str]:
    """Stand in a folder, run Python, and return the places that were shown."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return dict(line.split(": ", 1) for line in done.stdout.splitlines())


def test_from_two_places_the_cwd_differs_and_the_home_does_not(places):
    home = str(places / "tool")
    for folder in ("here", "there"):
        assert run(places / folder, places / "tool" / "script_home.py") == {
            "cwd": str(places / folder),
            "sys.path[0]": home,
            "script home": home,
        }


def test_a_relative_name_of_the_script_is_enough(places):
    shown = run(places / "here", os.path.join("..", "tool", "script_home.py"))
    assert (shown["cwd"], shown["script home"]) == (str(places / "here"), str(places / "tool"))
    assert shown["sys.path[0]"] == str(places / "tool")


def test_with_m_the_first_place_is_where_one_stands_and_the_home_is_still_right(places, fake_env):
    fake_env.set("PYTHONPATH", str(places / "tool"))
    shown = run(places / "here", "-m", "script_home")
    assert shown["sys.path[0]"] == str(places / "here")
    assert shown["script home"] == str(places / "tool")


def test_with_c_too(places, fake_env):
    fake_env.set("PYTHONPATH", str(places / "tool"))
    shown = run(places / "there", "-c", "import script_home; script_home.main()")
    assert shown["sys.path[0]"] == str(places / "there")
    assert shown["script home"] == str(places / "tool")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="python -P is new in Python 3.11")
def test_with_a_safe_path_the_first_place_is_not_the_home(places):
    shown = run(places / "here", "-P", places / "tool" / "script_home.py")
    assert shown["sys.path[0]"] != str(places / "tool")
    assert shown["script home"] == str(places / "tool")


@pytest.mark.requires("symlink")
def test_the_home_of_a_link_is_where_the_script_itself_lies(places):
    (places / "here" / "link.py").symlink_to(places / "tool" / "script_home.py")
    shown = run(places / "there", places / "here" / "link.py")
    assert shown["script home"] == str(places / "tool")


def test_a_file_beside_the_script_is_found_from_anywhere(temp_workspace):
    with temp_workspace.chdir():
        assert not os.path.exists("script_home.py")
        with open(beside_script("script_home.py"), encoding="utf-8") as file:
            assert file.read() == SOURCE


@pytest.mark.posix_only(reason="elsewhere nobody can remove the directory one stands in")
def test_a_directory_that_was_removed_is_no_error(places):
    program = f"rmdir '{places}/here'; exec '{sys.executable}' '{places}/tool/script_home.py'"
    done = subprocess.run(
        ["sh", "-c", program],
        cwd=places / "here", capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "cwd: None")
    assert done.stdout.endswith(f"script home: {places}/tool\n")


def test_an_empty_entry_means_the_working_directory(monkeypatch):
    monkeypatch.setattr(sys, "path", [""])
    assert first_on_path() == os.getcwd()
    monkeypatch.setattr(sys, "path", ["x"])
    assert first_on_path() == os.path.join(os.getcwd(), "x")
    monkeypatch.setattr(sys, "path", [])
    assert first_on_path() is None

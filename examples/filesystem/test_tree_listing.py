"""The listing is complete, sorted, one name a line, and says what it could not read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tree_listing import main, tree_lines

from pytest_syskit import Fifo, Symlink

SCRIPT = Path(__file__).with_name("tree_listing.py")


def _lines(top) -> list[str]:
    errors = []
    lines = list(tree_lines(os.fspath(top), errors.append))
    assert errors == []
    return lines


def test_directories_have_a_slash_and_everything_is_sorted_and_indented(temp_workspace):
    temp_workspace.populate(
        {"b.txt": "", "a.txt": "", "middle": {"z": "", "y": {}}, "C": {}, ".hidden": ""}
    )
    with temp_workspace.chdir():
        assert _lines(".") == [
            ".",
            "\t.hidden",
            "\tC/",
            "\ta.txt",
            "\tb.txt",
            "\tmiddle/",
            "",
            os.path.join(".", "C"),
            "",
            os.path.join(".", "middle"),
            "\ty/",
            "\tz",
            "",
            os.path.join(".", "middle", "y"),
        ]


def test_directories_are_entered_in_the_order_of_their_names(temp_workspace):
    names = [f"{number:02}" for number in range(30)]
    temp_workspace.populate({name: {} for name in reversed(names[::2])})
    temp_workspace.populate({name: {} for name in names[1::2]})
    with temp_workspace.chdir():
        entered = [line for line in _lines(".") if line.startswith("./")]
    assert entered == [f"./{name}" for name in names]


def test_an_empty_directory_is_one_line(temp_workspace):
    assert _lines(temp_workspace) == [str(temp_workspace)]


@pytest.mark.requires("symlink", "mkfifo")
@pytest.mark.signal_timeout(10)
def test_links_and_other_kinds_are_listed_and_not_entered_nor_opened(temp_workspace):
    temp_workspace.populate(
        {
            "sub": {"circle": Symlink("..")},
            "link": Symlink("sub"),
            "dangling": Symlink("nothing"),
            "pipe": Fifo(),
        }
    )
    with temp_workspace.chdir():
        assert _lines(".") == [
            ".",
            "\tdangling",
            "\tlink",
            "\tpipe",
            "\tsub/",
            "",
            "./sub",
            "\tcircle",
        ]


@pytest.mark.posix_only(reason="names")
def test_odd_names_take_one_line_each(temp_workspace):
    temp_workspace.populate({"two\nlines": {}, b"caf\xe9": "", " blank ": "", "schön": ""})
    with temp_workspace.chdir():
        assert _lines(".") == [
            ".",
            "\t blank ",
            r"	'caf\udce9'",
            "\tschön",
            r"	'two\nlines/'",
            "",
            r"'./two\nlines'",
        ]


def test_a_directory_that_cannot_be_read_is_reported_and_the_rest_is_listed(
    temp_workspace, monkeypatch, capsys
):
    temp_workspace.populate({"a": {"x": ""}, "closed": {"y": ""}, "z": {"w": ""}})
    scandir = os.scandir

    def refuse_one(path) -> object:
        if os.path.basename(path) == "closed":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse_one)
    with temp_workspace.chdir():
        assert main([]) == 1
    output, error = capsys.readouterr()
    assert error == f"tree_listing: {os.path.join('.', 'closed')}: Permission denied\n"
    assert "\tclosed/" in output.splitlines()
    assert "\tw" in output.splitlines()
    assert "\ty" not in output.splitlines()


@pytest.mark.requires("dac")
def test_a_closed_directory_is_reported_by_the_real_system(temp_workspace, capsys):
    temp_workspace.populate({"closed": {"y": ""}})
    os.chmod(temp_workspace / "closed", 0)
    assert main([str(temp_workspace)]) == 1
    assert "closed: Permission denied" in capsys.readouterr().err


def test_a_directory_that_vanishes_on_the_way_is_reported(temp_workspace):
    temp_workspace.populate({"a": {}, "b": {}})
    errors = []
    lines = tree_lines(str(temp_workspace), errors.append)
    assert next(lines) == str(temp_workspace)
    os.rmdir(temp_workspace / "b")
    assert list(lines)[:2] == ["\ta/", "\tb/"]
    assert [Path(error.filename).name for error in errors] == ["b"]


# The script:


def _run(*arguments: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_the_script_lists_where_it_stands_or_what_it_is_given(temp_workspace):
    temp_workspace.populate({"one": {"x": ""}, "two": {}})
    assert _run(cwd=temp_workspace).stdout.startswith(".\n\tone/\n\ttwo/\n\n")
    assert _run("two", "one", cwd=temp_workspace).stdout == "two\n\none\n\tx\n"


def test_a_missing_directory_is_status_1_and_the_others_are_listed(temp_workspace):
    temp_workspace.populate({"one": {"x": ""}})
    done = _run("missing", "one", cwd=temp_workspace)
    assert done.returncode == 1
    assert done.stderr == "tree_listing: missing: No such file or directory\n"
    assert done.stdout.endswith("one\n\tx\n")


@pytest.mark.posix_only(reason="names and locales")
def test_a_terminal_without_the_letters_gets_escapes(temp_workspace):
    temp_workspace.populate({"schön": "", b"caf\xe9": ""})
    plain = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = _run(cwd=temp_workspace, env=plain)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ".\n\t'caf\\udce9'\n\tsch\\xf6n\n"


@pytest.mark.posix_only(reason="pipes")
def test_a_reader_who_leaves_is_no_error(temp_workspace, pipe_pair):
    temp_workspace.populate({f"{number:04}-{'x' * 100}": "" for number in range(1000)})
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}  # what waits is written at exit once more
    with pipe_pair.writer.handed_over() as fd:
        pipe_pair.reader.close()
        command = [sys.executable, SCRIPT, temp_workspace]
        done = subprocess.run(command, stdout=fd, stderr=subprocess.PIPE, check=False, env=buffered)
    assert (done.returncode, done.stderr) == (0, b"")


def test_help_and_usage():
    assert _run("--help").stdout.startswith("usage: tree_listing")
    wrong = _run("--wrong")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "unrecognized arguments: --wrong" in wrong.stderr

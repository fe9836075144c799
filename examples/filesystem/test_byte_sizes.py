"""Sizes in order, and a bad name stops nothing (exercise A4)."""

from __future__ import annotations

import os
import subprocess
import sys

import byte_sizes as module
import pytest
from byte_sizes import byte_size, main

from pytest_syskit import Symlink

pytestmark = pytest.mark.posix_only


@pytest.fixture
def files(temp_workspace):
    temp_workspace.populate(
        {"empty": "", "five": "12345", "link": Symlink("five"), "dangling": Symlink("no where")}
    )
    with temp_workspace.chdir():
        yield temp_workspace


def test_sizes_come_in_the_order_of_the_names(files, capsys):
    assert main(["five", "empty", "link", "five"]) == 0
    assert capsys.readouterr().out == "5\tfive\n0\tempty\n5\tlink\n5\tfive\n"


def test_a_bad_name_is_status_1_and_the_others_are_printed(files, capsys):
    assert main(["missing", "five", "five/below", "empty"]) == 1
    printed = capsys.readouterr()
    assert printed.out == "5\tfive\n0\tempty\n"
    assert printed.err == (
        "byte_sizes: missing: No such file or directory\nbyte_sizes: five/below: Not a directory\n"
    )


def test_a_dangling_link_is_told_as_such(files):
    with pytest.raises(FileNotFoundError, match="a link that leads nowhere: no where"):
        byte_size("dangling")


def test_a_link_to_itself_is_an_error_too(files, capsys):
    files.populate({"loop": Symlink("loop")})
    assert main(["loop"]) == 1
    assert capsys.readouterr().err == "byte_sizes: loop: Too many levels of symbolic links\n"


def test_as_a_process_with_odd_names(files):
    files.populate({b"bad\xff": "1", "new\nline": "22"})
    done = subprocess.run(
        [sys.executable, module.__file__, b"bad\xff", "new\nline", b"gone\xff"],
        capture_output=True, timeout=30, check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == b"1\tb'bad\\xff'\n2\t'new\\nline'\n"
    assert done.stderr == b"byte_sizes: b'gone\\xff': No such file or directory\n"


def test_no_names_are_status_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "usage: byte_sizes" in capsys.readouterr().err

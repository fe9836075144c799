"""The checksums of both, and what is no copy at all."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from verify_copy import checksum, main, verify_copy

from pytest_syskit import HardLink, Symlink

pytestmark = pytest.mark.posix_only

SCRIPT = Path(__file__).with_name("verify_copy.py")
BIG = bytes(range(256)) * 10_000  # more than one piece


@pytest.fixture
def files(temp_workspace):
    return temp_workspace.populate(
        {
            "original": BIG,
            "copy": BIG,
            "last byte": BIG[:-1] + b"x",
            "short": BIG[:-1],
            "hard": HardLink("original"),
            "soft": Symlink("original"),
        }
    )


def test_both_checksums_are_those_of_the_content(files):
    verdict = verify_copy(files / "original", files / "copy")
    assert verdict.original == verdict.copy == hashlib.sha256(BIG).hexdigest()
    assert verdict.verified


@pytest.mark.parametrize("name", ["last byte", "short"])
def test_a_difference_is_seen(files, name):
    verdict = verify_copy(files / "original", files / name)
    assert verdict.original != verdict.copy
    assert not verdict.verified


@pytest.mark.parametrize("name", ["original", "hard", "soft"])
def test_the_same_file_is_no_copy(files, name):
    verdict = verify_copy(files / "original", files / name)
    assert (verdict.one_file, verdict.verified) == (True, False)


def test_other_algorithms(files):
    assert checksum(files / "copy", "md5") == hashlib.md5(BIG).hexdigest()
    with pytest.raises(ValueError, match="unsupported hash type sha0"):
        checksum(files / "copy", "sha0")


@pytest.mark.signal_timeout(5)
def test_what_is_no_regular_file_is_refused_without_waiting(files):
    os.mkfifo(files / "fifo")
    with pytest.raises(OSError, match="only regular files"):
        checksum(files / "fifo")
    with pytest.raises(IsADirectoryError):
        checksum(files.path)


@pytest.mark.parametrize(
    ("name", "status", "complaint"),
    [
        ("copy", 0, ""),
        ("short", 1, ""),
        ("hard", 1, "verify_copy: both names lead to the same file\n"),
        ("missing", 2, "verify_copy: [Errno 2] No such file or directory: '{}'\n"),
    ],
)
def test_the_script(files, name, status, complaint):
    argv = [sys.executable, SCRIPT, files / "original", files / name]
    run = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (status, complaint.format(files / name))
    assert bool(run.stdout) == (status != 2)


def test_the_script_knows_its_usage(capsys):
    for argv, status in (["--help"], "0"), (["one"], "2"):
        with pytest.raises(SystemExit, match=status):
            main(argv)
    assert "usage: verify_copy" in capsys.readouterr().err

"""Locks come off the entry that was meant, and off nothing a link points to."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from contextlib import suppress

import pytest

from pytest_syskit.host.files import loosen


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def here(tmp_path):
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


WAYS = [loosen.unlock_directory]
if hasattr(os, "O_PATH"):
    WAYS.append(loosen._chmod_by_handle)  # what older C libraries need, tested on all


@pytest.mark.parametrize("unlock", WAYS)
def test_a_closed_directory_opens(tmp_path, here, unlock):
    (tmp_path / "closed").mkdir(mode=0)
    unlock("closed", here)
    assert mode(tmp_path / "closed") == 0o700


@pytest.mark.parametrize("unlock", WAYS)
def test_a_links_target_stays_closed(tmp_path, here, unlock):
    (tmp_path / "closed").mkdir(mode=0o111)
    (tmp_path / "link").symlink_to("closed")
    with pytest.raises(OSError, match="link"):
        unlock("link", here)
    assert mode(tmp_path / "closed") == 0o111


def test_thawing_what_has_no_flags_changes_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system that keeps no flags
            loosen.thaw(fd)
    finally:
        os.close(fd)
    (tmp_path / "file").unlink()


@pytest.mark.skipif(shutil.which("chattr") is None, reason="needs chattr")
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("flag", ["+i", "+a"])
def test_thawing_lets_a_file_be_removed(tmp_path, flag):
    path = tmp_path / "file"
    path.write_text("")
    if subprocess.run(["chattr", flag, path], check=False, capture_output=True).returncode:
        pytest.skip("this file system keeps no flags")
    with pytest.raises(PermissionError):
        path.unlink()
    fd = os.open(path, os.O_RDONLY)
    loosen.thaw(fd)
    os.close(fd)
    path.unlink()

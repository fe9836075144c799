"""Private from the first moment, whatever the umask; gone at the end, whatever happened."""

from __future__ import annotations

import os
import stat

import pytest
from secure_temporary import private_directory, private_file

pytestmark = pytest.mark.posix_only


@pytest.fixture(params=[0, 0o077, 0o777], ids=oct)
def any_umask(request):
    previous = os.umask(request.param)
    yield
    os.umask(previous)


def test_a_private_file_is_0600_and_vanishes(temp_workspace, any_umask):
    with private_file(suffix=".key", folder=temp_workspace.path) as (path, file):
        file.write(b"secret")
        assert stat.S_IMODE(path.stat().st_mode) & 0o177 == 0
        assert path.name.endswith(".key")
        assert not os.get_inheritable(file.fileno())
    assert os.listdir(temp_workspace.path) == []


def test_a_private_directory_is_0700_and_vanishes_with_its_content(temp_workspace):
    previous = os.umask(0)
    try:
        with private_directory(temp_workspace.path) as path:
            assert stat.S_IMODE(path.stat().st_mode) == 0o700
            (path / "sub").mkdir()
            (path / "sub" / "file").touch()
    finally:
        os.umask(previous)
    assert os.listdir(temp_workspace.path) == []


def test_nothing_stays_after_an_error(temp_workspace):
    with pytest.raises(ZeroDivisionError), private_file(folder=temp_workspace.path):
        _ = 1 / 0
    with pytest.raises(ZeroDivisionError), private_directory(temp_workspace.path):
        _ = 1 / 0
    assert os.listdir(temp_workspace.path) == []


def test_what_the_block_removed_or_moved_itself_is_no_error(temp_workspace):
    with private_file(folder=temp_workspace.path) as (path, _file):
        path.rename(temp_workspace / "kept")
    with private_directory(temp_workspace.path) as path:
        path.rmdir()
    assert os.listdir(temp_workspace.path) == ["kept"]


def test_names_differ_and_the_directory_is_the_temporary_one(fake_env):
    with private_file() as (first, _), private_file() as (second, _):
        assert first != second
        assert first.parent == second.parent == type(first)(fake_env["TMPDIR"])

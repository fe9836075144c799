"""Each function takes along what its row of the table says (exercise D13)."""

from __future__ import annotations

import errno
import os
import shutil
import stat

import pytest
from shutil_copies import Keep, copy_as, copy_metadata, copy_mode

from pytest_syskit import Fifo, File, HardLink, Symlink

pytestmark = pytest.mark.posix_only
OLD, NEW = 1_000_000_000, 1_700_000_000
TREE = {
    "source": File("new", mode=0o750, mtime=OLD),
    "target": File("old content", mode=0o604, mtime=NEW),
}


def kept(path) -> tuple[bool, bool, bool]:
    """Say of which content, mode and time are the source's."""
    found = os.stat(path)
    return path.read_text() == "new", stat.S_IMODE(found.st_mode) == 0o750, found.st_mtime == OLD


@pytest.mark.parametrize(
    ("copy", "expected"),
    [
        (lambda source, target: copy_as(source, target, Keep.NOTHING), (True, False, False)),
        (lambda source, target: copy_as(source, target, Keep.MODE), (True, True, False)),
        (copy_as, (True, True, True)),
        (copy_mode, (False, True, False)),
        (copy_metadata, (False, True, True)),
    ],
    ids=["copyfile", "copy", "copy2", "copymode", "copystat"],
)
def test_the_table_is_true(temp_workspace, copy, expected):
    temp_workspace.populate(TREE)
    copy(temp_workspace / "source", temp_workspace / "target")
    assert kept(temp_workspace / "target") == expected
    assert kept(temp_workspace / "source") == (True, True, True)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (shutil.copyfile, IsADirectoryError),
        (shutil.copy, ["source"]),
        (shutil.copy2, ["source"]),
        (shutil.copymode, []),
        (shutil.copystat, []),
    ],
)
def test_what_shutil_does_with_a_directory(temp_workspace, call, expected):
    temp_workspace.populate({**TREE, "directory": {}})
    source, directory = temp_workspace / "source", temp_workspace / "directory"
    if isinstance(expected, type):
        with pytest.raises(expected):
            call(source, directory)
    else:
        call(source, directory)
        assert os.listdir(directory) == expected
        changed = stat.S_IMODE(directory.stat().st_mode) == 0o750
        assert changed == (call in (shutil.copymode, shutil.copystat))


@pytest.mark.parametrize("keep", Keep)
def test_a_copy_never_goes_into_a_directory(temp_workspace, keep):
    temp_workspace.populate({**TREE, "directory": {}, "way": Symlink("directory")})
    before = temp_workspace.snapshot()
    for name in ("directory", "way"):
        with pytest.raises(OSError, match=r"is a directory; name|is no regular file"):
            copy_as(temp_workspace / "source", temp_workspace / name, keep)
    assert not temp_workspace.diff(before)


@pytest.mark.parametrize("keep", Keep)
def test_a_copy_is_never_written_through_a_link(temp_workspace, keep):
    temp_workspace.populate({**TREE, "link": Symlink("target"), "dangling": Symlink("created")})
    before = temp_workspace.snapshot()
    for name in ("link", "dangling"):
        with pytest.raises(OSError, match="is no regular file") as caught:
            copy_as(temp_workspace / "source", temp_workspace / name, keep)
        assert caught.value.errno == errno.EINVAL
    assert not temp_workspace.diff(before)
    shutil.copyfile(temp_workspace / "source", temp_workspace / "link")  # the trap
    assert (temp_workspace / "target").read_text() == "new"


@pytest.mark.parametrize("same", ["source", "hard"])
def test_a_file_is_not_copied_onto_itself(temp_workspace, same):
    temp_workspace.populate({**TREE, "hard": HardLink("source")})
    with pytest.raises(shutil.SameFileError, match="are the same file"):
        copy_as(temp_workspace / "source", temp_workspace / same)
    assert (temp_workspace / "source").read_text() == "new"


def test_a_fifo_is_refused_and_not_waited_for(temp_workspace, signal_timeout):
    temp_workspace.populate({**TREE, "pipe": Fifo()})
    with signal_timeout(10):
        with pytest.raises(shutil.SpecialFileError, match="is a named pipe"):
            copy_as(temp_workspace / "pipe", temp_workspace / "new")
        with pytest.raises(OSError, match="is no regular file"):
            copy_as(temp_workspace / "source", temp_workspace / "pipe")
    assert not (temp_workspace / "new").exists()


@pytest.mark.parametrize("keep", Keep)
def test_a_new_file_of_an_odd_name(temp_workspace, keep):
    temp_workspace.populate(TREE)
    copy_as(temp_workspace / "source", temp_workspace / "new\nname \udce9", keep)
    assert (temp_workspace / "new\nname \udce9").read_text() == "new"


@pytest.mark.requires_root
def test_the_owner_is_not_taken_along(temp_workspace):
    temp_workspace.populate(TREE)
    os.chown(temp_workspace / "source", 1001, 1002)
    copy_as(temp_workspace / "source", temp_workspace / "new")
    found = (temp_workspace / "new").stat()
    assert (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())

"""A workspace for another user: reached, private, brought home, removed; nothing else loosened."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from pytest_syskit.host.processes import privileges
from pytest_syskit.tools.forking.fork_results import Raised
from pytest_syskit.tools.forking.fork_runner import run_in_fork
from pytest_syskit.tools.workspace import workspace_place
from pytest_syskit.tools.workspace.workspace import TempWorkspace
from pytest_syskit.tools.workspace.workspace_entries import File

pytestmark = pytest.mark.skipif(not hasattr(os, "chown"), reason="there are no owners here")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="gives directories away"
)
NOBODY = privileges.look_up("nobody") if hasattr(os, "chown") else None


@pytest.fixture
def closed():
    """A directory that only its owner may enter, as those of pytest are."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder).resolve()


def modes(path):
    return [each.stat().st_mode for each in (path, *path.parents)]


@as_root
def test_the_user_reads_and_writes_where_no_other_may(closed):
    with TempWorkspace(closed) as workspace:
        workspace.open_to("nobody").populate({"a": "spam", "sub": {"b": "ham"}})
        read = run_in_fork((workspace / "sub" / "b").read_text, user="nobody")
        written = run_in_fork((workspace / "new").write_text, "eggs", user="nobody")
        assert (read.unwrap(), written.unwrap()) == ("ham", 4)
        assert (workspace / "new").stat().st_uid == NOBODY.uid
        assert stat.S_IMODE(workspace.path.stat().st_mode) == 0o700
        stranger = run_in_fork(os.listdir, workspace.path, user="daemon")
        assert isinstance(stranger, Raised)
        assert isinstance(stranger.error, PermissionError)


@as_root
def test_without_it_the_user_does_not_get_in(closed):
    with TempWorkspace(closed).populate({"a": "spam"}) as workspace:
        result = run_in_fork((workspace / "a").read_text, user="nobody")
        assert isinstance(result, Raised)
        assert isinstance(result.error, PermissionError)


@as_root
def test_what_was_populated_keeps_its_owner_and_mode(closed):
    with TempWorkspace(closed).populate({"a": "x", "b": File("x", mode=0o666)}) as workspace:
        workspace.open_to("nobody")
        refused = run_in_fork((workspace / "a").write_text, "mine", user="nobody")
        assert isinstance(refused, Raised)
        assert run_in_fork((workspace / "b").write_text, "mine", user="nobody").unwrap() == 4
        assert (workspace / "a").stat().st_uid == 0


@as_root
def test_no_directory_above_is_loosened(closed):
    before = modes(closed)
    with TempWorkspace(closed) as workspace:
        workspace.open_to("nobody")
        assert modes(closed) == before
    assert modes(closed) == before


@as_root
def test_it_stays_where_the_user_can_reach_it_already(closed):
    closed.chmod(0o711)
    with TempWorkspace(closed) as workspace:
        before = workspace.path
        assert workspace.open_to("nobody") is workspace
        assert workspace.path == before


@as_root
def test_a_path_that_was_taken_before_leads_to_the_new_place(closed):
    with TempWorkspace(closed) as workspace:
        early = workspace / "a"
        workspace.open_to("nobody").populate({"a": "spam"})
        assert workspace.path.parent != closed
        assert early.read_text() == "spam"


@as_root
@pytest.mark.parametrize("end", ["block", "remove"])
def test_it_is_removed_from_both_places(closed, end):
    with TempWorkspace(closed) as workspace:
        place = workspace.open_to("nobody").path
        run_in_fork((workspace / "locked").mkdir, 0, user="nobody").unwrap()
        if end == "remove":
            workspace.remove()
            assert not place.exists()
    assert not place.exists()
    assert os.listdir(closed) == []


@as_root
def test_what_is_kept_comes_home(closed):
    with TempWorkspace(closed, keep=True) as workspace:
        home = workspace.path
        away = workspace.open_to("nobody").populate({"a": "spam"}).path
    assert workspace.path == home
    assert (home / "a").read_text() == "spam"
    assert not home.is_symlink()
    assert not away.exists()


@as_root
def test_what_is_kept_stays_when_home_is_gone(closed):
    with TempWorkspace(closed, keep=True) as workspace:
        home = workspace.path
        workspace.open_to("nobody").populate({"a": "spam"})
        home.unlink()
    assert (workspace / "a").read_text() == "spam"
    workspace.remove()
    assert not workspace.path.exists()


@as_root
def test_it_can_be_opened_to_one_user_after_the_other(closed):
    with TempWorkspace(closed) as workspace:
        place = workspace.open_to("nobody").path
        assert workspace.open_to("daemon").path == place
        assert run_in_fork(os.listdir, place, user="daemon").unwrap() == []
        assert isinstance(run_in_fork(os.listdir, place, user="nobody"), Raised)


@as_root
def test_a_forked_child_neither_removes_nor_moves_it(closed):
    with TempWorkspace(closed, keep=True) as workspace:
        place = workspace.open_to("nobody").path
        run_in_fork(workspace.__exit__, None, None, None).unwrap()
        assert place.is_dir()
    assert workspace.path.parent == closed
    workspace.remove()


@as_root
def test_where_no_place_can_be_reached_the_closed_directory_is_named(closed, monkeypatch):
    monkeypatch.setattr(workspace_place, "SHORT_ROOTS", ())
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    with TempWorkspace(closed) as workspace:
        with pytest.raises(
            PermissionError,
            match=rf"'nobody' cannot reach .*: '{closed}' is closed to them.*root\)",
        ):
            workspace.open_to("nobody")
        assert workspace.path.stat().st_uid == 0
        assert workspace.path.parent == closed


@as_root
def test_a_move_that_fails_changes_nothing(closed, monkeypatch):
    def refuse(*_paths):
        raise OSError("no")

    with TempWorkspace(closed) as workspace:
        before = workspace.path
        with monkeypatch.context() as patch:
            patch.setattr(workspace_place.real, "rename", staticmethod(refuse))
            with pytest.raises(OSError, match="no"):
                workspace.open_to("nobody")
        assert (workspace.path, before.stat().st_uid) == (before, 0)


def test_an_unknown_user_is_named():
    with (
        TempWorkspace() as workspace,
        pytest.raises(LookupError, match="user='no-such-user': the password database has no user"),
    ):
        workspace.open_to("no-such-user")


def test_a_user_of_a_wrong_type_is_refused():
    with TempWorkspace() as workspace, pytest.raises(TypeError, match="user=True: a user is"):
        workspace.open_to(True)


def open_to_root_and_to_oneself(root):
    with TempWorkspace(root) as workspace:
        before = workspace.path
        assert workspace.open_to(os.geteuid()).path == before
        workspace.open_to("root")


def test_an_ordinary_user_may_open_it_to_nobody_else():
    with tempfile.TemporaryDirectory() as folder:
        user = None
        if os.geteuid() == 0:
            user = "nobody"
            os.chown(folder, NOBODY.uid, NOBODY.gid)
        result = run_in_fork(open_to_root_and_to_oneself, folder, user=user)
        assert os.listdir(folder) == []
    with pytest.raises(
        PermissionError, match=r"open_to\('root'\): only the superuser may give .* requires_root"
    ):
        result.unwrap()


def test_a_platform_without_owners_says_so(monkeypatch):
    monkeypatch.delattr(os, "chown")
    with TempWorkspace() as workspace, pytest.raises(NotImplementedError, match=r"needs os\.chown"):
        workspace.open_to("nobody")

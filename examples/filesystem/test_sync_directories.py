"""After a sync the trees are equal, a second one does nothing, and a crash spoils no file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from crash_points import killed_at_each_step
from sync_directories import Rules, Step, main, sync

from pytest_syskit import Fifo, File, Raised, Symlink, TempWorkspace

pytestmark = pytest.mark.posix_only

SCRIPT = Path(__file__).with_name("sync_directories.py")
MIRROR = Rules(remove_extras=True)
TREE = {
    "a": File("text", mode=0o640, mtime=1_600_000_000),
    "empty": {},
    "deep": {"er": {"b": b"\0\xff", b"\xff name\n": "odd"}},
    "link": Symlink("deep/er"),
    "dangling": Symlink("nowhere"),
}


@pytest.fixture
def source(temp_workspace):
    with TempWorkspace(temp_workspace.path) as source:
        yield source.populate(TREE)


@pytest.fixture
def target(temp_workspace):
    with TempWorkspace(temp_workspace.path) as target:
        yield target


@pytest.fixture
def copied(source, target):
    """A target that is like the source."""
    sync(source, target)
    return target


def steps(*words: str):
    return [Step(*word.split(" ")) for word in words]


def test_everything_is_copied_empty_directories_and_links_too(source, target):
    sync(source, target)
    assert target.snapshot() == source.snapshot()
    assert (target / "a").stat().st_mtime == 1_600_000_000
    assert os.listdir(target / "empty") == []


def test_a_second_run_does_nothing(source, copied):
    assert sync(source, copied) == []
    assert sync(source, copied, MIRROR) == []


def test_the_target_is_made(source, temp_workspace):
    sync(source, temp_workspace / "new" / "target")
    assert (temp_workspace / "new" / "target" / "a").read_text() == "text"


def test_what_is_new_or_changed_is_copied_and_nothing_else(source, copied):
    source.populate({"a": "other", "new": "new"})
    assert sync(source, copied) == steps("copy a", "copy new")
    assert copied.snapshot() == source.snapshot()


def test_other_content_of_equal_size_and_time_is_seen(source, copied):
    (source / "a").write_text("TEXT")
    os.utime(source / "a", (1_600_000_000, 1_600_000_000))
    assert sync(source, copied, Rules(quick=True)) == []
    assert sync(source, copied) == steps("copy a")
    (source / "a").write_text("tExt")  # and a second time: nothing is remembered
    os.utime(source / "a", (1_600_000_000, 1_600_000_000))
    assert sync(source, copied) == steps("copy a")
    assert (copied / "a").read_text() == "tExt"


def test_modes_are_copied(source, copied):
    (source / "a").chmod(0o600)
    (source / "empty").chmod(0o711)
    assert sync(source, copied) == steps("copy a", "mode empty")
    assert copied.snapshot() == source.snapshot()


def test_a_read_only_directory_gets_its_content_before_its_mode(source, target):
    (source / "deep" / "er").chmod(0o555)
    sync(source, target)
    assert target.snapshot() == source.snapshot()


def test_extras_stay_unless_they_may_go(source, copied, temp_workspace):
    copied.populate({"extra": {"x": "x"}, "deep/y": "y"})
    assert sync(source, copied) == []
    assert sync(source, copied, MIRROR) == steps("remove extra", "remove deep/y")
    assert copied.snapshot() == source.snapshot()


def test_an_extra_link_goes_and_what_it_leads_to_stays(source, copied, temp_workspace):
    temp_workspace.populate({"precious": {"x": "x"}})
    (copied / "extra").symlink_to(temp_workspace / "precious")
    sync(source, copied, MIRROR)
    assert (temp_workspace / "precious" / "x").exists()
    assert not (copied / "extra").is_symlink()


def test_a_link_in_place_of_a_directory_is_not_followed(source, copied, temp_workspace):
    temp_workspace.populate({"precious": {"x": "x"}})
    (copied / "empty").rmdir()
    (copied / "empty").symlink_to(temp_workspace / "precious")
    assert sync(source, copied, MIRROR) == steps("remove empty", "make empty", "mode empty")
    assert (temp_workspace / "precious" / "x").exists()
    assert copied.snapshot() == source.snapshot()


def test_a_file_that_became_a_directory(source, copied):
    (source / "a").unlink()
    source.populate({"a": {"x": "x"}})
    assert sync(source, copied) == steps("remove a", "make a", "copy a/x", "mode a")
    assert copied.snapshot() == source.snapshot()


def test_a_directory_that_became_a_file_loses_its_content_only_if_extras_may_go(source, copied):
    for name in ("empty", "deep/er/b", "deep/er"):
        path = source / name
        path.rmdir() if name == "empty" else None
    (source / "empty").write_text("now a file")
    (source / "deep").rename(source / "moved")
    (source / "deep").write_text("now a file")
    kept = sync(source, copied)
    assert Step("skip", "deep", "a directory with content is in its place") in kept
    assert (copied / "empty").read_text() == "now a file"
    assert (copied / "deep" / "er" / "b").exists()
    sync(source, copied, MIRROR)
    assert copied.snapshot() == source.snapshot()


def test_a_link_that_leads_elsewhere_is_replaced(source, copied):
    source.populate({"link": Symlink("a")})
    assert sync(source, copied) == steps("link link")
    assert copied.snapshot() == source.snapshot()


def test_a_dry_run_says_the_same_and_does_nothing(source, target, temp_workspace):
    target.populate({"a": {}, "extra": "x", "empty": "a file"})
    before = target.snapshot()
    told = sync(source, target, MIRROR, dry_run=True)
    assert not target.diff(before)
    assert told == sync(source, target, MIRROR)
    assert sync(source, temp_workspace / "new", dry_run=True)
    assert not (temp_workspace / "new").exists()


@pytest.mark.signal_timeout(10)
def test_a_fifo_is_skipped_and_said(source, copied):
    source.populate({"fifo": Fifo()})
    (skipped,) = sync(source, copied)
    assert skipped == Step("skip", "fifo", "neither a file, a directory nor a link")


def test_a_source_that_is_missing_empties_nothing(source, copied, temp_workspace):
    before = copied.snapshot()
    with pytest.raises(FileNotFoundError):
        sync(temp_workspace / "missing", copied, MIRROR)
    with pytest.raises(NotADirectoryError):
        sync(source / "a", copied, MIRROR)
    assert not copied.diff(before)


def test_a_source_folder_that_cannot_be_read_empties_nothing(fork_runner):
    user = 65534 if os.geteuid() == 0 else None  # root reads everything
    with TempWorkspace() as place:  # where another user can come in
        place.populate({"source": TREE, "target": TREE})
        place.path.chmod(0o755)
        (place / "source" / "deep").chmod(0)
        before = place.snapshot()
        look = fork_runner.run(os.listdir, place / "source" / "deep", user=user, cwd="/")
        if not isinstance(look, Raised):
            pytest.skip("this process has the capability to read everything")
        result = fork_runner.run(
            sync, place / "source", place / "target", MIRROR, user=user, cwd="/"
        )
        trouble = [step for step in result.unwrap() if step.path.startswith("deep")]
        assert trouble == [Step("skip", "deep", "Permission denied")]
        assert not place.diff(before)


def test_directories_that_lie_in_each_other_are_refused(source):
    for other in (source.path, source / "deep", source.path.parent):
        with pytest.raises(ValueError, match="lies in the other"):
            sync(source, other)


def test_a_crash_at_any_step_spoils_no_file_and_the_next_run_does_the_rest(
    temp_workspace, fork_runner
):
    old, new = "old " * 3000, "new " * 3000
    source, target = temp_workspace / "source", temp_workspace / "target"
    before = {"changed": old, "extra": "x", "turned": "file", "link": Symlink("old")}
    after = {"changed": new, "added": new, "turned": {"x": "x"}, "link": Symlink("new")}

    def prepare() -> None:
        with TempWorkspace(temp_workspace.path) as away:
            for path in (source, target):
                if path.exists():
                    path.rename(away / path.name)
        temp_workspace.populate({"source": after, "target": before})

    seen = set()
    for step in killed_at_each_step(fork_runner, prepare, lambda: sync(source, target, MIRROR)):
        seen.add(step)
        assert (target / "changed").read_text() in (old, new), step
        assert os.readlink(target / "link") in ("old", "new"), step
        assert not (target / "added").exists() or (target / "added").read_text() == new, step
        sync(source, target)  # extras stay: it must clean up its own
        names = set(os.listdir(target))
        assert names - {"extra"} == set(os.listdir(source)), step
        sync(source, target, MIRROR)
        assert sync(source, target, MIRROR) == [], step
    assert {"open", "fsync", "rename", "unlink", "mkdir", "symlink", "nothing"} <= seen


def test_the_script(source, target):
    argv = [sys.executable, SCRIPT, source.path, target.path]
    dry = subprocess.run([*argv, "--dry-run"], capture_output=True, text=True, check=True)
    assert os.listdir(target) == []
    run = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert run.stdout == dry.stdout
    assert "copy\t'a'\n" in run.stdout
    source.populate({"fifo": Fifo()})
    (target / "extra").touch()
    odd = subprocess.run([*argv, "--remove"], capture_output=True, text=True, check=False)
    assert odd.returncode == 1
    assert odd.stdout == "remove\t'extra'\n"
    assert odd.stderr == ("sync_directories: 'fifo': neither a file, a directory nor a link\n")


def test_the_script_names_its_troubles(source, capsys):
    assert main([str(source.path), str(source.path)]) == 1
    assert "sync_directories: " in capsys.readouterr().err
    for argv, status in (["--help"], "0"), (["one"], "2"):
        with pytest.raises(SystemExit, match=status):
            main(argv)

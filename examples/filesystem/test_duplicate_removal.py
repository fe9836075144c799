"""The removal of duplicates never takes the last copy, whatever else happens (exercise A12)."""
# ruff: noqa: ANN002, ANN003, ANN202  # stand-ins in tests take whatever comes

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import duplicate_files
import duplicate_removal
import pytest
from duplicate_files import main
from duplicate_removal import remove_duplicates
from duplicate_search import find_duplicates

from pytest_syskit import HardLink, Killed, Symlink

SCRIPT = Path(duplicate_files.__file__)
pytestmark = pytest.mark.posix_only
BOTH = {"a": "same", "b": "same"}
DELETE = ["--threshold", "0", "--delete"]


def contents(workspace):
    return sorted(path.read_bytes() for path in workspace.path.rglob("*") if path.is_file())


def removed(workspace):
    """Search and remove; return the name of each file, and of what was wrong with it."""
    (group,) = find_duplicates([str(workspace)]).groups
    return [(Path(path).name, error and error.strerror) for path, error in remove_duplicates(group)]


def before_call(monkeypatch, name, act, number=1):
    """Let something happen just before the n-th call of a function of ``os``."""
    real_call, calls = getattr(os, name), []

    def wrapped(*args, **options):
        calls.append(args)
        if len(calls) == number:
            act()
        return real_call(*args, **options)

    monkeypatch.setattr(duplicate_removal.os, name, wrapped)
    return calls


def after_call(monkeypatch, name, act):
    real_call = getattr(os, name)

    def wrapped(*args, **options):
        value = real_call(*args, **options)
        act()
        return value

    monkeypatch.setattr(duplicate_removal.os, name, wrapped)


def test_one_copy_is_kept_and_every_name_of_the_others_goes(temp_workspace):
    temp_workspace.populate({**BOTH, "b2": HardLink("b"), "c": "same", "link": Symlink("a")})
    assert removed(temp_workspace) == [("b", None), ("b2", None), ("c", None)]
    assert sorted(os.listdir(temp_workspace)) == ["a", "link"]


def test_all_names_of_the_kept_file_stay(temp_workspace):
    temp_workspace.populate({**BOTH, "a2": HardLink("a")})
    removed(temp_workspace)
    assert sorted(os.listdir(temp_workspace)) == ["a", "a2"]


def test_a_copy_that_changed_since_the_search_stays(temp_workspace):
    temp_workspace.populate(BOTH)
    (group,) = find_duplicates([str(temp_workspace)]).groups
    (temp_workspace / "b").write_text("diff")
    ((_, error),) = remove_duplicates(group)
    assert "differs from" in error.strerror
    assert contents(temp_workspace) == [b"diff", b"same"]


@pytest.mark.parametrize("content", ["same", "diff"])
def test_a_new_file_under_a_name_of_the_search_is_neither_removed_nor_the_one_to_keep(
    temp_workspace, content
):
    temp_workspace.populate({**BOTH, "c": "same"})
    (group,) = find_duplicates([str(temp_workspace)]).groups
    for name in "ac":  # of the same size, but not what was found; the old files stay as they were
        os.rename(temp_workspace / name, temp_workspace / f"{name} of before")
        temp_workspace.populate({name: content})
    outcomes = [
        (Path(path).name, error and error.errno) for path, error in remove_duplicates(group)
    ]
    assert outcomes == [("a", errno.ESTALE), ("c", errno.ESTALE)]
    assert len(os.listdir(temp_workspace)) == 5


def test_a_copy_that_became_a_link_to_the_kept_file_stays(temp_workspace):
    temp_workspace.populate(BOTH)
    (group,) = find_duplicates([str(temp_workspace)]).groups
    temp_workspace.populate({"b": Symlink("a")})
    ((_, error),) = remove_duplicates(group)
    assert error is not None
    assert sorted(os.listdir(temp_workspace)) == ["a", "b"]


def test_if_the_first_copy_is_gone_the_next_one_is_kept(temp_workspace):
    temp_workspace.populate({**BOTH, "c": "same"})
    (group,) = find_duplicates([str(temp_workspace)]).groups
    (temp_workspace / "a").unlink()
    outcomes = {Path(path).name: error for path, error in remove_duplicates(group)}
    assert outcomes["a"].strerror == "No such file or directory"
    assert outcomes["c"] is None
    assert os.listdir(temp_workspace) == ["b"]


def test_if_all_others_are_gone_the_last_one_stays(temp_workspace):
    temp_workspace.populate(BOTH)
    (group,) = find_duplicates([str(temp_workspace)]).groups
    (temp_workspace / "a").unlink()
    assert all(error for _, error in remove_duplicates(group))
    assert os.listdir(temp_workspace) == ["b"]


def _unlink(path):
    return path.unlink


def _replace(path):
    def act():
        path.unlink()
        path.write_text("newer")

    return act


def _rewrite_keeping_time(path):
    def act():
        found = path.stat()
        path.write_text("evil")
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))

    return act


@pytest.mark.parametrize("happens", [_unlink, _replace, _rewrite_keeping_time])
@pytest.mark.parametrize("moment", ["rename", "unlink"])
def test_if_the_kept_file_is_lost_before_any_step_the_copy_stays(
    temp_workspace, monkeypatch, happens, moment
):
    temp_workspace.populate(BOTH)
    before_call(monkeypatch, moment, happens(temp_workspace / "a"))
    ((name, error),) = removed(temp_workspace)
    monkeypatch.undo()
    assert name == "b"
    assert "changed" in error
    assert (temp_workspace / "b").read_text() == "same"
    assert not [name for name in os.listdir(temp_workspace) if name.startswith(".")]


def test_if_the_kept_file_is_lost_just_after_the_unlink_the_copy_is_written_anew(
    temp_workspace, monkeypatch
):
    temp_workspace.populate(BOTH)
    (temp_workspace / "b").chmod(0o640)
    os.utime(temp_workspace / "b", (1_000_000_000, 1_000_000_000))
    kept = temp_workspace / "a"
    after_call(monkeypatch, "unlink", lambda: kept.rename(temp_workspace / "moved"))
    assert "kept after all" in removed(temp_workspace)[0][1]
    monkeypatch.undo()
    found = (temp_workspace / "b").stat()
    assert (temp_workspace / "b").read_text() == "same"
    assert (found.st_mode & 0o777, found.st_mtime) == (0o640, 1_000_000_000)


def test_a_new_file_under_the_name_of_a_copy_that_is_written_anew_stays(
    temp_workspace, monkeypatch
):
    temp_workspace.populate(BOTH)

    def act():
        (temp_workspace / "a").write_text("evil")
        (temp_workspace / "b").write_text("newer")

    after_call(monkeypatch, "unlink", act)
    removed(temp_workspace)
    monkeypatch.undo()
    assert contents(temp_workspace) == [b"evil", b"newer", b"same"]


def test_a_change_within_one_tick_of_the_clock_is_noticed(temp_workspace, monkeypatch):
    temp_workspace.populate(BOTH)
    monkeypatch.setattr(duplicate_removal, "_is_whole", lambda _: True)  # as if no time had passed
    after_call(monkeypatch, "unlink", lambda: (temp_workspace / "a").write_text("evil"))
    assert "kept after all" in removed(temp_workspace)[0][1]
    monkeypatch.undo()
    assert contents(temp_workspace) == [b"evil", b"same"]


def test_a_file_that_takes_the_place_of_a_copy_is_not_removed(temp_workspace, monkeypatch):
    temp_workspace.populate(BOTH)
    before_call(monkeypatch, "rename", _replace(temp_workspace / "b"))
    assert "changed" in removed(temp_workspace)[0][1]
    monkeypatch.undo()
    assert (temp_workspace / "b").read_text() == "newer"


def test_a_directory_that_takes_the_place_of_a_copy_is_not_removed(temp_workspace, monkeypatch):
    temp_workspace.populate(BOTH)

    def act():
        (temp_workspace / "b").unlink()
        temp_workspace.populate({"b": {"precious": "x"}})

    before_call(monkeypatch, "rename", act)
    removed(temp_workspace)
    monkeypatch.undo()
    assert (temp_workspace / "b" / "precious").read_text() == "x"


def test_a_copy_moved_aside_never_overwrites_what_took_its_name(temp_workspace, monkeypatch):
    temp_workspace.populate(BOTH)

    def act():
        (temp_workspace / "a").unlink()
        (temp_workspace / "b").write_text("newer")

    after_call(monkeypatch, "rename", act)
    assert "has a new file" in removed(temp_workspace)[0][1]
    monkeypatch.undo()
    assert contents(temp_workspace) == [b"newer", b"same"]


def test_what_another_process_has_locked_stays(temp_workspace, fork_runner):
    import fcntl  # noqa: PLC0415  # POSIX only

    temp_workspace.populate(BOTH)
    with open(temp_workspace / "b", "rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        assert removed(temp_workspace) == [("b", "another process has locked it")]
    assert sorted(os.listdir(temp_workspace)) == ["a", "b"]


def _delete_when_told(go, roots):
    while not os.path.exists(go):
        pass
    return main([*DELETE, "--yes", *roots])


def test_two_removals_at_once_leave_a_copy(temp_workspace, fork_runner):
    go = temp_workspace / "go"
    for _ in range(int(os.environ.get("REPETITIONS", "20"))):
        go.unlink(missing_ok=True)
        temp_workspace.populate({"x": {"f": "same"}, "y": {"f": "same"}})
        roots = [str(temp_workspace / "x"), str(temp_workspace / "y")]
        with (
            fork_runner.start(_delete_when_told, go, roots) as one,
            fork_runner.start(_delete_when_told, go, roots[::-1]) as other,
        ):
            go.touch()
            ended = one.wait(), other.wait()
        left = [os.path.exists(f"{root}/f") for root in roots]
        assert any(left), ended
        assert all(result.value in (0, 1) for result in ended)


def _removal_killed_before(name, number, roots):
    real_call, calls = getattr(os, name), []

    def deadly(*args, **options):
        calls.append(args)
        if len(calls) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real_call(*args, **options)

    setattr(os, name, deadly)
    main([*DELETE, "--yes", *roots])


@pytest.mark.parametrize("name", ["pread", "rename", "lstat", "fstat", "unlink", "close"])
def test_a_removal_that_is_killed_at_any_step_leaves_a_copy(temp_workspace, fork_runner, name):
    for number in range(1, 50):
        temp_workspace.populate({"t": {"a": "same", "b": "same"}})
        result = fork_runner.run(_removal_killed_before, name, number, [str(temp_workspace / "t")])
        assert b"same" in contents(temp_workspace)
        if not isinstance(result, Killed):
            break
    assert number > 1


# The script


@pytest.mark.parametrize(
    ("answer", "left"),
    [("y\n", ["a"]), ("yes\n", ["a"]), ("n\n", ["a", "b"]), ("\n", ["a", "b"]), ("", ["a", "b"])],
)
def test_the_script_asks_and_only_yes_is_yes(temp_workspace, answer, left):
    temp_workspace.populate(BOTH)
    done = subprocess.run(
        [sys.executable, SCRIPT, *DELETE, "."], input=answer, cwd=temp_workspace,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == "keep ./a and remove 1 name? [y/N] "
    assert sorted(os.listdir(temp_workspace)) == left


def test_a_question_on_a_terminal_can_be_answered(temp_workspace, process_factory):
    temp_workspace.populate(BOTH)
    program = process_factory([sys.executable, SCRIPT, *DELETE, "."], cwd=temp_workspace.path)
    program.expect(r"\[y/N\] ")
    program.send_line("y")
    assert program.wait() == 0
    assert "  removed ./b\n" in program.stdout


def test_with_yes_nothing_is_asked(temp_workspace, capsys, monkeypatch):
    temp_workspace.populate(BOTH)
    monkeypatch.setattr(sys, "stdin", None)
    assert main([*DELETE, "--yes", str(temp_workspace)]) == 0
    assert os.listdir(temp_workspace) == ["a"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("form", [[], ["--yes"], ["--json"]])
def test_a_dry_run_removes_nothing_and_says_what_would_be(temp_workspace, capsys, form):
    temp_workspace.populate(BOTH)
    before = temp_workspace.snapshot()
    assert main([*DELETE, "--dry-run", *form, str(temp_workspace)]) == 0
    assert not temp_workspace.diff(before)
    word = "would_remove" if form == ["--json"] else f"would remove {temp_workspace / 'b'}"
    assert word in capsys.readouterr().out


def test_nothing_below_the_threshold_is_removed(temp_workspace):
    temp_workspace.populate(BOTH)
    before = temp_workspace.snapshot()
    assert main(["--threshold", "4", "--delete", "--yes", str(temp_workspace)]) == 0
    assert not temp_workspace.diff(before)


def test_a_copy_that_stayed_is_status_1_with_a_message(temp_workspace, capsys, monkeypatch):
    temp_workspace.populate(BOTH)
    before_call(monkeypatch, "rename", _unlink(temp_workspace / "b"))
    assert main([*DELETE, "--yes", str(temp_workspace)]) == 1
    monkeypatch.undo()
    told = f"duplicate_files: {temp_workspace / 'b'}: No such file or directory\n"
    assert capsys.readouterr().err == told

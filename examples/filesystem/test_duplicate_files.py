"""The duplicate finder finds what is equal and survives what is odd (exercise A12)."""
# ruff: noqa: ANN002, ANN003, ANN202  # stand-ins in tests take whatever comes

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import duplicate_files
import duplicate_search
import pytest
from duplicate_files import main, parse_size
from duplicate_search import find_duplicates

from pytest_syskit import Fifo, File, HardLink, Returned, Symlink, UnixSocket

SCRIPT = Path(duplicate_files.__file__)
LARGE = 200_000  # bytes: more than is compared at once, and no multiple of a piece
pytestmark = pytest.mark.posix_only


def names(result):
    return [[list(copy.paths) for copy in group.copies] for group in result.groups]


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        capture_output=True,
        timeout=60,
        check=False,
        **options,
    )


def count_reads(monkeypatch):
    opened, read = [], []
    real_open, real_read = os.open, os.read

    def counting_open(path, *args, **options):
        opened.append(os.path.basename(path))
        return real_open(path, *args, **options)

    def counting_read(fd, length):
        piece = real_read(fd, length)
        read.append(len(piece))
        return piece

    monkeypatch.setattr(os, "open", counting_open)
    monkeypatch.setattr(os, "read", counting_read)
    return opened, read


def test_equal_files_are_found_and_others_are_not(temp_workspace):
    temp_workspace.populate(
        {"a": "same", "deep": {"er": {"b": "same"}}, "c": "diff", "d": "longer", "e": ""}
    )
    with temp_workspace.chdir():
        result = find_duplicates(["."])
    assert names(result) == [[["./a"], ["./deep/er/b"]]]
    assert (result.files, result.groups[0].wasted, result.problems) == (5, 4, [])
    assert result.groups[0].digest == hashlib.sha256(b"same").hexdigest()


@pytest.mark.parametrize("size", [1, 4096, 16_384, 16_385, 65_536, 65_537, 131_072, LARGE])
def test_files_that_differ_in_the_last_byte_only_are_told_apart(temp_workspace, size):
    content = bytes(size)
    temp_workspace.populate({"a": content, "b": content, "c": content[:-1] + b"x"})
    with temp_workspace.chdir():
        result = find_duplicates(["."])
    assert names(result) == [[["./a"], ["./b"]]]
    assert result.groups[0].digest == hashlib.sha256(content).hexdigest()


def test_a_file_of_unique_size_is_never_opened(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": "same", "b": "same", "unique": "of another size"})
    opened, _ = count_reads(monkeypatch)
    find_duplicates([str(temp_workspace)])
    assert "a" in opened
    assert "unique" not in opened


def test_of_large_files_that_begin_differently_one_page_is_read(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": b"a" * LARGE, "b": b"b" * LARGE})
    _, read = count_reads(monkeypatch)
    find_duplicates([str(temp_workspace)])
    assert read == [4096, 4096]


def test_no_read_takes_more_than_a_piece(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": bytes(LARGE), "b": bytes(LARGE)})
    _, read = count_reads(monkeypatch)
    find_duplicates([str(temp_workspace)])
    assert sum(read) == 2 * (LARGE + 4096)
    assert max(read) <= 65_537


def test_small_files_that_would_fill_memory_together_are_hashed(temp_workspace, monkeypatch):
    monkeypatch.setattr(duplicate_search, "_HELD", 8)
    temp_workspace.populate({"a": "same", "b": "same", "c": "diff"})
    result = find_duplicates([str(temp_workspace)])
    assert [len(group.copies) for group in result.groups] == [2]


def test_the_names_of_a_hard_linked_file_count_as_one_file(temp_workspace):
    temp_workspace.populate({"a": "same", "a2": HardLink("a"), "b": "same"})
    temp_workspace.populate({"alone": "1234567", "alone2": HardLink("alone")})
    with temp_workspace.chdir():
        result = find_duplicates(["."])
    assert names(result) == [[["./a", "./a2"], ["./b"]]]
    assert result.groups[0].wasted == 4


def test_links_are_never_followed(temp_workspace):
    temp_workspace.populate(
        {"in": {"a": "same", "link": Symlink("../out/b"), "dir": Symlink("../out")}}
    )
    temp_workspace.populate({"out": {"b": "same"}, "root": Symlink("out")})
    with temp_workspace.chdir():
        result = find_duplicates(["in", "root"])
    assert names(result) == []
    assert result.files == 1
    assert [problem.filename for problem in result.problems] == ["root"]


def test_a_directory_that_becomes_a_link_before_it_is_entered_is_not_followed(
    temp_workspace, monkeypatch
):
    temp_workspace.populate({"in": {"a": "same", "d": {}}, "out": {"b": "same"}})
    lstat = os.lstat

    def swap_and_look(path):
        if os.path.basename(path) == "d":
            os.rmdir(path)
            os.symlink("../out", path)
        return lstat(path)

    monkeypatch.setattr(os, "lstat", swap_and_look)
    result = find_duplicates([str(temp_workspace / "in")])
    monkeypatch.undo()
    assert (temp_workspace / "in" / "d").is_symlink()
    assert (result.files, result.groups) == (1, [])


@pytest.mark.signal_timeout(20)
def test_fifos_and_sockets_are_passed_by_without_opening(temp_workspace):
    temp_workspace.populate({"a": Fifo(), "b": Fifo(), "c": UnixSocket(), "d": UnixSocket()})
    result = find_duplicates([str(temp_workspace)], min_size=0)
    assert (result.files, result.groups, result.problems) == (0, [], [])


def test_overlapping_roots_make_no_duplicates(temp_workspace):
    temp_workspace.populate({"sub": {"a": "same"}})
    with temp_workspace.chdir():
        result = find_duplicates([".", "sub", "./sub/"])
        with_file = find_duplicates([".", "sub/a"])
    assert (result.groups, result.files) == ([], 1)
    assert with_file.groups == []


def test_the_first_root_comes_first_in_a_group(temp_workspace):
    temp_workspace.populate({"a": {"x": "same"}, "b": {"y": "same", "x": "same"}})
    with temp_workspace.chdir():
        assert names(find_duplicates(["b", "a"])) == [[["b/x"], ["b/y"], ["a/x"]]]


def test_a_file_that_vanishes_is_a_problem_and_the_rest_is_found(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": "same", "b": "same", "gone": "same"})
    real_open = os.open

    def losing_open(path, *args, **options):
        (temp_workspace / "gone").unlink(missing_ok=True)
        return real_open(path, *args, **options)

    monkeypatch.setattr(os, "open", losing_open)
    result = find_duplicates([str(temp_workspace)])
    assert [len(group.copies) for group in result.groups] == [2]
    assert [Path(problem.filename).name for problem in result.problems] == ["gone"]


@pytest.mark.parametrize("now", [b"sa", b"same and more"], ids=["shorter", "longer"])
@pytest.mark.parametrize("filling", [0, LARGE], ids=["small", "large"])
def test_a_file_that_changes_its_length_meanwhile_is_no_duplicate(
    temp_workspace, monkeypatch, now, filling
):
    start = bytes(filling)
    temp_workspace.populate({"a": start + b"same", "b": start + b"same"})
    real_open = os.open

    def changing_open(path, *args, **options):
        if os.path.basename(path) == "b":
            (temp_workspace / "b").write_bytes(start + now)
        return real_open(path, *args, **options)

    monkeypatch.setattr(os, "open", changing_open)
    result = find_duplicates([str(temp_workspace)])
    assert result.groups == []
    assert "changed while" in result.problems[0].strerror


def test_a_hard_linked_file_is_read_by_a_name_that_is_left(temp_workspace, monkeypatch):
    temp_workspace.populate({"a": "same", "b1": "same", "b2": HardLink("b1")})
    real_open = os.open

    def losing_open(path, *args, **options):
        (temp_workspace / "b1").unlink(missing_ok=True)
        return real_open(path, *args, **options)

    monkeypatch.setattr(os, "open", losing_open)
    result = find_duplicates([str(temp_workspace)])
    assert [len(group.copies) for group in result.groups] == [2]
    assert result.problems == []


def _search_unreadable(root):
    result = find_duplicates([root])
    problems = sorted(os.path.relpath(problem.filename, root) for problem in result.problems)
    return [len(group.copies) for group in result.groups], problems


UNREADABLE = {
    "a": "same",
    "b": "same",
    "secret": File("same", mode=0),
    "closed": {"x": "same"},
}


@pytest.mark.requires("dac")
def test_what_cannot_be_read_is_a_problem_and_the_rest_is_found(temp_workspace):
    temp_workspace.populate(UNREADABLE)
    (temp_workspace / "closed").chmod(0)
    assert _search_unreadable(str(temp_workspace)) == ([2], ["closed", "secret"])


@pytest.mark.requires_root
def test_an_ordinary_user_survives_what_cannot_be_read(short_socket_dir, fork_runner):
    # A directory that every user can reach: the workspace lies below pytest's private one.
    root = short_socket_dir / "tree"
    (root / "closed").mkdir(parents=True)
    for name in ("a", "b", "secret", "closed/x"):
        (root / name).write_text("same")
    (root / "secret").chmod(0)
    (root / "closed").chmod(0)
    short_socket_dir.chmod(0o755)
    result = fork_runner.run(_search_unreadable, str(root), user=65534)
    assert result == Returned(([2], ["closed", "secret"]))


def test_a_missing_root_is_status_1_and_the_others_are_searched(temp_workspace):
    temp_workspace.populate({"a": "same", "b": "same"})
    done = run("--threshold", "0", "missing", ".", cwd=temp_workspace)
    assert done.returncode == 1
    assert done.stderr == b"duplicate_files: missing: No such file or directory\n"
    assert b"  ./a\n  ./b\n" in done.stdout


def test_every_location_and_the_totals_are_shown(temp_workspace):
    temp_workspace.populate({"a": "same", "a2": HardLink("a"), "b": "same", "c": "same"})
    done = run("--threshold", "0", ".", cwd=temp_workspace)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == (
        "3 files of 4 bytes, 8 wasted:\n  ./a\n    = ./a2\n  ./b\n  ./c\n"
        "\n2 duplicates in 1 group of 4 files waste 0.0 MB\n"
    )


def test_odd_names_stay_on_their_line(temp_workspace):
    temp_workspace.populate({b"bad\xff": "same", "new\nline": "same", "esc\x1b[31m": "same"})
    done = run("--threshold", "0", ".", cwd=temp_workspace, env={**os.environ, "LC_ALL": "C"})
    assert done.returncode == 0
    assert b"  b'./bad\\xff'\n" in done.stdout
    assert b"  './new\\nline'\n" in done.stdout
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("1.5 k", 1500),
        ("10MB", 10_000_000),
        ("10m", 10_000_000),
        ("2GB", 2 * 10**9),
    ],
)
def test_a_megabyte_is_a_million_bytes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(("size", "is_shown"), [(10_000_000, False), (10_000_001, True)])
def test_only_groups_that_waste_more_than_ten_megabytes_are_shown(temp_workspace, size, is_shown):
    for name in ("a", "b"):
        with open(temp_workspace / name, "wb") as file:
            file.truncate(size)  # a hole: takes no room
    done = run(".", cwd=temp_workspace)
    assert (b"./a" in done.stdout) == is_shown
    assert (b"1 group of at most 10.0 MB not shown" in done.stdout) != is_shown


@pytest.mark.parametrize(
    "arguments",
    [[], ["--threshold", "lots", "."], ["--yes", "."], ["--hash", "md5", "."],
     ["--hash-log", "x", "--duplicate-log", "x", "."],
     ["--hash-log", "x", "--duplicate-log", "./x", "."]],
)  # fmt: skip
def test_a_wrong_command_line_is_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: duplicate_files" in capsys.readouterr().err


def test_help_says_what_it_does(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "10**6" in capsys.readouterr().out


def test_json_holds_the_same_facts(temp_workspace):
    temp_workspace.populate({b"bad\xff": "same", "b": "same"})
    done = run("--json", "--threshold", "0", ".", "missing", cwd=temp_workspace)
    found = json.loads(done.stdout)
    assert done.returncode == 1
    assert (found["duplicates"], found["wasted"], found["threshold"]) == (1, 4, 0)
    files = [os.fsencode(path) for paths in found["groups"][0]["files"] for path in paths]
    assert files == [b"./b", b"./bad\xff"]
    assert found["problems"] == ["missing: No such file or directory"]


# Logs


@pytest.mark.requires_commands("sha256sum")
def test_sha256sum_can_check_the_hash_log(temp_workspace):
    odd = {"a": "same", "b": "same", "c": "diff", b"bad\xff": "same", "new\nline": "same"}
    temp_workspace.populate(
        {"tree": {**odd, "back\\slash": "same", "x": bytes(LARGE), "y": bytes(LARGE)}}
    )
    with temp_workspace.chdir():
        assert main(["--hash-log", "hash.log", "tree"]) == 0
        checked = subprocess.run(
            ["sha256sum", "--check", "--strict", "--quiet", "hash.log"],
            capture_output=True,
            check=False,
        )
        assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
        assert len((temp_workspace / "hash.log").read_bytes().splitlines()) == 8


def test_the_duplicate_log_holds_every_group_whatever_the_threshold(temp_workspace):
    temp_workspace.populate({"a": "same", "a2": HardLink("a"), "b": "same", "x": "22", "y": "22"})
    with temp_workspace.chdir():
        assert main(["--duplicate-log", "log", "."]) == 0
        first, second = (hashlib.sha256(text).hexdigest() for text in (b"same", b"22"))
        assert (temp_workspace / "log").read_text() == (
            f"# 2 files of 4 bytes, 4 wasted, {first}\n./a\n  = ./a2\n./b\n\n"
            f"# 2 files of 2 bytes, 2 wasted, {second}\n./x\n./y\n\n"
        )


def test_logs_are_no_duplicates_of_themselves_or_of_each_other(temp_workspace):
    temp_workspace.populate({"old": "", "hash.log": "log of an earlier run", "unlike": "x"})
    temp_workspace.populate({"dup.log": "log of an earlier run"})
    arguments = ["--min-size", "0", "--hash-log", "hash.log", "--duplicate-log", "dup.log", "."]
    with temp_workspace.chdir():
        for _ in range(2):
            assert main([*arguments, "--json", "--threshold", "0"]) == 0
            assert (temp_workspace / "dup.log").read_bytes() == b""
            assert (temp_workspace / "hash.log").read_bytes() == b""
    assert sorted(os.listdir(temp_workspace)) == ["dup.log", "hash.log", "old", "unlike"]


def test_logs_that_cannot_be_written_are_known_before_the_search(
    temp_workspace, capsys, monkeypatch
):
    monkeypatch.setattr(
        duplicate_files, "find_duplicates", lambda *_, **__: pytest.fail("searched")
    )
    temp_workspace.populate({"dir": {}})
    log = str(temp_workspace / "dir")
    assert main(["--hash-log", log, str(temp_workspace)]) == 1
    assert capsys.readouterr().err == (
        f"duplicate_files: {log}: is no regular file, so it is not replaced\n"
    )


def test_after_an_interrupt_the_old_log_stays_and_no_draft(temp_workspace, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    temp_workspace.populate({"hash.log": "old"})
    before = temp_workspace.snapshot()
    monkeypatch.setattr(duplicate_files, "find_duplicates", interrupted)
    log = str(temp_workspace / "hash.log")
    assert main(["--hash-log", log, str(temp_workspace)]) == 130
    assert not temp_workspace.diff(before)


# Progress


def test_the_progress_bar_is_drawn_on_a_terminal_only(temp_workspace, pty_pair):
    temp_workspace.populate({"a": bytes(LARGE), "b": bytes(LARGE)})
    pty_pair.spawn([sys.executable, str(SCRIPT), "."], cwd=temp_workspace.path)
    shown = pty_pair.controller.read_until_eof(30)
    assert b"comparing" in shown
    assert shown.index(b"\r\x1b[K", shown.index(b"comparing")) < shown.index(b"1 duplicate")
    assert run(".", cwd=temp_workspace).stderr == b""


def test_a_reader_that_leaves_is_no_traceback(temp_workspace):
    temp_workspace.populate({"a": "same", "b": "same"})
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as closed:
        done = subprocess.run(
            [sys.executable, SCRIPT, "."],
            cwd=temp_workspace, stdout=closed, stderr=subprocess.PIPE, timeout=60, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, b"")

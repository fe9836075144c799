"""Descriptors do what they are documented to do, are closed on every path, and never used stale."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys

import pytest

pytestmark = pytest.mark.posix_only

from file_descriptors import (  # noqa: E402  # behind the marker: Windows has no SIGPIPE
    Descriptor,
    make_pipe,
    open_file,
    output_of,
    output_to,
    overwrite_at,
    read_at,
    read_to_end,
    run_with_output,
    write_all,
)

# Opening:


def test_a_closed_descriptor_is_refused_though_its_number_is_in_use_again(temp_workspace):
    temp_workspace.populate({"first": "", "second": "precious"})
    stale = open_file(temp_workspace / "first", os.O_WRONLY)
    number = stale.fileno()
    stale.close()
    with open_file(temp_workspace / "second", os.O_RDWR) as stranger:
        assert stranger.fileno() == number  # the trap: the kernel gives the lowest free number
        with pytest.raises(ValueError, match="is closed"):
            write_all(stale.fileno(), b"spoiled!")
        stale.close()
        assert os.fstat(number).st_size == len("precious")  # nor did that close the stranger's
    assert (temp_workspace / "second").read_text() == "precious"


def test_a_descriptor_is_closed_after_an_error(temp_workspace, leak_check):
    with leak_check("fd"):
        with pytest.raises(KeyError), open_file(temp_workspace / "new", os.O_CREAT | os.O_WRONLY):
            raise KeyError
        with pytest.raises(FileNotFoundError):
            open_file(temp_workspace / "missing", os.O_RDONLY)


def test_a_new_file_is_not_overwritten_if_it_is_there_already(temp_workspace):
    temp_workspace.populate({"there": "old"})
    with pytest.raises(FileExistsError):
        open_file(temp_workspace / "there", os.O_CREAT | os.O_EXCL | os.O_WRONLY)


def test_the_mode_of_a_new_file_is_less_the_umask(fork_runner, temp_workspace):
    def create() -> int:
        os.umask(0o027)
        with open_file(temp_workspace / "new", os.O_CREAT | os.O_WRONLY, 0o666) as new:
            return stat.S_IMODE(os.fstat(new.fileno()).st_mode)

    assert fork_runner.run(create).unwrap() == 0o640


# Reading and writing:


def test_everything_is_written_though_each_call_takes_a_part(pipe_pair, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, text: write(fd, text[:3]))
    write_all(pipe_pair.writer.fd, b"spam and eggs")
    monkeypatch.undo()
    assert pipe_pair.reader.read_exactly(13) == b"spam and eggs"


def test_reading_goes_on_to_the_end_and_not_to_the_first_pause():
    reader, writer = make_pipe()
    with reader:
        pieces = read_to_end(reader.fileno())
        with writer:
            write_all(writer.fileno(), b"one")
            assert next(pieces) == b"one"
            write_all(writer.fileno(), b"two")
        assert list(pieces) == [b"two"]


@pytest.mark.parametrize(
    ("offset", "content"),
    [(0, "SPAM456789"), (3, "012SPAM789"), (-4, "012345SPAM"), (8, "01234567SPAM")],
)
def test_a_part_of_a_file_is_written_over(temp_workspace, offset, content):
    temp_workspace.populate({"a b\n": "0123456789"})
    overwrite_at(temp_workspace / "a b\n", offset, b"SPAM")
    assert (temp_workspace / "a b\n").read_text() == content


def test_a_gap_reads_as_zeros(temp_workspace):
    temp_workspace.populate({"f": "01"})
    overwrite_at(temp_workspace / "f", 4, b"x")
    assert (temp_workspace / "f").read_bytes() == b"01\0\0x"


def test_what_was_written_over_is_on_the_disk(temp_workspace, monkeypatch):
    temp_workspace.populate({"f": "0123456789"})
    seen = []
    fsync = os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: (seen.append((temp_workspace / "f").read_text()), fsync(fd))
    )
    overwrite_at(temp_workspace / "f", 0, b"SPAM")
    assert seen == ["SPAM456789"]


def test_an_offset_before_the_start_changes_nothing(temp_workspace, leak_check):
    temp_workspace.populate({"f": "01"})
    with leak_check("fd"), pytest.raises(OSError, match="Invalid argument"):
        overwrite_at(temp_workspace / "f", -3, b"x")
    assert (temp_workspace / "f").read_text() == "01"


def test_a_full_disk_is_an_error_and_no_descriptor_stays(fork_runner, temp_workspace):
    temp_workspace.populate({"f": ""})
    result = fork_runner.run(
        overwrite_at, temp_workspace / "f", 0, b"x" * 200, limits={"fsize": 100}
    )
    with pytest.raises(OSError, match="File too large"):
        result.unwrap()
    assert result.leaks == ()
    assert (temp_workspace / "f").stat().st_size == 100  # the first write took what it could


def test_a_file_object_reads_a_part_and_closes_the_descriptor(temp_workspace, leak_check):
    temp_workspace.populate({"f": "0123456789"})
    with leak_check("fd"):
        assert read_at(temp_workspace / "f", 3, 4) == b"3456"


# Duplicating and inheriting:


def test_a_duplicate_shares_the_offset_and_a_second_open_does_not(temp_workspace):
    temp_workspace.populate({"f": "0123456789"})
    path = temp_workspace / "f"
    with open_file(path, os.O_RDONLY) as first, open_file(path, os.O_RDONLY) as second:
        with Descriptor(os.dup(first.fileno())) as copy:
            os.read(copy.fileno(), 4)
        assert os.lseek(first.fileno(), 0, os.SEEK_CUR) == 4
        assert os.lseek(second.fileno(), 0, os.SEEK_CUR) == 0


def test_only_dup2_makes_an_inheritable_copy(temp_workspace):
    temp_workspace.populate({"f": ""})
    with open_file(temp_workspace / "f", os.O_RDONLY) as first:
        assert not os.get_inheritable(first.fileno())
        with Descriptor(os.dup(first.fileno())) as copy:
            assert not os.get_inheritable(copy.fileno())
            os.dup2(first.fileno(), copy.fileno())
            assert os.get_inheritable(copy.fileno())


_SAY_IF_OPEN = """\
import os, sys
try:
    os.fstat(int(sys.argv[1]))
except OSError:
    print("closed")
else:
    print("open")
"""


@pytest.mark.parametrize(("inheritable", "state"), [(False, b"closed\n"), (True, b"open\n")])
def test_the_flag_decides_whether_a_program_inherits_a_descriptor(
    temp_workspace, inheritable, state
):
    temp_workspace.populate({"f": ""})
    with open_file(temp_workspace / "f", os.O_RDONLY) as some:
        os.set_inheritable(some.fileno(), inheritable)
        command = [sys.executable, "-S", "-c", _SAY_IF_OPEN, str(some.fileno())]
        done = subprocess.run(command, stdout=subprocess.PIPE, close_fds=False, check=True)
    assert done.stdout == state


def _buffer_output() -> None:
    """Hold text back as Python does outside of pytest, which writes through."""
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)))


def _fail_elsewhere(fd) -> None:
    with output_to(fd):
        subprocess.run(["echo", "a child"], check=True)
        print("inside")
        raise KeyError


def test_output_goes_elsewhere_for_a_block_and_back_after_an_error(fork_runner, temp_workspace):
    target = temp_workspace / "out.txt"

    def print_around() -> None:
        _buffer_output()
        print("before")
        with open_file(target, os.O_CREAT | os.O_WRONLY) as out, pytest.raises(KeyError):
            _fail_elsewhere(out.fileno())
        print("after", flush=True)

    result = fork_runner.run(print_around)
    assert result.unwrap() is None
    assert result.stdout == "before\nafter\n"
    assert target.read_text() == "a child\ninside\n"
    assert result.leaks == ()


# The output of a child, by hand:


@pytest.mark.requires("fork")
def test_the_output_of_a_program_goes_into_a_file(fork_runner, temp_workspace):
    def run() -> int:
        with open_file(temp_workspace / "out", os.O_CREAT | os.O_WRONLY) as out:
            return run_with_output(["sh", "-c", "echo out; echo err >&2; exit 3"], out.fileno())

    result = fork_runner.run(run)
    assert (result.unwrap(), result.stdout, result.stderr) == (3, "", "err\n")
    assert (temp_workspace / "out").read_text() == "out\n"
    assert result.leaks == ()


@pytest.mark.requires("fork")
def test_output_longer_than_a_pipe_holds_comes_whole(fork_runner):
    code, output = fork_runner.run(output_of, ["head", "-c", "1000000", "/dev/zero"]).unwrap()
    assert (code, output) == (0, bytes(1_000_000))


@pytest.mark.requires("fork")
def test_the_program_dies_of_a_broken_pipe(fork_runner):
    def to_nobody() -> int:
        reader, writer = make_pipe()
        reader.close()
        with writer:
            return run_with_output(["sh", "-c", "echo spam; echo survived >&2"], writer.fileno())

    result = fork_runner.run(to_nobody)
    assert result.unwrap() == -13
    assert result.stderr == ""


@pytest.mark.requires("fork")
def test_a_missing_program_is_127_said_on_stderr_and_no_second_parent(fork_runner, fake_env):
    result = fork_runner.run(output_of, ["no-such-program"])
    assert result.unwrap() == (127, b"")
    assert result.stderr == "no-such-program: No such file or directory\n"
    assert result.leaks == ()


@pytest.mark.requires("fork")
def test_a_missing_program_of_an_odd_name_is_told_too(fork_runner, fake_env):
    result = fork_runner.run(run_with_output, ["no-caf\udce9"], 1)
    assert result.unwrap() == 127
    assert result.stderr == "no-caf\\udce9: No such file or directory\n"


@pytest.mark.requires("fork")
def test_our_own_output_can_be_that_of_the_program_even_if_it_was_not_for_children(fork_runner):
    def with_private_output() -> int:
        os.set_inheritable(1, False)
        return run_with_output(["echo", "spam"], 1)

    result = fork_runner.run(with_private_output)
    assert (result.unwrap(), result.stdout) == (0, "spam\n")

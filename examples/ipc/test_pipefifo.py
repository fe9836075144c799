"""Reader and writer meet in any order, lose nothing, and leave nothing (exercise C14)."""

from __future__ import annotations

import errno
import os
import re
import signal
import sys
import time

import pytest

pytestmark = [
    pytest.mark.posix_only,
    pytest.mark.requires("fork", "mkfifo"),
    pytest.mark.signal_timeout(120),
]

import pipefifo as module  # noqa: E402  # behind the marker
from pipefifo import incoming_lines, main, outgoing_lines, write_role  # noqa: E402

RUNS = 200
SCRIPT = [sys.executable, module.__file__, "--timeout=20"]
SPAM = [b"Spam %03d" % number for number in range(10)]


@pytest.fixture
def path(temp_workspace):
    """Return where the FIFO is to be."""
    return str(temp_workspace / "spam.fifo")


def read_all(path, timeout=20) -> list[bytes]:
    with incoming_lines(path, timeout) as lines:
        return list(lines)


def write_all(path, lines, timeout=20) -> None:
    with outgoing_lines(path, timeout) as send:
        for line in lines:
            send(line)


def fork(work) -> int:
    """Run ``work`` in a child, in the plainest way; returns its pid."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return pid


# Both roles as functions:


def test_in_200_runs_no_line_is_lost_or_merged_and_no_fifo_stays(path, fork_runner):
    def meet_often() -> int:
        whole = 0
        for _ in range(RUNS):
            pid = fork(lambda: write_all(path, SPAM))
            whole += read_all(path) == SPAM and not os.path.lexists(path)
            assert os.waitpid(pid, 0)[1] == 0
        return whole

    result = fork_runner.run(meet_often)
    assert result.unwrap() == RUNS
    assert result.leaks == ()


def test_in_200_turns_writers_that_come_while_a_reader_leaves_are_not_lost(path, fork_runner):
    # The writers do not wait for each other, the readers neither: each line must reach someone.
    def write_turns() -> None:
        for turn in range(RUNS):
            write_all(path, [b"%d" % turn])

    with fork_runner.start(write_turns) as writer:
        arrived = []
        while len(arrived) < RUNS:
            arrived += read_all(path)
        writer.wait().unwrap()
    assert arrived == [b"%d" % turn for turn in range(RUNS)]


def test_a_writer_that_opens_it_at_the_last_moment_is_heard(path, fork_runner):
    # Between the end that the reader sees and the removal of the name.
    remove, late = module.remove_fifo, []

    def come_late(name, which) -> None:
        if not late:
            late.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        remove(name, which)
        if late[-1] is not None:
            os.write(late[0], b"late\n")
            os.close(late[0])
            late.append(None)

    def read_and_be_surprised() -> list[bytes]:
        module.remove_fifo = come_late  # in a child of its own
        return read_all(path)

    with fork_runner.start(read_and_be_surprised, timeout=20) as reader:
        write_all(path, [b"in time"])
        assert reader.wait().unwrap() == [b"in time", b"late"]


def test_lines_come_whole_however_they_are_cut(path, fork_runner):
    lines = [b"", b"caf\xe9", b"x" * 200_000, b"last"]

    def dribble() -> None:
        with outgoing_lines(path, 20):  # as its open end is not used, by another
            fd = os.open(path, os.O_WRONLY)
            text = b"\n".join(lines) + b"\n"
            for start in (0, 1, 3, 70_000):
                end = {0: 1, 1: 3, 3: 70_000}.get(start, len(text))
                os.write(fd, text[start:end])
            os.close(fd)

    with fork_runner.start(dribble) as writer:
        assert read_all(path) == lines
        writer.wait().unwrap()


def test_lines_of_several_writers_do_not_mix(path, fork_runner):
    letters = [b"a", b"b", b"c"]
    writers = [
        fork_runner.start(write_all, path, [letter * 500] * 100 + [b"end"]) for letter in letters
    ]
    arrived = []
    while arrived.count(b"end") < len(letters):
        arrived += read_all(path)
    for writer in writers:
        writer.wait().unwrap()
    assert sorted(arrived) == sorted([letter * 500 for letter in letters] * 100 + [b"end"] * 3)


def test_half_a_line_is_an_error_and_no_line(path, fork_runner, leak_check):
    def leave_within_a_line() -> None:
        with outgoing_lines(path, 20) as send:
            send(b"whole")
            fd = os.open(path, os.O_WRONLY)
            os.write(fd, b"half of")
            os.close(fd)

    with fork_runner.start(leave_within_a_line) as writer:
        with leak_check("fd"), incoming_lines(path, 20) as lines:
            assert next(lines) == b"whole"
            with pytest.raises(EOFError, match="in the middle of a line: b'half of'"):
                next(lines)
        writer.wait().unwrap()
    assert not os.path.lexists(path)


def test_an_endless_line_is_an_error_and_does_not_fill_the_memory(path, fork_runner, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 100_000)

    def write_endlessly() -> None:
        with outgoing_lines(path, 20):
            fd = os.open(path, os.O_WRONLY)
            while True:
                os.write(fd, b"x" * 4096)

    with fork_runner.start(write_endlessly) as writer:
        with pytest.raises(ValueError, match="a line of more than 100000 bytes"):
            read_all(path)
        with pytest.raises(BrokenPipeError):
            writer.wait().unwrap()


@pytest.mark.parametrize("line", [b"two\nlines", b"x" * (module.LONGEST + 1)])
def test_what_is_no_line_is_not_sent(path, fork_runner, line):
    with fork_runner.start(read_all, path) as reader:
        with pytest.raises(ValueError, match="one line of at most 1048576 bytes"):
            write_all(path, [b"good", line])
        assert reader.wait().unwrap() == [b"good"]


def test_a_reader_who_leaves_is_told_to_the_writer(path, fork_runner, leak_check):
    def read_one() -> bytes:
        with incoming_lines(path, 20) as lines:
            return next(lines)

    with fork_runner.start(read_one) as reader, leak_check(), outgoing_lines(path, 20) as send:
        send(b"only")
        assert reader.wait().unwrap() == b"only"
        with pytest.raises(BrokenPipeError):
            send(b"nobody hears this")


def test_a_reader_who_does_not_read_is_an_error_after_the_time(fifo_pair, leak_check):
    path = str(fifo_pair.path)  # with an open reader that nobody uses
    with leak_check(), pytest.raises(TimeoutError, match=r"nobody read for 0\.05 seconds"):
        write_all(path, [b"x" * 1000] * 1000, timeout=0.05)


def test_a_reader_waits_asleep_for_a_silent_writer(path, fork_runner):
    def read_and_tell_the_time() -> tuple[list[bytes], float]:
        began = time.process_time()
        return read_all(path), time.process_time() - began

    with fork_runner.start(read_and_tell_the_time) as reader:
        with outgoing_lines(path, 20) as send:
            time.sleep(0.3)  # the silence that is measured
            send(b"spam")
        lines, seconds = reader.wait().unwrap()
    assert lines == [b"spam"]
    assert seconds < 0.1


# The script, as two processes:


def got(program) -> list[bytes]:
    found = re.findall(r"^parent \d+ got '(.*)' at \d+\.\d{6}$", program.stdout, re.MULTILINE)
    assert len(found) == len(program.stdout.splitlines())
    return [each.encode() for each in found]


@pytest.mark.parametrize("first", ["reader", "writer"])
def test_two_processes_meet_whoever_comes_first(process_factory, path, first):
    read, write = [*SCRIPT, "--path", path], [*SCRIPT, "-child", "--path", path]
    early = process_factory(read if first == "reader" else write)
    process_factory(["sh", "-c", f"until [ -p '{path}' ]; do sleep 0.01; done"]).wait()
    late = process_factory(write if first == "reader" else read)
    assert (early.wait(20), late.wait(20)) == (0, 0)
    reader, writer = (early, late) if first == "reader" else (late, early)
    assert got(reader) == SPAM
    assert (reader.stderr, writer.output) == ("", "")
    assert not os.path.lexists(path)


def test_without_a_path_both_meet_in_the_working_directory(process_factory, temp_workspace):
    reader = process_factory(SCRIPT, cwd=temp_workspace.path)
    writer = process_factory([*SCRIPT, "-child", "--count=3"], cwd=temp_workspace.path)
    assert (reader.wait(20), writer.wait(20)) == (0, 0)
    assert got(reader) == SPAM[:3]
    assert os.listdir(temp_workspace.path) == []


@pytest.mark.parametrize("role", [[], ["-child"]], ids=["reader", "writer"])
def test_nobody_comes_is_status_1_and_nothing_stays(process_factory, temp_workspace, role):
    program = process_factory([*SCRIPT, *role, "--timeout=0.1"], cwd=temp_workspace.path)
    assert program.wait() == 1
    purpose = "reading" if role else "writing"
    told = f"pipefifo: nobody opened 'spam.fifo' for {purpose} within 0.1 seconds\n"
    assert program.stderr == told
    assert os.listdir(temp_workspace.path) == []


def test_a_fifo_that_a_killed_reader_left_is_used(process_factory, path):
    killed = process_factory([*SCRIPT, "--path", path], ready=lambda: os.path.lexists(path))
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert os.path.lexists(path)
    reader = process_factory([*SCRIPT, "--path", path])
    writer = process_factory([*SCRIPT, "--path", path, "-child"])
    assert (reader.wait(20), writer.wait(20)) == (0, 0)
    assert got(reader) == SPAM
    assert not os.path.lexists(path)


def test_a_reader_that_is_killed_is_told_to_the_writer_which_survives(process_factory, path):
    reader = process_factory([*SCRIPT, "--path", path])
    writer = process_factory([*SCRIPT, "--path", path, "-child", "--count=100", "--pause=0.05"])
    reader.expect("Spam 000")
    reader.send_signal(signal.SIGKILL)
    assert writer.wait(20) == 1  # and not -SIGPIPE
    assert writer.stderr == "pipefifo: the reader has left\n"
    assert reader.wait() == -signal.SIGKILL


def test_ctrl_c_is_status_130_and_no_fifo_stays(process_factory, path):
    reader = process_factory([*SCRIPT, "--path", path])
    writer = process_factory([*SCRIPT, "--path", path, "-child", "--pause=30"])
    reader.expect("Spam 000")
    for program in (reader, writer):
        program.send_signal(signal.SIGINT)
        assert program.wait() == 130
        assert program.stderr == ""
    assert not os.path.lexists(path)


def test_what_is_no_fifo_is_status_1_and_left_alone(process_factory, temp_workspace):
    temp_workspace.populate({"spam.fifo": "precious"})
    program = process_factory(SCRIPT, cwd=temp_workspace.path)
    assert program.wait() == 1
    assert program.stderr == "pipefifo: spam.fifo: is there and is no FIFO; left alone\n"
    assert (temp_workspace / "spam.fifo").read_text() == "precious"


def test_the_reader_of_the_readers_output_may_leave(process_factory, path):
    command = f"'{SCRIPT[0]}' '{SCRIPT[1]}' --path '{path}'; echo status $? >&2"
    program = process_factory(["sh", "-c", f"({command}) | head -n 1"])
    writer = process_factory([*SCRIPT, "--path", path, "-child", "--count=100000"])
    assert program.wait(20) == 0
    assert program.stderr == "status 1\n"
    assert writer.wait(20) == 1
    assert not os.path.lexists(path)


def test_no_lines_are_fine(path, fork_runner):
    with fork_runner.start(write_role, path, 20.0, 0, 0.0) as writer:
        assert read_all(path) == []
        writer.wait().unwrap()


def test_the_wording_of_other_errors(temp_workspace, capsys):
    assert main(["--path", str(temp_workspace / "gone" / "fifo")]) == 1
    missing = os.strerror(errno.ENOENT)
    assert capsys.readouterr().err == f"pipefifo: {temp_workspace / 'gone' / 'fifo'}: {missing}\n"


@pytest.mark.parametrize("wrong", ["--count=-1", "--pause=-1", "--timeout=nan", "--timeout=inf"])
def test_a_wrong_number_is_status_2(wrong, capsys):
    with pytest.raises(SystemExit) as ended:
        main([wrong])
    assert ended.value.code == 2
    assert "pipefifo: error: " in capsys.readouterr().err

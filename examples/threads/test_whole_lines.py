"""No line is mixed with another, on a stream that gives every chance to (exercise C8)."""
# ruff: noqa: D102, ARG002  # streams of one test

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import threading
import time

import pytest
import whole_lines as module
from whole_lines import LINES, THREADS, main, write_side_by_side

pytestmark = pytest.mark.signal_timeout(60)

ALL_LINES = sorted(f"[{thread}] => {line}" for thread in range(10) for line in range(10))


class ChoppyStream(io.StringIO):
    """A stream that takes one character at a time, and lets the other threads in after each."""

    def write(self, text) -> int:
        for character in text:
            super().write(character)
            time.sleep(0)
        return len(text)


def test_ten_threads_write_ten_whole_lines_each():
    stream = ChoppyStream()
    write_side_by_side(stream, threading.Lock())
    assert (THREADS, LINES) == (10, 10)
    assert sorted(stream.getvalue().splitlines()) == ALL_LINES


def test_the_lines_of_one_thread_are_in_order():
    stream = io.StringIO()
    write_side_by_side(stream, threading.Lock())
    of_thread_3 = [line for line in stream.getvalue().splitlines() if line.startswith("[3]")]
    assert of_thread_3 == [f"[3] => {line}" for line in range(10)]


class MeetingStream(io.StringIO):
    """A stream at which two threads are in the middle of a line at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self._meeting = threading.Barrier(2, timeout=10)

    def write(self, text) -> int:
        if text != "\n":  # print writes the end of a line by itself
            super().write(text)
            self._meeting.wait()
            return len(text)
        self._meeting.wait()
        return super().write(text)


def test_without_the_mutex_lines_do_mix():
    stream = MeetingStream()
    write_side_by_side(stream, contextlib.nullcontext(), threads=2, lines=1)
    assert stream.getvalue() in ("[0] => 0[1] => 0\n\n", "[1] => 0[0] => 0\n\n")


def test_nobody_else_writes_while_one_holds_the_mutex():
    inside, most = [], []

    class CountingStream(io.StringIO):
        def write(self, text) -> int:
            inside.append(text)
            time.sleep(0)
            most.append(len(inside))
            inside.pop()
            return len(text)

    write_side_by_side(CountingStream(), threading.Lock())
    assert set(most) == {1}


def test_an_error_of_the_stream_is_told_once_all_have_ended():
    class FullStream(io.StringIO):
        def write(self, text) -> int:
            raise OSError(28, "No space left on device")

    before = threading.active_count()
    with pytest.raises(OSError, match="No space left"):
        write_side_by_side(FullStream(), threading.Lock())
    assert threading.active_count() == before


def test_as_a_process_all_lines_come_before_the_end_of_the_main_thread():
    done = subprocess.run(
        [sys.executable, module.__file__], capture_output=True, text=True, timeout=30, check=False
    )
    *lines, last = done.stdout.splitlines()
    assert (done.returncode, done.stderr, last) == (0, "", "Main thread exiting")
    assert sorted(lines) == ALL_LINES


def test_a_wrong_argument_is_status_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["loud"])
    assert ended.value.code == 2
    assert "whole_lines: error: " in capsys.readouterr().err

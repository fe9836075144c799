"""Lines come while the command runs, from both streams, and leaving early ends it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from stream_lines import Line, streamed

pytestmark = pytest.mark.posix_only


def test_a_line_is_there_before_the_command_goes_on(fifo_pair):
    script = 'echo first; read -r word < "$0"; echo "$word"'
    with streamed(["sh", "-c", script, str(fifo_pair.path)], silence=10) as lines:
        reading = iter(lines)
        assert next(reading) == Line("stdout", "first")
        fifo_pair.writer.write(b"second\n")
        assert next(reading) == Line("stdout", "second")
        assert list(reading) == []
        assert lines.status == 0


def test_both_streams_come_and_neither_fills_up():
    code = "import sys\nfor i in range(20_000): print(i); print(i, file=sys.stderr)\nsys.exit(3)"
    with streamed([sys.executable, "-c", code], silence=30) as lines:
        said = list(lines)
    numbers = [str(number) for number in range(20_000)]
    assert [text for stream, text in said if stream == "stdout"] == numbers
    assert [text for stream, text in said if stream == "stderr"] == numbers
    assert lines.status == 3


def test_a_last_line_without_an_end_and_bytes_that_are_no_text():
    with streamed(["printf", r"a\377b\n\nlast"]) as lines:
        assert [line.text for line in lines] == [r"a\xffb", "", "last"]


def test_leaving_early_ends_the_group(leak_check):
    with leak_check(), streamed(["sh", "-c", "sleep 600 & yes"]) as lines:
        assert next(iter(lines)) == Line("stdout", "y")


def test_an_exception_in_the_block_ends_the_group(leak_check):
    with leak_check(), pytest.raises(ZeroDivisionError), streamed(["sleep", "600"]):
        _ = 1 / 0


def test_silence_has_a_limit(leak_check):
    with leak_check(), streamed(["sh", "-c", "echo a; sleep 600"], silence=0.3) as lines:
        reading = iter(lines)
        assert next(reading).text == "a"
        with pytest.raises(subprocess.TimeoutExpired, match=r"0\.3 seconds"):
            next(reading)

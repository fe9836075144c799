r"""The family gives its documented output, at any length, and the wrong way is seen to hang."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from popen_family import popen2, popen3, popen4, popen_read, popen_write, write_then_read

from pytest_syskit import Returned, TimedOut

pytestmark = pytest.mark.posix_only(reason="the commands are those of a POSIX shell")

SCRIPT = Path(__file__).with_name("popen_family.py")
THROUGH = "through stdin to stdout"
BOTH = 'cat -; echo ";to stderr" 1>&2'
LONG = "x" * (4 << 20)  # four times the largest pipe that an ordinary user may have


def test_the_script_prints_the_documented_output(process_factory):
    # Buffered, as for anybody who sends it into a file: the order is the script's own doing.
    program = process_factory([sys.executable, SCRIPT], extra_env={"PYTHONUNBUFFERED": ""})
    assert program.wait(timeout=20) == 0
    assert program.stdout == (
        "popen, read:\n"
        "\tstdout: 'to stdout\\n'\n"
        "\n"
        "popen, write:\n"
        "\tstdin: to stdin\n"
        "\n"
        "popen2:\n"
        "\tpass through: 'through stdin to stdout'\n"
        "\n"
        "popen3:\n"
        "\tpass through: 'through stdin to stdout'\n"
        "\tstderr: ';to stderr\\n'\n"
        "\n"
        "popen4:\n"
        "\tcombined output: 'through stdin to stdout;to stderr\\n'\n"
        "\n"
        "popen2, cmd as sequence:\n"
        "\tpass through: 'through stdin to stdout'\n"
    )
    assert program.stderr == ""


def test_popen_reads():
    assert popen_read("echo to stdout") == "to stdout\n"


def test_popen_writes(fake_env):
    stub = fake_env.stub_command("consume")
    popen_write(["consume"], "to stdin")
    assert stub.calls[0].stdin == b"to stdin"


def test_popen2_passes_through():
    assert popen2("cat -", THROUGH) == "through stdin to stdout"


def test_popen3_keeps_the_streams_apart():
    assert popen3(BOTH, THROUGH) == ("through stdin to stdout", ";to stderr\n")


def test_popen4_merges_the_streams():
    assert popen4(BOTH, THROUGH) == "through stdin to stdout;to stderr\n"


def test_a_sequence_goes_by_no_shell(fake_env):
    stub = fake_env.stub_command("show")
    popen2(["show", "a b", "$HOME", "; exit 3"], "")
    assert stub.calls[0].argv == ["show", "a b", "$HOME", "; exit 3"]


def test_a_text_goes_by_the_shell(fake_env):
    stub = fake_env.stub_command("show")
    popen2('show "a b" $HOME | cat', "")
    assert stub.calls[0].argv == ["show", "a b", str(fake_env.home)]


@pytest.mark.requires("fork")
def test_a_command_that_is_only_read_from_cannot_take_our_input(fork_runner, pipe_pair):
    def read_with_input_waiting() -> str:
        with pipe_pair.reader.inheritable() as fd:
            os.dup2(fd, 0)
        return popen_read(["head", "-c", "4"], timeout=10)

    pipe_pair.writer.write(b"ours")
    assert fork_runner.run(read_with_input_waiting).unwrap() == ""
    assert pipe_pair.reader.read_exactly(4) == b"ours"


@pytest.mark.requires("fork")
def test_writing_all_before_reading_hangs_once_both_pipes_are_full(fork_runner):
    result = fork_runner.run(write_then_read, ["cat"], LONG, timeout=1)
    assert isinstance(result, TimedOut)
    assert "in write_then_read" in result.stderr  # the stack of the hanging child
    short = fork_runner.run(write_then_read, ["cat"], "short", timeout=10)
    assert short == Returned("short")  # which is why nobody notices at first


@pytest.mark.signal_timeout(30)
def test_any_length_passes_through():
    assert popen2(["cat"], LONG) == LONG


@pytest.mark.signal_timeout(30)
def test_long_output_on_both_streams_is_read_side_by_side():
    assert popen3("tee /dev/stderr", LONG) == (LONG, LONG)


def test_a_child_that_does_not_read_is_no_error():
    assert popen2(["echo", "spam"], LONG) == "spam\n"


@pytest.mark.parametrize(
    "call",
    [
        popen_read,
        lambda command, **limit: popen_write(command, "x", **limit),
        lambda command, **limit: popen2(command, "x", **limit),
        lambda command, **limit: popen3(command, "x", **limit),
        lambda command, **limit: popen4(command, "x", **limit),
    ],
)
def test_every_function_raises_on_failure_and_leaves_nothing(call, leak_check, fake_env):
    with leak_check():
        with pytest.raises(subprocess.CalledProcessError, match="exit status 3"):
            call(["sh", "-c", "exit 3"])
        with pytest.raises(FileNotFoundError, match="no-such-program"):
            call(["no-such-program"])
        with pytest.raises(subprocess.TimeoutExpired):
            call(["sleep", "60"], timeout=0.1)

"""The status word is read right, from children that really ended that way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from wait_status import ChildStatus, decode, signal_name

pytestmark = pytest.mark.posix_only


@pytest.mark.parametrize(
    ("word", "status", "text"),
    [
        (0, ChildStatus(exit_code=0), "exited with status 0"),
        (256, ChildStatus(exit_code=1), "exited with status 1"),
        (512, ChildStatus(exit_code=2), "exited with status 2"),
        (255 << 8, ChildStatus(exit_code=255), "exited with status 255"),
        (9, ChildStatus(killed_by=9), "was killed by SIGKILL"),
        (
            11 | 0x80,
            ChildStatus(killed_by=11, core_dumped=True),
            "was killed by SIGSEGV (core dumped)",
        ),
        (signal.SIGSTOP << 8 | 0x7F, ChildStatus(stopped_by=signal.SIGSTOP), None),
        (0xFFFF, ChildStatus(continued=True), "was continued"),
    ],
)
@pytest.mark.linux_only(reason="the words are those of Linux")
def test_each_form_of_the_word_is_told_apart(word, status, text):
    assert decode(word) == status
    assert str(status) == (text or "was stopped by SIGSTOP")


@pytest.mark.linux_only(reason="the words are those of Linux")
def test_what_is_no_word_is_refused():
    with pytest.raises(ValueError, match="255 is no status word of a child"):
        decode(0x00FF)


def test_only_a_continued_child_says_so():
    assert not ChildStatus(exit_code=0).continued
    assert not ChildStatus(exit_code=0).core_dumped


def test_a_killed_child_is_no_success_though_the_high_byte_says_0():
    word = 9
    assert word >> 8 == 0  # what careless code calls the exit code
    assert not decode(word).succeeded
    assert decode(0).succeeded


def test_a_stopped_or_continued_child_has_not_ended():
    assert [ChildStatus(stopped_by=19).has_ended, ChildStatus(continued=True).has_ended] == [
        False,
        False,
    ]
    assert ChildStatus(exit_code=3).has_ended
    assert ChildStatus(killed_by=9).has_ended


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("raise SystemExit(7)", ChildStatus(exit_code=7)),
        ("import os; os.kill(os.getpid(), 15)", ChildStatus(killed_by=15)),
    ],
)
def test_words_of_real_children_are_read(fork_runner, code, expected):
    def word_of_a_child() -> int:
        pid = os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", code], os.environ)
        return os.waitpid(pid, 0)[1]

    assert decode(fork_runner.run(word_of_a_child).unwrap()) == expected


def test_the_exit_code_agrees_with_that_of_subprocess():
    done = subprocess.run(["sh", "-c", "exit 3"], check=False)
    assert decode(3 << 8).exit_code == done.returncode


def test_a_signal_without_a_name_keeps_its_number():
    assert signal_name(signal.SIGTERM) == "SIGTERM"
    assert signal_name(40) == "signal 40"

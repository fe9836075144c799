from __future__ import annotations

import os
import subprocess

import pytest

from pytest_syskit.detectors.leak_check import LeaksFound, leak_check


def test_a_clean_block_passes():
    with leak_check() as check, open(__file__):
        pass
    assert check.left == []


def test_a_leaking_block_fails_there_and_then():
    with (
        pytest.raises(
            LeaksFound, match=r"the block left behind:\n  fd \d+  device  /dev/zero"
        ) as caught,
        leak_check(),
    ):
        fd = os.open("/dev/zero", os.O_RDONLY)
    os.close(fd)
    assert [each.detail["what"] for each in caught.value.resources] == ["device"]


def test_a_leaked_process_is_found():
    with pytest.raises(LeaksFound, match=r"process .* sleep 30"), leak_check():
        child = subprocess.Popen(["sleep", "30"])
    child.kill()
    child.wait()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_garbage_is_no_leak():
    with leak_check():
        cycle: list[object] = [open(__file__)]
        cycle.append(cycle)
        del cycle


def test_the_failure_of_the_block_comes_first():
    with pytest.raises(KeyError), leak_check():
        fd = os.open("/dev/zero", os.O_RDONLY)
        raise KeyError
    os.close(fd)


def test_only_the_named_kinds_are_looked_for():
    with leak_check("process"):
        fd = os.open("/dev/zero", os.O_RDONLY)
    os.close(fd)


def test_a_leak_can_be_expected():
    with leak_check(expect="fd", match="/dev/zero") as check:
        fd = os.open("/dev/zero", os.O_RDONLY)
    os.close(fd)
    assert [each.detail["fd"] for each in check.left] == [fd]


def test_an_expected_leak_that_does_not_come_fails():
    with pytest.raises(LeaksFound, match="expected to leave behind: fd 'x'; it left nothing"):
        with leak_check(expect="fd", match="x"):
            pass


def test_what_was_not_expected_still_fails():
    with pytest.raises(LeaksFound, match="/dev/zero"), leak_check(expect="fd", match="/dev/null"):
        fd = os.open("/dev/zero", os.O_RDONLY)
    os.close(fd)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"expect": "files"}, "'files' is no kind of leak; take one of process, fd, thread"),
        ({"grace": -1}, "grace=-1: takes a number of seconds"),
    ],
)
def test_wrong_arguments_are_named(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        leak_check(**arguments)

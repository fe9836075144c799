"""The machine is summarised from the kernel's answers, gaps included (exercise D9)."""
# ruff: noqa: ANN002, ANN202  # functions of the tests; arguments are passed on

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import hardware_summary as module
import psutil
import pytest
from hardware_summary import (
    Disk,
    disk_usage,
    hardware_summary,
    in_units,
    lines,
    main,
    memory_facts,
    processor_facts,
)

PARTITION = SimpleNamespace(device="/dev/x1", mountpoint="/mnt/my disk", fstype="ext4", opts="rw")
USAGE = SimpleNamespace(total=100, used=60, free=30)


def refuse(number=errno.EACCES):
    def fail(*_arguments):
        raise OSError(number, os.strerror(number))

    return fail


# this machine


def test_numbers_agree_with_what_others_say():
    processor, memory = processor_facts(), memory_facts()
    assert processor.threads == os.cpu_count()
    assert processor.cores is None or 1 <= processor.cores <= processor.threads
    assert 0 < memory.available <= memory.total
    if hasattr(os, "sysconf"):
        assert memory.total == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_every_disk_has_the_size_that_shutil_says():
    disks, _ = disk_usage()
    assert len({disk.device for disk in disks}) == len(disks)
    for disk in disks:
        assert disk.total == shutil.disk_usage(disk.mounted_at).total


@pytest.mark.linux_only(reason="sets the processors of a process")
def test_usable_is_what_this_process_may_use(fork_runner):
    def on_one():
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        return processor_facts().usable

    assert fork_runner.run(on_one).unwrap() == 1


# what systems lack


def test_a_system_without_some_facts_still_has_a_summary(monkeypatch):
    for name in ("cpu_freq", "getloadavg", "swap_memory"):
        monkeypatch.delattr(psutil, name, raising=False)
    monkeypatch.delattr(psutil.Process, "cpu_affinity", raising=False)
    monkeypatch.setattr(psutil, "cpu_count", lambda *_, **__: None)
    summary = hardware_summary()
    assert (summary.processor.megahertz, summary.processor.load) == (None, None)
    assert summary.processor.cores is None
    assert summary.processor.usable == summary.processor.threads == os.cpu_count()
    assert (summary.memory.swap_total, summary.memory.swap_used) == (0, 0)
    assert any("unknown number of cores" in line for line in lines(summary))


@pytest.mark.parametrize("clock", [None, SimpleNamespace(current=0.0)])
def test_no_clock_is_not_a_clock_of_zero(monkeypatch, clock):
    monkeypatch.setattr(psutil, "cpu_freq", lambda: clock, raising=False)
    assert processor_facts().megahertz is None


def test_a_fact_that_may_not_be_read_is_none(monkeypatch):
    monkeypatch.setattr(psutil, "cpu_freq", refuse(), raising=False)
    monkeypatch.setattr(psutil, "getloadavg", refuse(), raising=False)
    monkeypatch.setattr(psutil.Process, "cpu_affinity", refuse(), raising=False)
    processor = processor_facts()
    assert (processor.megahertz, processor.load) == (None, None)
    assert processor.usable == processor.threads


def test_a_mistake_is_not_taken_for_a_gap(monkeypatch):
    def mistaken():
        raise NameError("typo")

    monkeypatch.setattr(psutil, "cpu_freq", mistaken, raising=False)
    with pytest.raises(NameError, match="typo"):
        processor_facts()


# disks


def mount(monkeypatch, *partitions, usage=lambda _: USAGE):
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: list(partitions))
    monkeypatch.setattr(psutil, "disk_usage", usage)


def test_a_mount_point_with_spaces_is_one(monkeypatch):
    mount(monkeypatch, PARTITION)
    assert disk_usage() == ((Disk("/dev/x1", "/mnt/my disk", "ext4", 100, 60, 30),), ())


def test_a_device_that_is_mounted_twice_counts_once(monkeypatch):
    again = SimpleNamespace(**{**vars(PARTITION), "mountpoint": "/also"})
    mount(monkeypatch, PARTITION, again)
    assert [disk.mounted_at for disk in disk_usage()[0]] == ["/mnt/my disk"]


def test_an_empty_drive_of_windows_is_no_disk_and_is_not_asked(monkeypatch):
    empty = SimpleNamespace(device="D:\\", mountpoint="D:\\", fstype="", opts="cdrom")
    mount(monkeypatch, empty, usage=refuse(errno.EIO))
    assert disk_usage() == ((), ())


def test_one_disk_that_does_not_answer_does_not_hide_the_others(monkeypatch, capsys):
    def answer(path):
        return refuse(errno.EACCES)() if path == "/closed" else USAGE

    closed = SimpleNamespace(**{**vars(PARTITION), "device": "/dev/x2", "mountpoint": "/closed"})
    mount(monkeypatch, closed, PARTITION, usage=answer)
    disks, problems = disk_usage()
    assert [disk.device for disk in disks] == ["/dev/x1"]
    assert problems == ("/closed: Permission denied",)
    assert main([]) == 1
    assert capsys.readouterr().err == "hardware_summary: /closed: Permission denied\n"


def test_no_program_is_started_to_learn_of_disks_and_memory(fake_env):
    stubs = [fake_env.stub_command(name, stdout="nonsense\n") for name in ("df", "wmic", "free")]
    hardware_summary()
    assert [stub.calls for stub in stubs] == [[], [], []]


# the script


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1.5 * 2**30, "1.5 GiB"),
        (2**63, "8192.0 PiB"),
    ],
)
def test_sizes_are_written_for_people(size, text):
    assert in_units(size) == text


def test_as_a_process_it_tells_of_this_machine():
    done = subprocess.run(
        [sys.executable, module.__file__, "--json"],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert done.returncode == (1 if told["problems"] else 0)
    assert told["memory"]["total"] == memory_facts().total
    assert told["processor"]["threads"] == os.cpu_count()


def test_for_people_there_is_a_line_for_each_part(monkeypatch, capsys):
    mount(monkeypatch, PARTITION)
    assert main([]) == 0
    out = capsys.readouterr().out.splitlines()
    first = [line.split()[0] for line in out if not line.startswith(" ")]
    assert [word for word in first if word != "load"] == ["processor", "memory", "swap", "disk"]
    assert out[-1] == "disk       30 B of 100 B free on /dev/x1, ext4, mounted at '/mnt/my disk'"


def test_a_wrong_option_is_status_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--wrong"])
    assert ended.value.code == 2
    assert "usage: hardware_summary" in capsys.readouterr().err

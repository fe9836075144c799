"""Lines about USB are saved, all of them, as they are, or nothing is (exercise A3)."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tracemalloc

import pytest
import usb_log_filter as module
from usb_log_filter import filter_lines, filter_log, main

from pytest_syskit import Fifo, File

LOG = (
    b"Jan  1 kernel: usb 1-1: new high-speed USB device\n"
    b"Jan  1 cron: nothing\n"
    b"Jan  1 kernel: usb-storage \xff\xfe \x00 odd bytes\n"
    b"Jan  1 plant: BUSBAR 3 is hot\n"
    b"Jan  1 kernel: new USB2.0 hub, no line end"
)
KEPT = b"".join(LOG.splitlines(keepends=True)[number] for number in (0, 2, 4))
pytestmark = pytest.mark.posix_only


@pytest.mark.parametrize("name", ["messages", "messages.gz"])
def test_lines_about_usb_are_saved_byte_for_byte(temp_workspace, capsys, name):
    packed = gzip.compress(LOG) if name.endswith(".gz") else LOG
    temp_workspace.populate({name: packed})
    with temp_workspace.chdir():
        assert main([name, "--output", "out"]) == 0
        assert (temp_workspace / "out").read_bytes() == KEPT
    assert capsys.readouterr().out == f"3 of 5 lines of {name} saved in out\n"


@pytest.mark.parametrize(
    ("line", "kept"),
    [(b"usb", 1), (b"xhci_usb", 1), (b"usbhid: x", 1), (b"[USB]", 1), (b"busbar", 0), (b"us b", 0)],
)
def test_the_word_counts_not_the_letters(line, kept):
    assert filter_lines([line], io.BytesIO()).kept == kept


def test_a_log_without_usb_gives_an_empty_file(temp_workspace):
    temp_workspace.populate({"log": "nothing\n"})
    assert (
        str(filter_log(str(temp_workspace / "log"), str(temp_workspace / "out"))) == "0 of 1 line"
    )
    assert (temp_workspace / "out").read_bytes() == b""


def test_a_large_log_is_never_in_memory_as_a_whole(temp_workspace):
    log = temp_workspace / "log"
    with log.open("wb") as file:
        for _ in range(100):
            file.write(b"usb 1-1: a line of fifty bytes, more or less, here\n" * 1000)
    tracemalloc.start()
    try:
        counts = filter_log(str(log), str(temp_workspace / "out"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert counts.kept == 100_000
    assert peak < log.stat().st_size / 5


@pytest.mark.parametrize("old", [{}, {"out": File("old", mode=0o640)}], ids=["new", "existing"])
def test_after_an_error_the_output_is_what_it_was(temp_workspace, capsys, old):
    damaged = gzip.compress(LOG * 1000)[:-30]
    temp_workspace.populate({"log.gz": damaged, **old})
    before = temp_workspace.snapshot()
    with temp_workspace.chdir():
        assert main(["log.gz", "-o", "out"]) == 1
    assert not temp_workspace.diff(before)
    assert capsys.readouterr().err.startswith("usb_log_filter: log.gz: is damaged: ")


def test_something_else_with_that_ending_is_damaged(temp_workspace, capsys):
    temp_workspace.populate({"log.gz": LOG})
    with temp_workspace.chdir():
        assert main(["log.gz"]) == 1
    assert "log.gz: is damaged: Not a gzipped file" in capsys.readouterr().err


def test_the_log_is_never_its_own_output(temp_workspace, capsys):
    temp_workspace.populate({"log": LOG})
    before = temp_workspace.snapshot()
    with temp_workspace.chdir():
        assert main(["log", "-o", "./log"]) == 1
    assert not temp_workspace.diff(before)
    assert capsys.readouterr().err == (
        "usb_log_filter: ./log: is the log itself, so it is not written to\n"
    )


def test_the_mode_of_an_existing_output_is_kept(temp_workspace):
    temp_workspace.populate({"log": LOG, "out": File("old", mode=0o640)})
    filter_log(str(temp_workspace / "log"), str(temp_workspace / "out"))
    assert (temp_workspace / "out").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("output", ["dir", "pipe"])
def test_an_output_that_is_no_file_is_not_replaced(temp_workspace, capsys, output):
    temp_workspace.populate({"log": LOG, "dir": {}, "pipe": Fifo()})
    before = temp_workspace.snapshot()
    with temp_workspace.chdir():
        assert main(["log", "-o", output]) == 1
    assert not temp_workspace.diff(before)
    assert f"{output}: is no regular file" in capsys.readouterr().err


def test_as_a_process_it_reports_a_missing_log(temp_workspace):
    done = subprocess.run(
        [sys.executable, module.__file__, "missing"],
        cwd=temp_workspace, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "usb_log_filter: missing: No such file or directory\n"


def test_the_default_log_is_the_system_log(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "/var/log/messages" in capsys.readouterr().out


def test_without_arguments_the_default_log_is_read(temp_workspace, monkeypatch, capsys):
    temp_workspace.populate({"messages": LOG})
    monkeypatch.setattr(module, "DEFAULT_LOG", "messages")
    with temp_workspace.chdir():
        assert main([]) == 0
    assert (temp_workspace / "usb.log").read_bytes() == KEPT
    assert capsys.readouterr().out == "3 of 5 lines of messages saved in usb.log\n"

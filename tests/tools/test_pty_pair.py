from __future__ import annotations

import os
import signal
import stat
import sys

import pytest

from pytest_syskit.host.descriptors import descriptors
from pytest_syskit.tools.channels.channel_errors import ChannelTimeout, EndOfStream, NobodyReads
from pytest_syskit.tools.channels.pty_pair import pty_pair

SOON = 0.05  # seconds: long enough to be a wait, short enough not to be felt
LATEST = 30  # seconds: for a program to start on a busy machine


def python(text):
    return [sys.executable, "-I", "-S", "-c", text]


def test_the_terminal_is_one():
    with pty_pair() as pair:
        assert os.isatty(pair.terminal.fd)
        assert stat.S_ISCHR(pair.path.stat().st_mode)
        assert os.ttyname(pair.terminal.fd) == str(pair.path)


def test_the_controller_writes_and_the_terminal_reads():
    with pty_pair() as pair:
        assert pair.writer is pair.controller
        assert pair.reader is pair.terminal
        pair.controller.write(b"spam\n")
        assert pair.terminal.read_line() == b"spam\n"
        pair.terminal.write(b"ham\n")
        assert pair.controller.read_until(b"ham\r\n") == b"spam\r\nham\r\n"  # the echo, then ham


def test_a_line_reaches_the_program_at_its_end():
    with pty_pair(timeout=SOON) as pair:
        pair.controller.write(b"spam")
        with pytest.raises(
            ChannelTimeout,
            match=r"pty terminal waited 0\.05 s for 4 bytes; nothing arrived; the controller is "
            r"still open in this process",
        ):
            pair.terminal.read_exactly(4)


def test_raw_lets_every_byte_through():
    with pty_pair(raw=True) as pair:
        pair.controller.write(b"\x03\x04\r")
        assert pair.terminal.read_exactly(3) == b"\x03\x04\r"
        pair.terminal.write(b"\n")
        assert pair.controller.read_exactly(1) == b"\n"
        pair.set_raw(False)
        pair.terminal.write(b"\n")
        assert pair.controller.read_exactly(2) == b"\r\n"


def test_echo_can_be_switched():
    with pty_pair(echo=False) as pair:
        pair.controller.write(b"secret\n")
        assert pair.terminal.read_line() == b"secret\n"
        pair.set_echo(True)
        pair.controller.write(b"shown\n")
        assert pair.terminal.read_line() == b"shown\n"
        assert pair.controller.read_line() == b"shown\r\n"


def test_control_d_is_an_end_in_words():
    with pty_pair() as pair:
        pair.controller.write(b"\x04")
        with pytest.raises(
            EndOfStream, match="the controller typed end-of-file or was closed before anything came"
        ):
            pair.terminal.read_line()


def test_the_window_has_a_size():
    with pty_pair(rows=50, columns=132) as pair:
        assert pair.size == (50, 132)
        assert os.get_terminal_size(pair.terminal.fd) == (132, 50)
        pair.set_size(rows=10, columns=20)
        assert (pair.size.rows, pair.size.columns) == (10, 20)


@pytest.mark.parametrize(("rows", "columns"), [(-1, 80), (24, 65536), (2.5, 80), (True, 80)])
def test_a_size_fits_into_sixteen_bits(rows, columns):
    before = descriptors.numbers()
    expected = r"(rows|columns)=.*: a whole number from 0 to 65535"
    with pytest.raises(ValueError, match=expected), pty_pair(rows, columns):
        raise AssertionError("the block was entered")
    assert descriptors.numbers() == before


def test_a_hang_up_is_the_end():
    with pty_pair() as pair:
        pair.terminal.write(b"last words")
        pair.terminal.close()
        with pytest.raises(
            EndOfStream,
            match=r"pty controller wanted 11 bytes; the terminal was hung up \(no process has it "
            r"open any more\) after 10 of 11 bytes: b'last words'",
        ):
            pair.controller.read_exactly(11)
        assert pair.controller.read_until_eof() == b""


def test_a_terminal_without_person_says_so():
    with pty_pair() as pair:
        pair.controller.close()
        with pytest.raises(NobodyReads, match="pty terminal: nobody reads any more"):
            pair.terminal.write(b"spam")
        assert pair.terminal.read_until_eof() == b""


def test_a_person_who_types_more_than_anybody_reads_is_not_held():
    expected = r"pty controller waited 0\.05 s for room; \d+ of 1000000 bytes went out"
    with (
        pty_pair(raw=True, timeout=SOON) as pair,
        pytest.raises(ChannelTimeout, match=expected),
    ):
        pair.controller.write(b"x" * 1_000_000)


def test_a_program_gets_the_terminal_for_its_own():
    text = (
        "import os\n"
        "own = os.open('/dev/tty', os.O_RDWR)\n"
        "print(os.ttyname(0) == os.ttyname(1) == os.ttyname(2), os.getsid(0) == os.getpid(),\n"
        "      os.tcgetpgrp(own) == os.getpgrp(), os.get_blocking(0), *os.get_terminal_size(0))"
    )
    with pty_pair(timeout=LATEST) as pair:
        child = pair.spawn(python(text))
        assert pair.controller.read_until_eof() == b"True True True True 80 24\r\n"
        assert child.wait() == 0


def test_a_program_is_the_process_that_was_started():
    with pty_pair(timeout=LATEST) as pair:
        child = pair.spawn(python("import os; print(os.getpid())"))
        assert int(pair.controller.read_line()) == child.pid


WAIT_FOR = (
    "import os, signal, sys\n"
    "number = signal.Signals[sys.argv[1]]\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, [number])\n"
    "print('ready', flush=True)\n"
    "signal.sigwait([number])\n"  # unlike input(), it cannot miss a signal that is early
    "print(number.name, *os.get_terminal_size(0))"
)


def test_control_c_reaches_the_program():
    with pty_pair(echo=False, timeout=LATEST) as pair:
        child = pair.spawn([*python(WAIT_FOR), "SIGINT"])
        assert pair.controller.read_line() == b"ready\r\n"
        pair.controller.write(b"\x03")
        assert pair.controller.read_until_eof() == b"SIGINT 80 24\r\n"
        assert child.wait() == 0


def test_a_program_is_told_of_a_new_size():
    with pty_pair(timeout=LATEST) as pair:
        pair.spawn([*python(WAIT_FOR), "SIGWINCH"])
        assert pair.controller.read_line() == b"ready\r\n"
        pair.set_size(rows=7, columns=9)
        assert pair.controller.read_line() == b"SIGWINCH 9 7\r\n"


def test_the_program_gets_exactly_the_environment_it_was_given(tmp_path):
    with pty_pair(timeout=LATEST) as pair:
        pair.spawn(["/usr/bin/env"], env={"ONLY": "this"}, cwd=tmp_path)
        assert pair.controller.read_until_eof() == b"ONLY=this\r\n"
    with pty_pair(timeout=LATEST) as pair:
        pair.spawn(["/usr/bin/env"], env={"LC_CTYPE": "C"})
        assert pair.controller.read_until_eof() == b"LC_CTYPE=C\r\n"


def test_the_program_starts_where_it_was_told(tmp_path):
    with pty_pair(timeout=LATEST) as pair:
        pair.spawn(["pwd", "-P"], cwd=tmp_path)
        assert pair.controller.read_line() == f"{tmp_path.resolve()}\r\n".encode()


# The C library keeps 32 and 33 for threads, ignores them in what it spawns, and lets nobody set them.
OF_THE_C_LIBRARY = 0b11 << 31


def test_the_program_starts_with_default_signals():
    text = "grep -E '^Sig(Ign|Blk)' /proc/self/status"
    with pty_pair(timeout=LATEST) as pair:
        pair.spawn(["sh", "-c", text])
        blocked, blocks, ignored, ignores = pair.controller.read_until_eof().split()
        assert (blocked, int(blocks, 16)) == (b"SigBlk:", 0)
        assert (ignored, int(ignores, 16) & ~OF_THE_C_LIBRARY) == (b"SigIgn:", 0)


def test_a_missing_program_is_named():
    with pty_pair() as pair:
        with pytest.raises(FileNotFoundError, match="cannot start 'no-such-program': no such"):
            pair.spawn(["no-such-program", "-x"])
        assert not pair.terminal.closed


def test_a_command_is_a_list():
    with pty_pair() as pair:
        with pytest.raises(TypeError, match="argv='ls -l': a list is expected"):
            pair.spawn("ls -l")
        with pytest.raises(TypeError, match=r"argv=\[\]: a list is expected"):
            pair.spawn([])


def test_the_terminal_says_who_has_it():
    with pty_pair(timeout=LATEST) as pair:
        pair.spawn(["true"])
        with pytest.raises(
            ValueError, match=r"pty terminal is closed: spawn\(\) gave the terminal"
        ):
            pair.terminal.read_line()


def test_what_still_runs_is_ended_with_its_children():
    text = (
        "import os, signal, time\n"
        "for number in (signal.SIGHUP, signal.SIGTERM): signal.signal(number, signal.SIG_IGN)\n"
        "pid = os.fork()\n"
        "if pid: print(pid, flush=True)\n"
        "time.sleep(600)"
    )
    before = descriptors.numbers()
    with pty_pair(timeout=LATEST) as pair:
        child = pair.spawn(python(text))
        grandchild = int(pair.controller.read_line())
    assert child.returncode == -signal.SIGKILL
    assert ended(grandchild)
    assert descriptors.numbers() == before


def ended(pid):
    """Say whether a process is gone, or a zombie that its new parent will collect."""
    try:
        with open(f"/proc/{pid}/stat") as stat_file:
            return stat_file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_controller_is_never_opened_twice():
    with pty_pair() as pair:
        with (
            pytest.raises(NotImplementedError, match=r"cannot be shared.*use handed_over\(\)"),
            pair.controller.inheritable(),
        ):
            raise AssertionError("the block was entered")
        with pair.controller.handed_over() as fd:
            os.write(fd, b"spam\n")
            assert pair.terminal.read_line() == b"spam\n"


# Which program spawn() starts


@pytest.fixture
def greeter(tmp_path):
    """A program in a directory that is on nobody's PATH."""
    program = tmp_path / "bin" / "greet-the-test"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    return program


def test_a_program_is_looked_up_on_the_path_of_the_child(greeter):
    with pty_pair(timeout=LATEST) as pair:
        program = pair.spawn([greeter.name], env={"PATH": f"/bin:{greeter.parent}"})
        assert pair.controller.read_until_eof() == b"hello\r\n"
        assert program.wait() == 0


def test_the_path_of_the_test_does_not_count_when_the_child_has_another(greeter, monkeypatch):
    monkeypatch.setenv("PATH", str(greeter.parent), prepend=os.pathsep)
    with (
        pty_pair() as pair,
        pytest.raises(FileNotFoundError, match=r"'greet-the-test': no such program on PATH=/none$"),
    ):
        pair.spawn([greeter.name], env={"PATH": "/none"})


def test_a_child_without_path_has_the_system_s_default(greeter, monkeypatch):
    monkeypatch.setenv("PATH", str(greeter.parent))
    with pty_pair(timeout=LATEST) as pair:
        with pytest.raises(FileNotFoundError, match=f"on PATH={os.defpath}$"):
            pair.spawn([greeter.name], env={})
        assert pair.spawn(["true"], env={}).wait() == 0


@pytest.mark.parametrize("word", ["./greet-the-test", "greet-the-test"])
def test_a_program_is_looked_up_from_the_directory_of_the_child(greeter, word):
    with pty_pair(timeout=LATEST) as pair:
        program = pair.spawn([word], env={"PATH": "."}, cwd=greeter.parent)
        assert pair.controller.read_until_eof() == b"hello\r\n"
        assert program.wait() == 0


def test_a_relative_program_of_the_test_is_not_there_for_a_child_elsewhere(greeter, monkeypatch):
    monkeypatch.chdir(greeter.parent)
    with (
        pty_pair() as pair,
        pytest.raises(FileNotFoundError, match=r"start '\./greet-the-test': no such program$"),
    ):
        pair.spawn(["./greet-the-test"], cwd="/")

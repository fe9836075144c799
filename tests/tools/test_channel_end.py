"""What every end promises, whatever it is an end of."""

from __future__ import annotations

import fcntl
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time

import pytest

from pytest_syskit.host.descriptors import descriptors
from pytest_syskit.host.descriptors.stream import Stream
from pytest_syskit.host.real import real
from pytest_syskit.tools.channels.channel_end import ChannelEnd
from pytest_syskit.tools.channels.channel_errors import ChannelTimeout, EndOfStream, NobodyReads
from pytest_syskit.tools.channels.channel_role import Role
from pytest_syskit.tools.channels.fifo_pair import fifo_pair
from pytest_syskit.tools.channels.pipe_pair import pipe_pair
from pytest_syskit.tools.channels.pty_pair import pty_pair
from pytest_syskit.tools.channels.socket_pair import socket_pair

SOON = 0.05  # seconds: long enough to be a wait, short enough not to be felt


def raw_pty_pair(timeout=5.0):
    return pty_pair(raw=True, timeout=timeout)


MAKERS = [fifo_pair, pipe_pair, socket_pair, raw_pty_pair]


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def make(request):
    return request.param


def program(text, *args, **options):
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", text, *args], **options)


def test_what_is_written_is_read(make):
    with make() as pair:
        assert pair.writer.write(b"spam and ham\n") == 13
        assert pair.reader.read_exactly(4) == b"spam"
        assert pair.reader.read_line() == b" and ham\n"


def test_a_line_leaves_what_follows_for_the_next_reader(make):
    with make() as pair:
        pair.writer.write(b"one\ntwo")
        assert pair.reader.read_line() == b"one\n"
        assert os.read(pair.reader.fd, 10) == b"two"


def test_read_until_takes_the_marker_and_nothing_more(make):
    with make() as pair:
        pair.writer.write(b"name: --: Ada")
        assert pair.reader.read_until(b": ") == b"name: "
        assert pair.reader.read_until(b": ") == b"--: "
        assert pair.reader.read_available() == b"Ada"


def test_available_never_waits(make):
    with make() as pair:
        assert pair.reader.read_available() == b""
        pair.writer.write(b"spam")
        pair.reader.read_exactly(1)  # on a terminal the bytes need a moment to cross
        assert pair.reader.read_available() == b"pam"


def test_unread_counts_what_waits():
    for make in (fifo_pair, pipe_pair, socket_pair):
        with make() as pair:
            pair.writer.write(b"spam")
            assert pair.reader.unread() == 4


def test_every_writer_closed_is_the_end():
    for make in (fifo_pair, pipe_pair, socket_pair):
        with make() as pair:
            pair.writer.write(b"spam")
            pair.writer.close()
            assert pair.reader.read_until_eof() == b"spam"
            assert pair.reader.read_until_eof() == b""


def test_more_than_the_kernel_holds_gets_through(make):
    text = bytes(range(256)) * 2000
    with make() as pair:
        sender = threading.Thread(target=pair.writer.write, args=(text, 20))
        sender.start()
        try:
            assert pair.reader.read_exactly(len(text), timeout=20) == text
        finally:
            sender.join()


def test_a_read_that_waits_in_vain_says_who_waited_for_what(make):
    with make(timeout=SOON) as pair:
        pair.writer.write(b"spam")
        fd = pair.writer.fd
        with pytest.raises(ChannelTimeout) as raised:
            pair.reader.read_exactly(10)
    role = pair.reader.role
    assert str(raised.value) == (
        f"{role} waited 0.05 s for 10 bytes; 4 arrived: b'spam'; "
        f"the {role.other} is still open in this process as fd {fd}"
    )
    assert raised.value.received == b"spam"


def test_a_time_limit_of_the_call_wins(make):
    with make(timeout=60) as pair:
        pair.writer.write(b"spam")
        begun = time.monotonic()
        with pytest.raises(ChannelTimeout, match=r"waited 0\.05 s for a line; 4 arrived: b'spam'"):
            pair.reader.read_line(timeout=SOON)
        assert SOON <= time.monotonic() - begun < 30


def test_no_time_at_all_still_takes_what_is_there():
    with pipe_pair() as pair:
        pair.writer.write(b"spam\nham")
        assert pair.reader.read_line(timeout=0) == b"spam\n"
        with pytest.raises(ChannelTimeout, match=r"waited 0 s for 9 bytes; 3 arrived: b'ham'"):
            pair.reader.read_exactly(9, timeout=0)


def test_a_reader_that_waits_for_the_end_says_who_keeps_it_from_coming():
    with pipe_pair(timeout=SOON) as pair:
        pair.writer.write(b"spam")
        with pytest.raises(
            ChannelTimeout, match=r"for the end; 4 arrived: b'spam'; the writer is still open"
        ):
            pair.reader.read_until_eof()


def test_a_writer_that_never_stops_cannot_hold_a_reader():
    role = Role("device", "reader", "kernel", "the kernel was closed")
    zeros = Stream(os.open("/dev/zero", os.O_RDONLY))  # always has more, and never ends
    with ChannelEnd(role, lambda _limit: zeros) as end:
        with pytest.raises(
            ChannelTimeout, match=r"for the end; \d+ arrived: b'.*… and \d+ bytes more"
        ):
            end.read_until_eof(timeout=SOON)
        with pytest.raises(ChannelTimeout, match="waited 0 s for a line"):
            end.read_line(timeout=0)
        assert len(end.read_available()) == 1 << 20


def test_the_end_is_said_in_words():
    for make in (fifo_pair, pipe_pair):
        with make() as pair:
            pair.writer.write(b"spam")
            pair.writer.close()
            with pytest.raises(
                EndOfStream,
                match=r"reader wanted 10 bytes; the writer was closed after 4 of 10 bytes: b'spam'$",
            ) as raised:
                pair.reader.read_exactly(10)
            assert raised.value.received == b"spam"
            with pytest.raises(
                EOFError, match=r"wanted a line; the writer was closed before anything came$"
            ):
                pair.reader.read_line()


def test_a_line_without_an_end_is_no_line():
    with pipe_pair() as pair:
        pair.writer.write(b"s")
        pair.writer.close()
        with pytest.raises(EndOfStream, match=r"the writer was closed after 1 byte: b's'$"):
            pair.reader.read_line()


def test_long_bytes_are_cut_in_messages():
    with pipe_pair() as pair:
        pair.writer.write(b"x" * 61)
        pair.writer.close()
        with pytest.raises(EndOfStream, match=r"b'x{60}'… and 1 byte more$"):
            pair.reader.read_exactly(100)


def test_a_write_without_room_says_how_much_went_out():
    for make in (fifo_pair, pipe_pair, socket_pair):
        with make(timeout=SOON) as pair:
            with pytest.raises(
                ChannelTimeout,
                match=r"waited 0\.05 s for room; \d+ of 1000000 bytes went out, and nobody reads "
                r"the rest; the (reader|left end) is still open in this process as fd \d+$",
            ) as raised:
                pair.writer.write(b"x" * 1_000_000)
            assert len(pair.reader.read_available()) == raised.value.written > 0


def test_a_write_that_nobody_reads_says_so():
    for make in (fifo_pair, pipe_pair, socket_pair):
        with make() as pair:
            pair.writer.open()
            pair.reader.close()
            with pytest.raises(
                NobodyReads,
                match=r"nobody reads any more; 0 of 4 bytes had been written "
                r"\(the (reader|left end) of this process is closed: close\(\) was called\)",
            ) as raised:
                pair.writer.write(b"spam")
            assert isinstance(raised.value, BrokenPipeError)
            assert raised.value.written == 0


@pytest.mark.parametrize(
    "make", [fifo_pair, pipe_pair, socket_pair], ids=lambda make: make.__name__
)
def test_sigpipe_kills_nobody(make):
    text = (
        "import signal, sys\n"
        f"sys.path[:] = {sys.path!r}\n"
        f"from pytest_syskit import {make.__name__} as make\n"
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "with make() as pair:\n"
        "    pair.writer.open()\n"
        "    pair.reader.close()\n"
        "    try: pair.writer.write(b'spam')\n"
        "    except BrokenPipeError: print('said')\n"
        "    print(signal.SIGPIPE in signal.sigpending(), signal.pthread_sigmask(0, []))"
    )
    child = program(text, stdout=subprocess.PIPE)
    out, _ = child.communicate(timeout=30)
    assert (child.returncode, out) == (0, b"said\nFalse set()\n")


def test_a_sigpipe_handler_of_the_test_is_called():
    seen = []
    before = signal.signal(signal.SIGPIPE, lambda *_: seen.append("SIGPIPE"))
    try:
        with pipe_pair() as pair:
            pair.reader.close()
            with pytest.raises(NobodyReads):
                pair.writer.write(b"spam")
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert seen == ["SIGPIPE"]


def test_a_wait_survives_signals():
    with pipe_pair() as pair:
        fired = []
        before = signal.signal(signal.SIGALRM, lambda *_: fired.append(1))
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
            with pytest.raises(ChannelTimeout):
                pair.reader.read_exactly(1, timeout=0.1)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    assert len(fired) > 3


def test_a_frozen_clock_does_not_stop_the_limit(monkeypatch):
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    with pipe_pair(timeout=SOON) as pair, pytest.raises(ChannelTimeout):
        pair.reader.read_exactly(1)


def test_descriptors_above_1023_work():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2000:
        resource.setrlimit(resource.RLIMIT_NOFILE, (2000, hard))
    low_read, low_write = os.pipe()
    role = Role("pipe", "reader", "writer", "the writer was closed")
    try:
        high = Stream(fcntl.fcntl(low_read, fcntl.F_DUPFD_CLOEXEC, 1500))
        with ChannelEnd(role, lambda _limit: high) as end:
            assert end.fd >= 1500
            with pytest.raises(ChannelTimeout):
                end.read_exactly(1, timeout=SOON)
            os.write(low_write, b"spam")
            assert end.read_exactly(4) == b"spam"
    finally:
        os.close(low_read)
        os.close(low_write)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_closing_twice_does_no_harm(make):
    with make() as pair:
        pair.reader.close()
        pair.reader.close()
        pair.close()
        pair.close()


def test_a_closed_end_says_why_it_is_closed(make):
    with make() as pair:
        pair.reader.close()
        with pytest.raises(ValueError, match=r"is closed: close\(\) was called$"):
            pair.reader.read_line()
        with pytest.raises(ValueError, match=r"is closed: close\(\) was called$"):
            pair.reader.fileno()
        assert pair.reader.closed
        assert repr(pair.reader) == f"<{pair.reader.role}: closed>"
    with pytest.raises(ValueError, match=r"is closed: its pair was closed$"):
        pair.writer.write(b"spam")


def test_nothing_stays_open(make):
    before = descriptors.numbers()
    with make() as pair:
        pair.writer.write(b"spam\n")
        with pair.reader.inheritable():
            pair.reader.read_line()
        assert len(descriptors.numbers()) > len(before)
    assert descriptors.numbers() == before


def test_nothing_stays_open_when_the_block_fails(make):
    before = descriptors.numbers()
    with pytest.raises(RuntimeError, match="oops"), make():
        raise RuntimeError("oops")
    assert descriptors.numbers() == before


def test_a_stranger_with_our_number_is_left_alone():
    with pipe_pair() as pair:
        fd = pair.reader.fd
        os.close(fd)
        stranger = os.open(os.devnull, os.O_RDONLY)
        os.dup2(stranger, fd)
        with pytest.raises(
            ValueError, match=rf"other code closed or replaced its descriptor, fd {fd}$"
        ):
            pair.reader.read_available()
    try:
        assert os.path.sameopenfile(fd, stranger)  # still open, after the pair was closed
    finally:
        os.close(fd)
        if stranger != fd:
            os.close(stranger)


def test_ends_are_not_inherited_unless_asked(make):
    with make() as pair:
        assert not os.get_inheritable(pair.reader.fd)
        assert not os.get_inheritable(pair.writer.fd)
        with pair.reader.inheritable() as fd:
            assert os.get_inheritable(fd)
            assert os.get_blocking(fd)
            assert not os.get_inheritable(pair.reader.fd)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(fd)


def test_a_lent_end_blocks_for_the_child_and_not_for_us(make):
    echo = "import os, sys; print(os.get_blocking(0)); sys.stdout.write(sys.stdin.readline())"
    with make(timeout=30) as pair:
        with pair.reader.inheritable() as fd:
            child = program(echo, stdin=fd, stdout=subprocess.PIPE)
        pair.writer.write(b"spam\n")
        out, _ = child.communicate(timeout=30)
        assert out == b"True\nspam\n"
        assert pair.reader.read_available() == b""  # it would hang if ours had become blocking


def test_a_child_gets_an_end_through_exec(make):
    # It stays until it is told to go: a terminal drops unread bytes when its controller closes.
    send = "import os, sys; os.write(int(sys.argv[1]), b'from the child\\n'); sys.stdin.read()"
    with make(timeout=30) as pair:
        with pair.writer.handed_over() as fd:
            child = program(send, str(fd), pass_fds=[fd], stdin=subprocess.PIPE)
        try:
            assert pair.reader.read_line() == b"from the child\n"
        finally:
            child.communicate()
        assert child.returncode == 0
        assert pair.writer.closed_because == "it was handed over to a child"


def test_a_child_that_ends_is_the_end_of_what_was_handed_over():
    for make in (fifo_pair, pipe_pair, socket_pair):
        with make(timeout=30) as pair:
            with pair.writer.handed_over() as fd:
                child = program("print('bye')", stdout=fd)
            assert pair.reader.read_until_eof() == b"bye\n"
            assert child.wait() == 0


def test_a_forked_child_may_use_the_same_objects(make):
    with make(timeout=30) as pair:
        pair.writer.open()
        pid = os.fork()
        if pid == 0:
            try:
                pair.reader.close()
                pair.writer.write(b"from the fork\n")
            finally:
                os._exit(0)
        try:
            assert pair.reader.read_line() == b"from the fork\n"
        finally:
            assert os.waitpid(pid, 0) == (pid, 0)


def test_one_way_ends_refuse_the_other_way():
    for make in (fifo_pair, pipe_pair):
        with make() as pair:
            with pytest.raises(ValueError, match=r"writer cannot read: read from the reader$"):
                pair.writer.read_exactly(1)
            with pytest.raises(ValueError, match=r"reader cannot write: write to the writer$"):
                pair.reader.write(b"spam")


@pytest.mark.parametrize("count", [-1, 1.5, "4", True, None])
def test_a_count_is_a_number_of_bytes(count):
    with pipe_pair() as pair, pytest.raises(ValueError, match=r"count=.* from 0 up is expected"):
        pair.reader.read_exactly(count)


def test_nothing_is_read_for_nothing():
    with pipe_pair() as pair:
        assert pair.reader.read_exactly(0) == b""
        assert pair.writer.write(b"") == 0


def test_text_is_not_bytes():
    with pipe_pair() as pair:
        with pytest.raises(TypeError, match=r"'spam' is text: encode it"):
            pair.writer.write("spam")
        with pytest.raises(TypeError, match="bytes are expected, not list"):
            pair.writer.write([1])
        with pytest.raises(ValueError, match="at least one byte"):
            pair.reader.read_until(b"")


@pytest.mark.parametrize("timeout", [-1, float("inf"), float("nan")])
def test_a_limit_must_end(make, timeout):
    with pytest.raises(ValueError, match=r"timeout=.*: seconds from 0 up"), make(timeout=timeout):
        raise AssertionError("the block was entered")
    with make() as pair, pytest.raises(ValueError, match=r"timeout=.*: seconds from 0 up"):
        pair.reader.read_exactly(1, timeout=timeout)


def test_a_limit_is_a_number():
    with pytest.raises(TypeError, match="timeout='5': a number of seconds"), pipe_pair(timeout="5"):
        raise AssertionError("the block was entered")


def test_errors_travel_between_processes():
    for error in (
        ChannelTimeout("late", received=b"spam", written=3),
        EndOfStream("over", received=b"spam"),
        NobodyReads("alone", written=3),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_real_calls_are_not_those_that_tests_patch(monkeypatch):
    def broken(*_):
        raise AssertionError("a patched call was used")

    with pipe_pair() as pair:
        for name in ("read", "write", "fstat"):
            monkeypatch.setattr(os, name, broken)
        pair.writer.write(b"spam")
        assert pair.reader.read_exactly(4) == b"spam"
        monkeypatch.undo()
    assert real.read is os.read


# Plain ends for code under test


def test_a_plain_end_blocks_and_is_not_inherited(make):
    with make() as pair:
        reading, writing = pair.reader.blocking(), pair.writer.blocking()
        assert [os.get_blocking(fd) for fd in (reading, writing)] == [True, True]
        assert [os.get_inheritable(fd) for fd in (reading, writing)] == [False, False]
        os.write(writing, b"spam\n")
        assert os.read(reading, 5) == b"spam\n"


def test_a_read_from_a_plain_end_waits_for_the_writer(make):
    with make() as pair:
        pair.writer.open()  # a FIFO without any writer reads as ended
        reading = pair.reader.blocking()
        came = []
        thread = threading.Thread(target=lambda: came.append(os.read(reading, 4)))
        thread.start()
        thread.join(SOON)
        assert thread.is_alive()
        pair.writer.write(b"spam")
        thread.join(30)
        assert came == [b"spam"]


@pytest.mark.parametrize("plain", [fifo_pair, pipe_pair, socket_pair])
def test_closing_a_plain_end_is_the_end_of_the_stream(plain):
    with plain() as pair:
        with open(pair.writer.blocking(), "w") as file:
            file.write("spam\n")
        assert pair.reader.read_until_eof() == b"spam\n"


def test_an_end_that_was_made_plain_says_so(make):
    with make() as pair:
        fd = pair.writer.blocking()
        gone = rf"(writer|right end|controller) is closed: blocking\(\) gave it .* as fd {fd}"
        with pytest.raises(ValueError, match=gone):
            pair.writer.write(b"spam")
        with pytest.raises(ValueError, match=gone):
            pair.writer.blocking()


def test_a_plain_end_that_code_kept_open_is_named_in_the_words_of_the_other():
    with pipe_pair(timeout=SOON) as pair:
        fd = pair.writer.blocking()
        with pytest.raises(
            ChannelTimeout, match=f"the writer is still open in this process as fd {fd}$"
        ):
            pair.reader.read_exactly(1)


def test_a_plain_end_is_closed_with_its_pair(make):
    before = descriptors.numbers()
    with make() as pair:
        pair.reader.blocking()
        pair.writer.blocking()
    assert descriptors.numbers() == before


def test_a_number_that_code_closed_and_somebody_else_got_is_left_alone():
    with pipe_pair() as pair:
        fd = pair.writer.blocking()
        os.close(fd)
        mine = os.open(os.devnull, os.O_RDONLY)
        os.dup2(mine, fd)
    assert os.fstat(fd).st_rdev == os.fstat(mine).st_rdev
    os.close(mine)
    if fd != mine:
        os.close(fd)

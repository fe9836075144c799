from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading

import pytest

from pytest_syskit.host.descriptors import descriptors
from pytest_syskit.tools.channels.channel_errors import ChannelTimeout, EndOfStream, NobodyReads
from pytest_syskit.tools.channels.fifo_pair import fifo_pair

SOON = 0.05  # seconds: long enough to be a wait, short enough not to be felt
LATEST = 30  # seconds: for a child to start on a busy machine


def program(text, *args, **options):
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", text, *args], **options)


WRITE = "import sys; f = open(sys.argv[1], 'w'); f.write(sys.argv[2])"
READ = "import sys; print(open(sys.argv[1]).read(), end='')"


def test_the_path_is_a_fifo_that_only_its_owner_can_reach():
    with fifo_pair() as pair:
        assert stat.S_ISFIFO(pair.path.stat().st_mode)
        assert stat.S_IMODE(pair.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(pair.path.parent.stat().st_mode) == 0o700


def test_the_umask_has_no_say():
    before = os.umask(0o777)
    try:
        with fifo_pair(mode=0o622) as pair:
            pair.writer.write(b"spam")
            assert pair.reader.read_exactly(4) == b"spam"
            assert stat.S_IMODE(pair.path.stat().st_mode) == 0o622
    finally:
        os.umask(before)


def test_code_that_opens_to_write_never_hangs():
    with fifo_pair() as pair:
        with open(pair.path, "w") as stream:  # in this very thread, before anybody reads
            stream.write("spam\n")
        assert pair.reader.read_line() == b"spam\n"
        assert pair.reader.read_until_eof() == b""


def test_a_program_that_writes_is_heard_to_its_end():
    with fifo_pair(timeout=LATEST) as pair:
        child = program(WRITE, str(pair.path), "spam")
        try:
            assert pair.reader.read_until_eof() == b"spam"
        finally:
            assert child.wait() == 0


def test_a_program_that_reads_is_served_to_its_end():
    with fifo_pair(timeout=LATEST) as pair:
        child = program(READ, str(pair.path), stdout=subprocess.PIPE)
        pair.writer.write(b"spam")
        # The bytes stay in the FIFO until the child has opened it: our reader keeps them there, and
        # our writer lets the child's open succeed.
        while pair.reader.unread():
            assert child.poll() is None
        pair.writer.close()
        assert child.communicate(timeout=LATEST)[0] == b"spam"


def test_nobody_there_yet_is_not_the_end():
    with fifo_pair() as pair:
        late = threading.Timer(SOON, pair.path.write_bytes, [b"spam\n"])
        late.start()
        try:
            assert pair.reader.read_line(timeout=LATEST) == b"spam\n"
        finally:
            late.join()


def test_a_reader_says_that_no_writer_ever_came():
    with fifo_pair(timeout=SOON) as pair, pytest.raises(ChannelTimeout) as raised:
        pair.reader.read_line()
    assert str(raised.value) == (
        "fifo reader waited 0.05 s for a line; nothing arrived; no writer has opened it yet"
    )


def test_a_reader_tells_a_foreign_writer_from_none():
    with (
        fifo_pair(timeout=SOON) as pair,
        open(pair.path, "w"),
        pytest.raises(ChannelTimeout, match="no writer is open in this process, so another"),
    ):
        pair.reader.read_line()


def test_a_writer_that_came_and_went_is_the_end():
    with fifo_pair() as pair:
        os.close(os.open(pair.path, os.O_WRONLY))
        assert pair.reader.read_until_eof() == b""
        with pytest.raises(EndOfStream, match="the writer was closed before anything came"):
            pair.reader.read_exactly(1)


def test_the_writer_opens_at_first_use_only():
    with fifo_pair() as pair:
        assert repr(pair.writer) == "<fifo writer: not open yet>"
        pair.writer.open()
        assert repr(pair.writer) == f"<fifo writer: fd {pair.writer.fd}>"


def test_a_writer_without_reader_gives_up_in_time_and_says_why():
    with fifo_pair(timeout=SOON) as pair:
        pair.reader.close()
        with pytest.raises(ChannelTimeout) as raised:
            pair.writer.write(b"spam")
        assert str(raised.value) == (
            f"fifo writer waited 0.05 s for somebody to open {pair.path} for reading; "
            "nobody has it open, and the pair's own reader was closed"
        )


def test_a_writer_waits_for_the_reader_of_another_process():
    with fifo_pair(timeout=LATEST) as pair:
        pair.reader.close()
        child = program(READ, str(pair.path), stdout=subprocess.PIPE)
        pair.writer.write(b"spam")
        pair.writer.close()
        assert child.communicate(timeout=LATEST)[0] == b"spam"


def test_a_reader_that_dies_is_noticed():
    with fifo_pair(timeout=LATEST) as pair:
        pair.reader.close()
        child = program("import sys; open(sys.argv[1], 'rb', 0).read(1)", str(pair.path))
        pair.writer.write(b"x")
        assert child.wait(LATEST) == 0
        with pytest.raises(NobodyReads, match="fifo writer: nobody reads any more"):
            pair.writer.write(b"spam")


def test_the_end_comes_when_the_last_of_many_writers_has_gone():
    with fifo_pair() as pair:
        first, second = pair.open_writer(), pair.open_writer()
        first.write(b"1")
        second.write(b"2")
        first.close()
        with pytest.raises(ChannelTimeout, match="2 arrived: b'12'; the writer is still open"):
            pair.reader.read_until_eof(timeout=SOON)
        second.close()
        assert pair.reader.read_until_eof() == b""


def test_many_writers_are_all_named():
    with fifo_pair(timeout=SOON) as pair:
        fds = [pair.open_writer().fd, pair.open_writer().fd]
        with pytest.raises(
            ChannelTimeout,
            match=rf"2 writers are still open in this process: fd {fds[0]}, fd {fds[1]}$",
        ):
            pair.reader.read_line()


def test_many_programs_write_whole_lines():
    write_lines = (
        "import os, sys\n"
        "fd = os.open(sys.argv[1], os.O_WRONLY)\n"
        "for _ in range(50): os.write(fd, sys.argv[2].encode() * 40 + b'\\n')"
    )
    with fifo_pair(timeout=LATEST) as pair:
        pair.writer.open()  # so that no end of the stream comes between the programs
        children = [program(write_lines, str(pair.path), name) for name in "abc"]
        lines = [pair.reader.read_line() for _ in range(150)]
        assert [child.wait() for child in children] == [0, 0, 0]
    assert sorted(set(lines)) == [name * 40 + b"\n" for name in (b"a", b"b", b"c")]
    assert {lines.count(line) for line in lines} == {50}


def test_a_second_reader_gets_what_the_first_leaves():
    with fifo_pair() as pair, pair.open_reader() as other:
        pair.writer.write(b"onetwo")
        assert pair.reader.read_exactly(3) == b"one"
        assert other.read_exactly(3) == b"two"


def test_the_path_can_be_chosen(tmp_path):
    place = tmp_path / "requests"
    with fifo_pair(place) as pair:
        assert pair.path == place
        pair.writer.write(b"spam")
        assert pair.reader.read_exactly(4) == b"spam"
    assert list(tmp_path.iterdir()) == []


def test_a_relative_path_is_where_it_was_meant_to_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with fifo_pair("requests") as pair:
        os.chdir("elsewhere")
        assert pair.path == tmp_path / "requests"
        pair.writer.write(b"spam")
    assert [path.name for path in tmp_path.iterdir()] == ["elsewhere"]


def test_what_is_there_already_is_not_touched(tmp_path):
    place = tmp_path / "requests"
    place.write_text("precious")
    with pytest.raises(FileExistsError, match=str(place)), fifo_pair(place):
        raise AssertionError("the block was entered")
    assert place.read_text() == "precious"


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"), fifo_pair(tmp_path / "nowhere" / "f"):
        raise AssertionError("the block was entered")


@pytest.mark.parametrize("path", ["a\0b", b"bytes"])
def test_a_path_is_text(path):
    with pytest.raises(ValueError, match=r"path=.*: a path as text, without NUL"), fifo_pair(path):
        raise AssertionError("the block was entered")


def test_nothing_half_made_is_left(tmp_path):
    with pytest.raises(ValueError, match="timeout=-1"), fifo_pair(tmp_path / "f", timeout=-1):
        raise AssertionError("the block was entered")
    assert list(tmp_path.iterdir()) == []


def vanish(pair):
    pair.path.unlink()


def take_the_directory_away(pair):
    pair.path.unlink()
    pair.path.parent.rmdir()


def close_the_directory(pair):
    pair.path.parent.chmod(0)


def close_the_fifo(pair):
    pair.path.chmod(0)


def fill_the_directory(pair):
    (pair.path.parent / "sub").mkdir()
    os.mkfifo(pair.path.parent / "sub" / "other")


def put_a_link(pair):
    pair.path.unlink()
    pair.path.symlink_to("/dev/null")


@pytest.mark.parametrize(
    "spoil",
    [
        vanish,
        take_the_directory_away,
        close_the_directory,
        close_the_fifo,
        fill_the_directory,
        put_a_link,
    ],
)
def test_clean_up_succeeds_whatever_the_test_did(spoil):
    before = descriptors.numbers()
    with fifo_pair() as pair:
        pair.writer.open()
        spoil(pair)
    assert not pair.path.parent.exists()
    assert descriptors.numbers() == before


def test_what_took_the_place_of_the_fifo_is_not_removed(tmp_path):
    with fifo_pair(tmp_path / "f") as pair:
        pair.path.unlink()
        pair.path.write_text("precious")
    assert pair.path.read_text() == "precious"


def test_clean_up_lets_go_of_programs_that_hang_in_open():
    opening = "import os, sys\nos.write(1, b'.')\nprint(repr(open(sys.argv[1], 'rb').read()))"
    with fifo_pair() as pair:
        child = program(opening, str(pair.path), stdout=subprocess.PIPE)
        assert child.stdout.read(1) == b"."
        # From here it needs a moment to get into open(); wait until it sleeps there.
        while state_of(child.pid) != "S":
            assert child.poll() is None
    assert child.communicate(timeout=LATEST)[0] == b"b''\n"


def state_of(pid):
    with open(f"/proc/{pid}/wchan") as wait, open(f"/proc/{pid}/stat") as stat_file:
        where, state = wait.read(), stat_file.read().rpartition(")")[2].split()[0]
    return state if "fifo" in where or "partner" in where or where in {"", "0"} else "?"


def test_a_forked_child_does_not_take_the_fifo_away():
    parent = os.getpid()
    try:
        with fifo_pair() as pair:
            pid = os.fork()
            if pid != 0:
                assert os.waitpid(pid, 0) == (pid, 0)
                assert pair.path.exists()
                pair.writer.write(b"spam")
                assert pair.reader.read_exactly(4) == b"spam"
    finally:
        if os.getpid() != parent:
            os._exit(0 if sys.exc_info()[0] is None else 1)


def test_a_blocked_open_is_interrupted_by_nothing_of_ours():
    with fifo_pair(timeout=SOON) as pair:
        pair.reader.close()
        fired = []
        before = signal.signal(signal.SIGALRM, lambda *_: fired.append(1))
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
            with pytest.raises(ChannelTimeout, match="nobody has it open"):
                pair.writer.open()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    assert fired

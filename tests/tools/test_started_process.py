"""Reading, writing, waiting and ending: every wait ends, with words."""

from __future__ import annotations

import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from pytest_syskit.host import capabilities, libc
from pytest_syskit.tools.programs import output_stream, program_family
from pytest_syskit.tools.programs.process_errors import ProcessError, ProcessExited, ProcessTimeout
from pytest_syskit.tools.programs.process_factory import ProcessFactory

PROGRAMS = Path(__file__).with_name("programs")
SLEEP = ["sleep", "600"]
LONG = 60  # seconds; a wait that is to end early must not come near it


def python(program, *arguments):
    return [sys.executable, PROGRAMS / f"{program}.py", *map(str, arguments)]


def shell(script):
    return ["sh", "-c", script]


@pytest.fixture
def factory():
    with ProcessFactory() as factory:
        yield factory


@pytest.fixture
def quick():
    """Fail when a test that is to end early took as long as its limit."""
    start = time.monotonic()
    yield
    assert time.monotonic() - start < LONG / 2


# Reading


def test_expect_goes_on_behind_the_last_match(factory):
    program = factory(shell("echo one two; cat"))
    assert program.expect(r"\w+")[0] == "one"
    assert program.expect(r"\w+")[0] == "two"
    program.send_line("three")
    assert program.expect(r"(?P<number>\w+)\n")["number"] == "three"


def test_many_turns_of_talk(factory):
    program = factory([sys.executable, "-c", "while True: print(int(input()) + 1)"])
    for number in range(50):
        program.send_line(str(number))
        assert program.expect(r"^(\d+)\n")[1] == str(number + 1)


def test_expect_sees_a_prompt_without_line_end(factory):
    program = factory(shell("printf 'name: '; read name; echo hello $name"))
    program.expect("name: $")
    program.send_line("Ada")
    program.expect("hello Ada")


def test_expect_searches_both_streams_or_the_one_named(factory):
    program = factory(shell("echo same; echo same >&2; cat"))
    assert program.expect("same", stream="stderr")[0]
    assert program.expect("same")[0]
    with pytest.raises(
        ProcessTimeout, match=r"nothing new on stderr matches 'same' \(but something"
    ):
        program.expect("same", timeout=0.05, stream="stderr")


def test_expect_on_an_unknown_stream_is_refused(factory):
    program = factory(["true"])
    with pytest.raises(
        ValueError, match="stream must be 'stdout' or 'stderr' for this program, got 'x'"
    ):
        program.expect("a", stream="x")


@pytest.mark.parametrize(
    ("pattern", "error", "message"),
    [
        (b"bytes", TypeError, "a pattern must be a str or a compiled str pattern, got b'bytes'"),
        (re.compile(b"x"), TypeError, "a pattern must be a str"),
        ("(", ValueError, r"'\(' is no regular expression: .*re\.escape"),
    ],
)
def test_a_wrong_pattern_is_refused(factory, pattern, error, message):
    program = factory(["true"])
    with pytest.raises(error, match=message):
        program.expect(pattern)


def test_expect_ends_when_the_program_does(factory, quick):
    program = factory(python("dies_at_once", 3))
    with pytest.raises(ProcessExited) as caught:
        program.expect("never", timeout=LONG)
    assert re.search(r"exited with status 3 after \d", str(caught.value))
    assert "nothing new that it wrote matches 'never'\n" in str(caught.value)
    assert "stdout, 1 line:\n  | last words\nstderr, 1 line:\n  | no configuration" in str(
        caught.value
    )


def test_death_by_a_signal_is_told_by_its_name(factory, quick):
    program = factory(python("dies_at_once", -signal.SIGSEGV))
    with pytest.raises(ProcessExited, match="was killed by SIGSEGV"):
        program.expect("never", timeout=LONG)


def test_last_words_match_although_the_program_is_gone(factory):
    program = factory(python("dies_at_once", 0))
    program.wait()
    assert program.expect("last words")


def test_expect_says_what_came_instead_when_time_is_over(factory):
    program = factory(shell("echo starting; sleep 600"))
    program.expect("starting")
    with pytest.raises(ProcessTimeout) as caught:
        program.expect("starting", timeout=0.05)
    assert re.search(
        r"program 'sh' \(pid \d+\) still runs, but after 0\.05 s nothing new that it wrote matches "
        r"'starting' \(but something did that an earlier expect\(\) has passed\)\n"
        r"stdout, 1 line:\n  \| starting\nstderr: nothing",
        str(caught.value),
    )


def test_until_returns_the_answer_that_was_true(factory):
    answers = iter([None, 0, "", "yes"])
    assert factory(SLEEP).until(lambda: next(answers)) == "yes"


def test_until_asks_with_the_program_when_it_may(factory):
    program = factory(shell("echo up; exec sleep 600"))
    assert program.until(lambda each: each is program and "up" in each.stdout) is True


def test_until_ends_when_the_program_does(factory, quick):
    program = factory(shell("echo last words; exit 3"))
    with pytest.raises(ProcessExited) as caught:
        program.until(lambda: False, timeout=LONG)
    text = str(caught.value)
    assert "exited with status 3" in text
    assert "returned False" in text
    assert "last words" in text


def test_until_sees_what_a_program_did_as_its_last_act(factory, tmp_path):
    program = factory(["touch", tmp_path / "done"])
    assert program.until((tmp_path / "done").exists) is True


def test_until_has_a_limit_and_the_program_goes_on(factory):
    def counted():
        raise ConnectionRefusedError("not yet")

    program = factory(SLEEP)
    with pytest.raises(ProcessTimeout, match=r"after 0\.05 s .*counted raised Connection.*not yet"):
        program.until(counted, timeout=0.05)
    assert program.running


def test_until_lets_other_errors_out(factory):
    with pytest.raises(ZeroDivisionError):
        factory(SLEEP).until(lambda: 1 / 0)


def test_until_refuses_what_cannot_be_called(factory):
    with pytest.raises(TypeError, match="until\\(\\) takes something to call, got True"):
        factory(SLEEP).until(True)
    with pytest.raises(ValueError, match="timeout must be a finite number of seconds"):
        factory(SLEEP).until(lambda: True, timeout=-1)


def test_lines_arrive_one_by_one_while_the_program_runs(factory):
    program = factory(shell("echo ready; cat; printf rest"))
    lines = program.lines()
    assert next(lines) == "ready"
    program.send_line("first")
    assert next(lines) == "first"
    program.close_stdin()
    assert list(lines) == ["rest"]
    assert list(program.lines()) == ["ready", "first", "rest"]


def test_half_a_line_is_no_line(factory):
    program = factory(shell("printf half; read go; echo way; sleep 600"))
    program.expect("half")
    with pytest.raises(ProcessTimeout):
        next(program.lines(timeout=0.05))
    program.send_line()
    assert next(program.lines()) == "halfway"


def test_lines_keep_empty_ones(factory):
    program = factory(shell("printf 'a\\n\\nb\\n'"))
    assert list(program.lines()) == ["a", "", "b"]


def test_a_line_that_does_not_come_in_time_is_told(factory):
    program = factory(SLEEP)
    with pytest.raises(ProcessTimeout, match=r"after 0\.05 s stderr brought no further line"):
        next(program.lines("stderr", timeout=0.05))


def test_a_program_that_writes_much_is_never_blocked(factory):
    program = factory(python("fills_output", 8))
    program.expect("done", timeout=30)
    assert len(program.stdout) == 8 * 1024 * 1024 + len("done\n")


def test_a_flood_is_ended_instead_of_held(factory, monkeypatch):
    monkeypatch.setattr(output_stream, "OUTPUT_LIMIT", 1 << 20)
    program = factory(["yes"])
    with pytest.raises(ProcessError, match=r"was ended: it wrote more than .* MiB to stdout"):
        program.wait(LONG)
    assert not program.running


def test_output_before_a_reopened_stream_is_kept(factory):
    program = factory(shell("echo first; read go; echo second > /dev/stdout; echo third"))
    program.expect("first")
    program.send_line()
    assert program.wait() == 0
    assert program.stdout == "first\nsecond\nthird\n"


def test_characters_are_whole_and_broken_bytes_are_shown(factory):
    program = factory(shell(r"printf '\303'; read go; printf '\244 \377\n'"))
    program.send_line()
    program.expect("ä ", timeout=LONG)
    program.wait()
    assert program.stdout == "ä \\xff\n"


def test_a_grandchild_that_keeps_the_output_open_holds_nobody_up(factory, quick):
    program = factory(shell("sleep 600 & echo started"))
    assert program.wait(LONG) == 0
    assert list(program.lines(timeout=LONG)) == ["started"]
    with pytest.raises(ProcessExited, match=r"it left 1 process running: .* daemonises=True\?"):
        program.expect("never", timeout=LONG)


def test_the_output_file_has_no_name(factory, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    program = factory(shell("echo up; sleep 600"))
    program.expect("up")
    assert list(tmp_path.iterdir()) == []


def test_output_stays_readable_after_the_end(factory):
    program = factory(shell("echo out; echo err >&2; sleep 600"))
    program.expect("err")
    program.stop()
    assert (program.stdout, program.stderr, program.output) == ("out\n", "err\n", "out\nerr\n")


# Writing


def test_close_stdin_shows_the_end_of_input(factory):
    program = factory(["wc", "-l"])
    program.send_line("a\nb")
    program.close_stdin()
    program.close_stdin()
    assert program.wait() == 0
    assert program.stdout.strip() == "2"


def test_sending_to_a_program_that_does_not_read_ends(factory):
    program = factory(SLEEP)
    with pytest.raises(
        ProcessTimeout,
        match=r"does not read its standard input: after 0\.05 s it took \d+ of 1000001",
    ):
        program.send_line("x" * 1_000_000, timeout=0.05)


def test_sending_to_an_ended_program_tells_its_end(factory):
    program = factory(python("dies_at_once", 3))
    program.wait()
    with pytest.raises(
        ProcessExited, match="exited with status 3: nobody reads its standard input"
    ):
        program.send_line("hello")


def test_sending_to_a_program_that_closed_its_input_is_told(factory):
    program = factory(shell("exec <&-; echo closed; sleep 600"))
    program.expect("closed")
    with pytest.raises(ProcessError, match="has closed its standard input"):
        program.send_line("hello")


def test_sending_after_close_stdin_is_refused(factory):
    program = factory(SLEEP)
    program.close_stdin()
    with pytest.raises(
        ProcessError, match=r"standard input of program 'sleep' .* is closed already"
    ):
        program.send_line("hello")


def test_without_stdin_there_is_nothing_to_read_and_nothing_to_send(factory):
    program = factory(["cat"], stdin=False)
    assert program.wait() == 0
    with pytest.raises(ProcessError, match="was started with stdin=False"):
        program.send_line("hello")


# Signals and the end


def test_send_signal_reaches_the_program(factory):
    program = factory(
        shell("trap 'echo got it; exit 9' USR1; echo up; while :; do sleep 0.01; done")
    )
    program.expect("up")
    program.send_signal(signal.SIGUSR1)
    assert program.wait() == 9
    assert "got it" in program.stdout


@pytest.mark.parametrize("number", [0, -1, 4000, "TERM"])
def test_an_unknown_signal_is_refused(factory, number):
    program = factory(SLEEP)
    with pytest.raises(ValueError, match=f"{number!r} is no signal here"):
        program.send_signal(number)


def test_a_signal_to_an_ended_program_tells_its_end(factory):
    program = factory(["true"])
    program.wait()
    with pytest.raises(ProcessExited, match="exited with status 0: signal 15 reaches nobody"):
        program.send_signal(signal.SIGTERM)


def test_wait_returns_the_status_in_the_way_of_subprocess(factory):
    assert factory(python("dies_at_once", 7)).wait() == 7
    assert factory(python("dies_at_once", -9)).wait() == -9


def test_wait_has_a_limit_and_the_program_goes_on(factory):
    program = factory(SLEEP)
    with pytest.raises(ProcessTimeout, match=r"still runs, but after 0\.05 s it has not ended"):
        program.wait(timeout=0.05)
    assert program.running


@pytest.mark.parametrize("timeout", [None, True, "1"])
def test_a_limit_that_is_no_number_is_refused(factory, timeout):
    program = factory(["true"])
    for wait in (program.wait, program.send_line, program.lines):
        with pytest.raises(
            TypeError, match=f"timeout must be a number of seconds, got {timeout!r}"
        ):
            wait(timeout=timeout)


def test_a_negative_limit_is_refused(factory):
    program = factory(["true"])
    with pytest.raises(
        ValueError, match="grace must be a finite number of seconds, 0 or more, got -1"
    ):
        program.stop(-1)


def test_stop_asks_first(factory):
    program = factory(shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done"))
    program.expect("up")
    assert program.stop() == 0
    assert program.stdout == "up\nbye\n"


def test_stop_kills_who_ignores_the_question(factory):
    program = factory(python("ignores_term"), ready="ignoring")
    assert program.stop(grace=0.1) == -signal.SIGKILL
    assert program.stop() == -signal.SIGKILL


def test_a_stop_signal_of_one_s_own_goes_to_the_program_alone(factory):
    script = "trap 'echo child got it' QUIT; while :; do sleep 0.01; done"
    program = factory(
        shell(
            f"trap 'echo quitting; exit 4' QUIT; ({script}) & echo up; while :; do sleep 0.01; done"
        ),
        stop_signal=signal.SIGQUIT,
    )
    program.expect("up")
    assert program.stop() == 4
    assert program.stdout == "up\nquitting\n"


def test_stop_ends_a_stopped_program(factory, quick):
    program = factory(SLEEP)
    os.kill(program.pid, signal.SIGSTOP)
    assert program.stop(grace=LONG) == -signal.SIGTERM


def pids_named(program, count):
    return [int(program.expect(r"pid (\d+)\n")[1]) for _ in range(count)]


def gone(pid):
    """Say whether a process has ended; init may be slow to collect a zombie that is not ours."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def test_stop_ends_grandchildren_that_ignore_term(factory):
    program = factory(
        shell("sh -c 'trap \"\" TERM; echo pid $$; while :; do sleep 600; done'; true")
    )
    (grandchild,) = pids_named(program, 1)
    program.stop(grace=0.1)
    assert gone(grandchild)


@pytest.mark.parametrize("arguments", [(), ("same-session",)], ids=["by cookie", "by session"])
def test_stop_ends_a_daemon_whose_parent_is_gone(factory, arguments):
    program = factory(python("daemonises", *arguments), daemonises=True)
    pid = int(program.expect(r"daemon (\d+)\n")[1])
    assert program.wait() == 0
    assert not gone(pid)
    program.stop()
    assert gone(pid)


def test_waits_go_on_with_the_daemon_when_declared(factory):
    program = factory(python("daemonises"), ready=r"daemon \d+\n", daemonises=True)
    pid = int(program.expect(r"daemon (\d+)\n")[1])
    assert program.wait() == 0
    with pytest.raises(ProcessTimeout):
        program.expect("more", timeout=0.05)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ProcessExited, match="exited with status 0 after"):
        program.expect("more", timeout=LONG)


def test_who_cannot_be_ended_is_reported(factory, monkeypatch):
    program = factory(SLEEP)
    with monkeypatch.context() as broken:
        broken.setattr(program_family, "end_tree", lambda *_, **__: [])
        with pytest.raises(ProcessError, match=f"1 of the processes .* SIGKILL: {program.pid};"):
            program.stop()
    assert program.stop() == -signal.SIGTERM


@pytest.fixture
def subreaper():
    if lack := capabilities.missing("subreaper"):
        pytest.skip(lack)
    before = libc.is_subreaper()
    libc.set_subreaper(True)
    yield
    libc.set_subreaper(before)


def test_a_zombie_handed_to_us_is_collected(factory, subreaper):
    leave_zombie = """
import os
pid = os.fork()
if pid:
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    print("zombie", pid, flush=True)
os._exit(0)
"""
    program = factory([sys.executable, "-c", leave_zombie])
    pid = int(program.expect(r"zombie (\d+)\n")[1])
    program.wait()
    assert psutil.Process(pid).ppid() == os.getpid()
    program.stop()
    assert not psutil.pid_exists(pid)


def test_a_daemon_handed_to_us_leaves_no_zombie(factory, subreaper):
    program = factory(python("daemonises"), ready=r"daemon \d+\n", daemonises=True)
    pid = int(program.expect(r"daemon (\d+)\n")[1])
    assert psutil.Process(pid).ppid() == os.getpid()
    program.stop()
    assert not psutil.pid_exists(pid)

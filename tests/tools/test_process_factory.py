"""Starting programs, refusing what cannot be started, leaving nothing behind."""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from pytest_syskit.host.processes.cookies import COOKIE
from pytest_syskit.tools.programs import process_factory
from pytest_syskit.tools.programs.process_errors import (
    ProcessError,
    ProcessExited,
    ProcessNotStarted,
    ProcessTimeout,
)
from pytest_syskit.tools.programs.process_factory import ProcessFactory

PROGRAMS = Path(__file__).with_name("programs")
SLEEP = ["sleep", "600"]


def python(program, *arguments):
    return [sys.executable, PROGRAMS / f"{program}.py", *map(str, arguments)]


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def lives(pid):
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def own_fds():
    return psutil.Process().num_fds()


@pytest.fixture
def factory():
    with ProcessFactory() as factory:
        yield factory


# Starting


def test_calling_the_factory_is_starting(factory):
    assert factory.start(["true"]).wait() == 0
    assert factory(["true"]).wait() == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_a_started_program_shows_its_own_name_arguments_and_environment(factory):
    for number in range(30):  # without the wait two of three starts show something else
        program = factory(["sleep", "600"], extra_env={"NUMBER": str(number)})
        place = Path("/proc", str(program.pid))
        assert (place / "comm").read_text() == "sleep\n"
        assert (place / "cmdline").read_bytes() == b"sleep\x00600\x00"
        assert f"NUMBER={number}".encode() in (place / "environ").read_bytes().split(b"\0")
        program.stop()


def test_a_program_that_never_shows_itself_is_started_all_the_same(factory, monkeypatch):
    monkeypatch.setattr(process_factory, "shows_program", lambda _pid: False)
    monkeypatch.setattr(process_factory, "_EXEC_PATIENCE", 0.01)
    assert factory(["sh", "-c", "exit 3"]).wait() == 3


def test_the_test_s_environment_is_inherited_and_python_does_not_buffer(factory, monkeypatch):
    monkeypatch.setenv("COLOUR", "red")
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    program = factory(["sh", "-c", "echo $COLOUR $PYTHONUNBUFFERED"])
    program.expect("^red 1$")


def test_env_replaces_everything_but_the_cookie(factory, monkeypatch):
    monkeypatch.setenv("COLOUR", "red")
    program = factory(["env"], env={"PATH": os.environ["PATH"], "SHAPE": "round"})
    program.wait()
    names = {line.partition("=")[0] for line in program.lines()}
    assert names == {"PATH", "SHAPE", COOKIE}


def test_extra_env_is_laid_over_the_rest(factory, monkeypatch):
    monkeypatch.setenv("COLOUR", "red")
    program = factory(["sh", "-c", "echo $COLOUR"], extra_env={"COLOUR": "blue"})
    program.expect("^blue$")


def test_the_cookies_of_an_outer_run_stay(factory, monkeypatch):
    monkeypatch.setenv(COOKIE, "outer")
    program = factory(["sh", "-c", f"echo ${COOKIE}"])
    program.expect(r"^\w{32} outer$")


def test_cwd_is_where_the_program_runs(factory, tmp_path):
    program = factory(["pwd"], cwd=tmp_path)
    program.expect(f"^{re.escape(os.path.realpath(tmp_path))}$")


def test_a_program_has_its_own_session_unless_told_otherwise(factory):
    own, shared = factory(SLEEP), factory(SLEEP, new_session=False)
    assert os.getsid(own.pid) == own.pid
    assert os.getsid(shared.pid) == os.getsid(0)


def test_a_program_inherits_only_the_descriptors_passed_to_it(factory):
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    try:
        write = "import os, sys; os.write(int(sys.argv[1]), b'hi')"
        program = factory([sys.executable, "-c", write, str(writer)], pass_fds=[writer])
        assert program.wait() == 0
        assert os.read(reader, 10) == b"hi"
        probe = "import os, sys; os.fstat(int(sys.argv[1]))"
        refused = factory([sys.executable, "-c", probe, str(reader)])
        assert refused.wait() == 1
        assert "Bad file descriptor" in refused.stderr
    finally:
        os.close(reader)
        os.close(writer)


def test_merged_streams_keep_the_order(factory):
    program = factory(["sh", "-c", "echo a; echo b >&2; echo c"], merge_stderr=True)
    program.wait()
    assert program.stdout == program.output == "a\nb\nc\n"
    assert program.stderr == ""


def test_a_running_program_costs_three_descriptors(factory):
    before = own_fds()
    factory(SLEEP)  # its input, its output, its errors
    assert own_fds() == before + 3


def test_no_thread_serves_the_output(factory):
    before = psutil.Process().num_threads()
    factory(python("fills_output", 1)).expect("done")
    assert psutil.Process().num_threads() == before


def test_the_example_in_the_documentation_runs():
    outcome = doctest.testmod(process_factory)
    assert outcome.attempted == 2
    assert outcome.failed == 0


def test_neither_a_frozen_clock_nor_patched_calls_reach_the_waits(factory, monkeypatch):
    def poison(*_, **__):
        raise AssertionError("patched")

    for name in ("sleep", "monotonic", "time"):
        monkeypatch.setattr(time, name, poison)
    for name in ("listdir", "pread", "waitid", "getsid"):
        monkeypatch.setattr(os, name, poison)
    program = factory(["sh", "-c", "echo up; cat"], ready="up")
    program.send_line("again")
    program.expect("again")
    with pytest.raises(ProcessTimeout):
        program.wait(0.01)
    monkeypatch.undo()


def test_under_pyfakefs_a_start_is_refused_and_what_runs_goes_on_and_ends():
    fake = pytest.importorskip("pyfakefs.fake_filesystem_unittest")
    with ProcessFactory() as factory:
        talker, stubborn = factory(["cat"]), factory(python("ignores_term"), ready="ignoring")
        with fake.Patcher():
            with pytest.raises(ProcessNotStarted, match=r"cannot start 'ls': os\.read is replaced"):
                factory(["ls"])
            talker.send_line("hello")
            talker.expect("hello")
            talker.close_stdin()
            assert talker.wait() == 0
            assert stubborn.stop(grace=0.05) == -signal.SIGKILL


# Refusing


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ("ls -l", r"argv must be a list of words .*, got 'ls -l'; shlex\.split"),
        (b"ls", "argv must be a list"),
        (Path("/bin/ls"), "argv must be a list"),
        (["ls", 5], r"argv\[1\] must be a str, bytes or a path, got 5 \(int\)"),
        (["ls", None], r"argv\[1\] must be .* got None"),
    ],
)
def test_argv_of_a_wrong_type_is_refused(factory, argv, message):
    with pytest.raises(TypeError, match=message):
        factory(argv)


@pytest.mark.parametrize("argv", [[], [""], ["", "-l"]])
def test_argv_without_a_program_is_refused(factory, argv):
    with pytest.raises(ValueError, match=re.escape(f"begin with the program to start, got {argv}")):
        factory(argv)


def test_a_nul_character_in_argv_is_refused_by_place(factory):
    with pytest.raises(ValueError, match=r"argv\[1\] holds a NUL character.*'a\\x00b'"):
        factory(["echo", "a\0b"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"env": ["A=1"]}, r"env must be a mapping .* got \['A=1'\]"),
        ({"env": {"A": 1}}, r"env\['A'\] must map a str to a str, got 1"),
        ({"extra_env": {"A": None}}, r"extra_env\['A'\] must map a str to a str, got None"),
        ({"timeout": None}, "timeout must be a number of seconds, got None"),
        ({"timeout": "1"}, "timeout must be a number of seconds, got '1'"),
        ({"stop_grace": True}, "stop_grace must be a number of seconds, got True"),
    ],
)
def test_options_of_a_wrong_type_are_refused(factory, option, message):
    with pytest.raises(TypeError, match=message):
        factory(["true"], **option)
    assert factory.programs == ()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"extra_env": {"A=B": "1"}}, r"extra_env\['A=B'\] = '1' fits no environment"),
        ({"extra_env": {"": "1"}}, r"extra_env\[''\]"),
        ({"extra_env": {"A": "\0"}}, "holds a NUL character"),
        ({"timeout": -1}, "timeout must be a finite number of seconds, 0 or more, got -1"),
        ({"stop_grace": float("inf")}, "stop_grace must be a finite number"),
        ({"stop_grace": float("nan")}, "stop_grace must be a finite number"),
        ({"stop_signal": 4000}, "stop_signal must be a signal of this machine, got 4000"),
    ],
)
def test_options_that_cannot_work_are_refused(factory, option, message):
    with pytest.raises(ValueError, match=message):
        factory(["true"], **option)
    assert factory.programs == ()


def test_a_missing_program_is_named_with_the_path_searched(factory):
    with pytest.raises(ProcessNotStarted, match=r"'nosuch': no program .* on PATH=/no/where$"):
        factory(["nosuch"], env={"PATH": "/no/where"})


def test_a_missing_path_is_named(factory, tmp_path):
    with pytest.raises(ProcessNotStarted, match=f"{tmp_path}/nosuch does not exist"):
        factory(["./nosuch"], cwd=tmp_path)


def test_a_file_that_may_not_be_executed_is_told_with_its_mode(factory, tmp_path):
    (tmp_path / "tool").write_text("#!/bin/sh\n")
    (tmp_path / "tool").chmod(0o640)
    message = r"tool may not be executed \(mode 0640\); chmod \+x"
    with pytest.raises(ProcessNotStarted, match=message):
        factory([tmp_path / "tool"])
    with pytest.raises(ProcessNotStarted, match=message):
        factory(["tool"], env={"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("#!/no/such/interpreter\n", "is there, but not the interpreter"),
        ("echo no first line\n", "begins with a line such as #!/bin/sh"),
    ],
)
def test_a_script_that_cannot_run_says_why(factory, tmp_path, content, message):
    (tmp_path / "tool").write_text(content)
    (tmp_path / "tool").chmod(0o755)
    with pytest.raises(ProcessNotStarted, match=message):
        factory([tmp_path / "tool"])


def test_a_directory_is_no_program(factory, tmp_path):
    with pytest.raises(ProcessNotStarted, match=f"{tmp_path} is a directory"):
        factory([tmp_path])


def test_a_missing_working_directory_is_not_taken_for_a_missing_program(factory, tmp_path):
    with pytest.raises(ProcessNotStarted, match=r"working directory .*/gone': No such file"):
        factory(["true"], cwd=tmp_path / "gone")


def test_a_refused_start_leaves_no_descriptor(factory):
    before = own_fds()
    for _ in range(3):
        with pytest.raises(ProcessNotStarted):
            factory(["/no/such/program"])
    assert own_fds() == before


# Not ready


def test_a_program_that_dies_before_it_is_ready_ends_the_wait(factory):
    start = time.monotonic()
    with pytest.raises(ProcessExited) as caught:
        factory(python("dies_at_once", 3), ready="never", timeout=60)
    assert time.monotonic() - start < 30
    text = str(caught.value)
    assert re.search(r"exited with status 3 after \d+\.\d\d s of waiting: it was not ready", text)
    assert "nothing it wrote matches 'never'" in text
    assert "  | last words" in text
    assert "  | no configuration found" in text


def test_a_program_that_is_not_ready_in_time_is_ended(factory):
    with pytest.raises(TimeoutError, match=r"still runs, but after 0\.05 s it was not ready"):
        factory(SLEEP, ready="never", timeout=0.05)
    (program,) = factory.programs
    assert program.returncode == -signal.SIGTERM


def test_an_error_in_a_ready_callable_ends_the_program_and_comes_out(factory):
    def broken():
        raise ZeroDivisionError("broken")

    with pytest.raises(ZeroDivisionError, match="broken"):
        factory(SLEEP, ready=broken)
    assert not factory.programs[0].running


# Leaving nothing


def test_close_ends_everything_and_releases_every_descriptor():
    before = own_fds()
    with ProcessFactory() as factory:
        programs = [factory(SLEEP), factory(python("ignores_term"), stop_grace=0.1)]
        factory(["true"]).wait()
        programs[1].expect("ignoring")
    assert [program.returncode for program in programs] == [-signal.SIGTERM, -signal.SIGKILL]
    assert not any(psutil.pid_exists(program.pid) for program in programs)  # waited for
    assert own_fds() == before
    factory.close()


def test_the_youngest_ends_first():
    factory = ProcessFactory()
    order = []
    for name in "abc":
        program = factory(SLEEP, name=name)
        program.stop = lambda stop=program.stop, name=name: (order.append(name), stop())
    factory.close()
    assert order == ["c", "b", "a"]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_error_of_the_body_comes_out_unchanged_and_everything_ends(kind):
    with pytest.raises(kind, match="body") as caught, ProcessFactory() as factory:
        crashed, running = factory(python("dies_at_once", 4)), factory(SLEEP)
        until(lambda: not crashed.running)
        raise kind("body")
    assert caught.value.__context__ is None
    assert not running.running


def test_ctrl_c_while_closing_kills_at_once_and_spares_nobody():
    factory = ProcessFactory()
    stubborn = [factory(python("ignores_term"), ready="ignoring", stop_grace=60) for _ in range(2)]

    def interrupt(*_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            stubborn[1].stop()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert stubborn[1].returncode == -signal.SIGKILL
    stubborn[0].stop(0)
    factory.close()


def test_an_interrupted_close_still_ends_the_others():
    factory = ProcessFactory()
    older, younger = factory(SLEEP), factory(SLEEP)

    def interrupted():
        raise KeyboardInterrupt

    stop, younger.stop = younger.stop, interrupted
    with pytest.raises(KeyboardInterrupt):
        factory.close()
    assert not older.running
    stop()


def test_a_closed_factory_starts_nothing():
    factory = ProcessFactory()
    factory.close()
    with pytest.raises(ProcessError, match="is closed"):
        factory(["true"])


def test_a_fork_of_the_test_lets_the_programs_live():
    with ProcessFactory() as factory:
        program = factory(SLEEP)
        pid = os.fork()
        if pid == 0:
            status = 1
            with contextlib.suppress(BaseException):
                factory.close()
                status = 0
            os._exit(status)
        assert os.waitpid(pid, 0)[1] == 0
        assert program.running
    assert program.returncode == -signal.SIGTERM


def test_a_fork_of_the_test_cannot_wait_for_the_program(factory):
    program = factory(SLEEP)
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            try:
                program.wait(1)
            except ProcessError as error:
                os._exit(7 if "a fork of it" in str(error) else 8)
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert program.running


# Ended behind the test's back


def test_a_crash_behind_the_test_s_back_is_an_error_at_close():
    factory = ProcessFactory()
    crashed = factory(python("dies_at_once", -signal.SIGSEGV), name="server")
    until(lambda: not crashed.running)
    with pytest.raises(ProcessExited) as caught:
        factory.close()
    text = str(caught.value)
    assert text.startswith("1 program ended during the test; wait() for it, or declare expect_exit")
    assert f"program 'server' (pid {crashed.pid}) was killed by SIGSEGV" in text
    assert "no configuration found" in text


def test_each_crash_is_listed_and_counted():
    factory = ProcessFactory()
    programs = [factory(python("dies_at_once", status)) for status in (0, 1, 2)]
    for program in programs:
        until(lambda program=program: not program.running)
    with pytest.raises(ProcessExited, match="2 programs ended during the test") as caught:
        factory.close()
    assert "exited with status 0" not in str(caught.value)


def test_a_crash_followed_by_stop_is_still_a_crash():
    factory = ProcessFactory()
    program = factory(python("dies_at_once", 1))
    until(lambda: not program.running)
    program.stop()
    with pytest.raises(ProcessExited, match="exited with status 1"):
        factory.close()


def test_close_without_check_says_nothing_about_a_crash():
    factory = ProcessFactory()
    program = factory(python("dies_at_once", 1))
    until(lambda: not program.running)
    factory.close(check=False)


@pytest.mark.parametrize(("declared", "fault"), [((), False), ((3, 4), False), ((4,), True)])
def test_a_declared_exit_is_no_fault(declared, fault):
    factory = ProcessFactory()
    program = factory(python("dies_at_once", 3))
    program.expect_exit(*declared)
    until(lambda: not program.running)
    with pytest.raises(ProcessExited) if fault else contextlib.nullcontext():
        factory.close()


def test_a_status_waited_for_is_no_fault():
    with ProcessFactory() as factory:
        assert factory(python("dies_at_once", 3)).wait() == 3


def test_death_by_the_test_s_own_signal_is_no_fault():
    with ProcessFactory() as factory:
        program = factory(SLEEP)
        program.send_signal(signal.SIGUSR1)
        until(lambda: not program.running)


def test_a_crash_after_another_signal_is_a_fault():
    factory = ProcessFactory()
    program = factory(
        ["sh", "-c", "trap 'kill -ABRT $$' USR1; echo up; while :; do sleep 0.01; done"]
    )
    program.expect("up")
    program.send_signal(signal.SIGUSR1)
    until(lambda: not program.running)
    with pytest.raises(ProcessExited, match="was killed by SIGABRT"):
        factory.close()


def test_a_status_taken_by_other_code_is_said_to_be_lost(factory):
    program = factory(["sh", "-c", "read line; exit 3"])
    program.close_stdin()
    os.waitpid(program.pid, 0)
    assert not program.running
    assert program.returncode is None
    with pytest.raises(ProcessError, match="its exit status is lost: other code"):
        program.wait()


def test_a_lost_status_nobody_asked_for_is_a_fault():
    factory = ProcessFactory()
    program = factory(["cat"])
    program.close_stdin()
    os.waitpid(program.pid, 0)
    with pytest.raises(ProcessExited, match="its exit status is lost"):
        factory.close()


def test_children_of_other_code_are_left_alone():
    pid = os.fork()
    if pid == 0:
        os._exit(5)
    with ProcessFactory() as factory:
        factory(python("daemonises"), ready=r"daemon \d+\n", daemonises=True)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5


# Reports


def test_excerpts_are_bounded_and_say_what_was_cut():
    with ProcessFactory() as factory:
        program = factory(["sh", "-c", "seq 1 1000; head -c 100000 /dev/zero | tr '\\0' x >&2"])
        program.wait()
    ((title, text),) = factory.excerpts()
    assert title == f"program 'sh' (pid {program.pid}) exited with status 0"
    assert "stdout, last 50 of 1000 lines:\n  | 951\n" in text
    assert "  | 1000\n" in text
    assert 8192 <= len(text) <= 2 * 8192


def test_a_name_of_one_s_own_shows_in_messages(factory):
    assert str(factory(["true"], name="the truth")).startswith("program 'the truth' (pid ")


def test_a_port_taken_by_a_stranger_is_refused_with_his_name(factory):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        message = (
            rf"TCP port {port} is taken before the start, by this very process \({os.getpid()}\)"
        )
        for ready in (port, ("127.0.0.1", port)):
            with pytest.raises(ProcessNotStarted, match=message):
                factory(["true"], ready=ready)
    assert factory.programs == ()


def test_a_port_taken_by_another_program_names_it(factory):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = factory(python("echo_server", port), ready=port)
    named = re.escape(sys.executable[:20])  # a long command line is cut
    with pytest.raises(ProcessNotStarted, match=rf"by process {server.pid} \({named}"):
        factory(["true"], ready=port)

"""Stand-ins for commands: they play their part, and tell of every call."""

from __future__ import annotations

import os
import pty
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from pytest_syskit.tools.environment.fake_env import FakeEnv
from pytest_syskit.tools.environment.stub_guard import UnexpectedCommand
from pytest_syskit.tools.environment.stub_plan import create_file, make_plan, render
from pytest_syskit.tools.environment.stub_script import STDIN_LIMIT, write_all

LIMIT = 30  # seconds; no command here takes one, a loaded machine is given many


@pytest.fixture
def env(tmp_path_factory):
    tmp_path_factory.getbasetemp()  # remembered for the session, so not from within
    with FakeEnv() as fake:
        yield fake


def run(*argv, **options):
    options = {"input": b"", "capture_output": True, "timeout": LIMIT} | options
    if options.get("stdin") is not None:
        del options["input"]
    return subprocess.run(argv, check=False, **options)


# Who calls


def test_a_call_by_subprocess_is_played_and_recorded(env):
    ping = env.stub_command("ping", stdout="pong\n", stderr=b"\xff", exit_code=3)
    result = run("ping", "-c", "1", input=b"hello")
    assert (result.stdout, result.stderr, result.returncode) == (b"pong\n", b"\xff", 3)
    (call,) = ping.calls
    assert (call.argv, call.stdin, call.stdin_state) == (["ping", "-c", "1"], b"hello", "whole")
    assert call.parent_pid == os.getpid()
    assert shutil.which("ping") == str(ping.path)


@pytest.mark.parametrize(
    "caller",
    [
        ["sh", "-c", "echo data | ping x"],
        ["awk", 'BEGIN { print "data" | "ping x" }'],
        ["env", "sh", "-c", "printf 'data\\n' | env ping x"],
    ],
    ids=lambda argv: argv[0],
)
def test_any_program_may_call(env, caller):
    if shutil.which(caller[0]) is None:
        pytest.skip(f"needs {caller[0]}")
    ping = env.stub_command("ping")
    assert run(*caller).returncode == 0
    assert [(call.argv, call.stdin) for call in ping.calls] == [(["ping", "x"], b"data\n")]


def test_a_forked_child_may_exec(env):
    ping = env.stub_command("ping", exit_code=7)
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.execvp("ping", ["ping", "from a fork"])
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
    assert [(call.argv[1], call.pid) for call in ping.calls] == [("from a fork", pid)]


def test_a_caller_without_environment_and_directory(env, tmp_path):
    ping = env.stub_command("ping")
    doomed = tmp_path / "doomed"
    doomed.mkdir()
    run("sh", "-c", f'rmdir "$PWD"; exec env -i "{ping.path}"', cwd=doomed)
    (call,) = ping.calls
    assert (call.env, call.cwd) == ({}, "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_caller_who_gave_up_root(env, monkeypatch):
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("needs a Python that everybody can start")
    monkeypatch.setattr(sys, "executable", python)
    ping = env.stub_command("ping", script="cat; id -u")
    result = run("ping", user=65534, group=65534, extra_groups=[], cwd="/", input=b"in\n")
    assert (result.stdout, result.stderr) == (b"in\n65534\n", b"")
    assert ping.calls[0].stdin == b"in\n"


# What is recorded


def test_arguments_are_kept_byte_for_byte(env):
    ping = env.stub_command("ping")
    arguments = [b"", b"two\nlines\r", b"\xff\xfe", b"'quoted\"", "ü".encode(), b"\x01\\"]
    for locale in ("C.UTF-8", "C"):
        run("ping", *arguments, env={"PATH": env["PATH"], "LC_ALL": locale})
        assert list(map(os.fsencode, ping.calls[-1].argv)) == [b"ping", *arguments]


@pytest.mark.parametrize("variables", [{}, {"LANG": "C"}, {"LC_ALL": "C"}, {b"N\xff": b"V\xff\n="}])
def test_the_environment_is_the_callers_and_nothing_more(env, variables):
    ping = env.stub_command("ping")
    given = {b"PATH": os.fsencode(env["PATH"])} | {
        os.fsencode(k): os.fsencode(v) for k, v in variables.items()
    }
    run("ping", env=given)
    assert {os.fsencode(k): os.fsencode(v) for k, v in ping.calls[0].env.items()} == given


def test_paths_and_arguments_do_not_depend_on_the_callers_locale(monkeypatch, tmp_path):
    listed = run("locale", "-a").stdout.decode().split() if shutil.which("locale") else []
    locales = [name for name in listed if "8859" in name or name.endswith(".iso88591")]
    if not locales:
        pytest.skip("needs a locale that is not UTF-8")
    (tmp_path / "ünï").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "ünï"))
    with FakeEnv() as env:
        ping = env.stub_command("ping")
        assert run("ping", "ü", env={"PATH": env["PATH"], "LC_ALL": locales[0]}).returncode == 0
        assert ping.calls[0].argv == ["ping", "ü"]


def test_a_locale_that_the_caller_chose_is_recorded(env):
    ping = env.stub_command("ping")
    run("ping", env={"PATH": env["PATH"], "LANG": "de_DE.UTF-8", "LC_CTYPE": "C.UTF-8"})
    assert ping.calls[0].env["LC_CTYPE"] == "C.UTF-8"


def test_the_working_directory_is_recorded(env, tmp_path):
    ping = env.stub_command("ping")
    run("ping", cwd=tmp_path)
    assert ping.calls[0].cwd == str(tmp_path.resolve())


def test_a_stdin_left_open_delays_but_never_hangs(env):
    ping = env.stub_command("ping", stdout="out", stdin_patience=0.1)
    with subprocess.Popen(["ping"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"first")
        process.stdin.flush()
        assert process.stdout.read() == b"out"
    assert [(call.stdin, call.stdin_state) for call in ping.calls] == [(b"first", "cut short")]


def test_endless_stdin_is_cut(env):
    ping = env.stub_command("ping")
    with open("/dev/zero", "rb") as zero:
        run("ping", stdin=zero)
    (call,) = ping.calls
    assert (STDIN_LIMIT <= len(call.stdin) < 2 * STDIN_LIMIT, call.stdin_state) == (
        True,
        "cut short",
    )


def test_a_terminal_is_never_read(env):
    ping = env.stub_command("ping", stdin_patience=LIMIT * 2)
    ours, theirs = pty.openpty()
    try:
        run("ping", stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert ping.calls[0].stdin_state == "unread"


def test_stdin_can_be_left_alone(env):
    ping = env.stub_command("ping", stdin_patience=None, script="cat")
    assert run("ping", input=b"for cat").stdout == b"for cat"
    assert (ping.calls[0].stdin, ping.calls[0].stdin_state) == (b"", "unread")


def test_a_loop_over_a_file_keeps_its_lines(env, tmp_path):
    ping = env.stub_command("ping")
    (tmp_path / "hosts").write_text("a\nb\nc\n")
    run("sh", "-c", 'while read -r host; do ping "$host"; done < "$1"', "sh", tmp_path / "hosts")
    assert [call.argv[1] for call in ping.calls] == ["a", "b", "c"]
    assert [call.stdin for call in ping.calls] == [b"b\nc\n", b"c\n", b""]


def test_closed_streams_are_no_trouble(env):
    ping = env.stub_command("ping", stdout="out", stderr="err", exit_code=4)
    assert run("sh", "-c", "ping <&- >&- 2>&-").returncode == 4
    assert (ping.calls[0].stdin, ping.calls[0].stdin_state) == (b"", "whole")


def test_calls_can_be_read_after_the_environment_has_ended():
    with FakeEnv() as env:
        ping = env.stub_command("ping")
        run("ping", "x")
    assert not ping.path.exists()
    assert ping.calls[0].argv == ["ping", "x"]


def test_calls_at_once_are_whole_and_each_takes_its_turn(env):
    count = 12
    ping = env.stub_command("ping", exit_code=list(range(count)), stdout="x" * 100)
    other = env.stub_command("other")
    long = "y" * 50_000
    callers = [
        subprocess.Popen(["ping", str(n), long], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for n in range(count)
    ]
    results = [
        (caller.communicate(str(n).encode() * 10_000), caller.returncode)
        for n, caller in enumerate(callers)
    ]
    assert sorted(code for _, code in results) == list(range(count))
    by_pid = {call.pid: call for call in ping.calls}
    for n, caller in enumerate(callers):
        call = by_pid[caller.pid]
        assert (call.argv, call.stdin) == (["ping", str(n), long], str(n).encode() * 10_000)
    assert [by_pid[call.pid] for call in ping.calls] == ping.calls
    order = {call.pid: turn for turn, call in enumerate(ping.calls)}
    assert [order[caller.pid] for caller in callers] == [code for _, code in results]
    assert other.calls == []


def test_a_writer_killed_in_mid_line_costs_only_its_own_record(env):
    ping = env.stub_command("ping")
    run("ping", "1")
    with open(ping._log.path, "ab") as log:
        log.write(b"('call', 1, 2, [b'ping', b'to")
    assert [call.argv[1] for call in ping.calls] == ["1"]
    run("ping", "3")
    assert [call.argv[1] for call in ping.calls] == ["1", "3"]


def test_a_call_that_cannot_be_recorded_says_so(env):
    ping = env.stub_command("ping")
    os.unlink(ping._log.path)
    result = run("ping")
    assert result.returncode == 126
    assert b"stand-in for ping cannot record its call: " in result.stderr


# What is played


def test_replies_change_from_call_to_call_and_the_last_repeats(env):
    env.stub_command("ping", stdout=["a", b"b"], stderr=["", "e"], exit_code=[0, 1, 2])
    seen = [run("ping") for _ in range(4)]
    assert [(r.stdout, r.stderr, r.returncode) for r in seen] == [
        (b"a", b"", 0), (b"b", b"e", 1), (b"b", b"e", 2), (b"b", b"e", 2),
    ]  # fmt: skip


def test_delay_holds_the_output_back(env):
    env.stub_command("ping", delay=0.3)
    start = time.monotonic()
    run("ping")
    assert time.monotonic() - start >= 0.3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGPIPE])
def test_it_dies_by_the_signal(env, number):
    env.stub_command("ping", stdout="last words", signal=[None, number])
    assert run("ping").returncode == 0
    result = run("ping")
    assert (result.returncode, result.stdout) == (-number, b"last words")


def dumps_core(command, folder):
    """Run a command with unlimited core files, and say whether it left one."""
    script = f'cd "$1" && ulimit -c unlimited && exec {command}'
    arguments = ["sh", "-c", script, "sh", str(folder)]
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    pid = os.posix_spawn("/bin/sh", arguments, os.environ, file_actions=actions)
    status = os.waitpid(pid, 0)[1]
    assert os.waitstatus_to_exitcode(status) == -signal.SIGSEGV
    return os.WCOREDUMP(status)


def test_a_crash_on_purpose_leaves_no_core(env, tmp_path):
    env.stub_command("ping", signal=signal.SIGSEGV)
    if not dumps_core("sh -c 'kill -s SEGV $$'", tmp_path):
        pytest.skip("needs a machine that writes core files")
    assert not dumps_core("ping", tmp_path)


def test_an_ignored_signal_still_ends_it(env):
    env.stub_command("ping", signal=signal.SIGTERM)
    result = run("sh", "-c", "trap '' TERM; ping; echo $?")
    assert result.stdout == b"143\n"


def test_a_script_gets_the_real_arguments_input_and_environment(env):
    stub = env.stub_command("tool", stdout="head\n", script='cat; echo "$0:$1:$#:$WHO"; exit 9')
    result = run("tool", "a b", "", input=b"in\n", env={"PATH": env["PATH"], "WHO": "me"})
    assert (result.stdout, result.returncode) == (b"head\nin\ntool:a b:2:me\n", 9)
    assert stub.calls[0].stdin == b"in\n"


def test_a_script_dies_like_any_program(env):
    env.stub_command("tool", script="yes | head -n 1; kill -s INT $$")
    result = run("tool")
    assert (result.returncode, result.stdout, result.stderr) == (-signal.SIGINT, b"y\n", b"")


def test_a_reader_who_leaves_ends_it_quietly(env):
    env.stub_command("flood", stdout=b"x" * 1_000_000)
    with subprocess.Popen(
        ["flood"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == -signal.SIGPIPE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_can_be_stopped_while_it_waits(env, number):
    ping = env.stub_command("ping", delay=LIMIT)
    with subprocess.Popen(["ping"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        ping.wait_for_calls()
        process.send_signal(number)
        assert process.stderr.read() == b""
    assert process.returncode == -number


def test_writing_to_a_full_pipe_that_does_not_block_waits_for_room(monkeypatch):
    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        filled = os.write(writer, b"x" * 10_000_000)
        waited = []

        def make_room(*descriptors):
            waited.append(descriptors)
            os.read(reader, filled)

        monkeypatch.setattr("select.select", make_room)
        write_all(writer, b"y" * 10)
        assert os.read(reader, 100) == b"y" * 10
        assert waited == [([], [writer], [])]
    finally:
        os.close(reader)
        os.close(writer)


def test_stubbing_again_replaces_the_part_and_starts_a_new_record(env):
    first = env.stub_command("ping", exit_code=1)
    assert run("ping", "1").returncode == 1
    second = env.stub_command("ping", exit_code=2)
    assert run("ping", "2").returncode == 2
    assert [call.argv[1] for call in first.calls] == ["1"]
    assert [call.argv[1] for call in second.calls] == ["2"]


def test_odd_names_are_fine(env):
    for name in ("with blank", "ünï", "new\nline", "-dash", "x" * 255):
        stub = env.stub_command(name, exit_code=5)
        assert run(name).returncode == 5
        assert stub.calls[0].argv == [name]


def test_an_interpreter_with_blanks_or_a_long_path_is_reached_through_a_shell(env):
    ping = env.stub_command("ping", exit_code=6)
    text = ping.path.read_text()
    settings = eval(text[text.rindex("main(**") + 7 : text.rindex(")")])
    for folder in ('it\'s a "folder"', "x" * 250):
        (env.home / folder).mkdir()
        python = env.home / folder / "python"
        python.symlink_to(os.path.realpath(sys.executable))
        program = env.home / "program"
        create_file(str(program), 0o700, render(settings, str(python)))
        assert run(program, "a b", "").returncode == 6
        assert ping.calls[-1].argv == ["ping", "a b", ""]
        program.unlink()


def test_stubs_live_in_directories_with_blanks(monkeypatch, tmp_path):
    (tmp_path / "a b").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a b"))
    with FakeEnv() as env:
        ping = env.stub_command("ping")
        assert run("sh", "-c", "ping x").returncode == 0
        assert ping.calls[0].argv == ["ping", "x"]


def test_nobody_else_may_read_a_stub(env):
    ping = env.stub_command("ping")
    others = stat.S_IRWXG | stat.S_IRWXO
    expected = 0o055 if os.geteuid() == 0 else 0
    assert ping.path.stat().st_mode & others == expected
    assert env.home.stat().st_mode & others == 0


# Waiting


def test_waiting_ends_with_the_calls(env):
    ping = env.stub_command("ping")
    with subprocess.Popen(["sh", "-c", "ping 1; ping 2"], stdin=subprocess.DEVNULL):
        calls = ping.wait_for_calls(2, timeout=LIMIT)
    assert [call.argv[1] for call in calls] == ["1", "2"]


def test_waiting_lasts_until_stdin_was_read(env):
    ping = env.stub_command("ping", stdin_patience=LIMIT)
    with subprocess.Popen(["ping"], stdin=subprocess.PIPE) as process:
        end = time.monotonic() + LIMIT
        while not ping.calls and time.monotonic() < end:
            time.sleep(0.01)
        with pytest.raises(TimeoutError, match=r"called 1 of 1 times .*\n  ping  \(reading\)"):
            ping.wait_for_calls(timeout=0)
        process.communicate(b"at last")
        assert ping.wait_for_calls(timeout=LIMIT)[0].stdin == b"at last"


def test_waiting_in_vain_says_what_there_was(env):
    ping = env.stub_command("ping")
    run("ping", "a b")
    with pytest.raises(
        TimeoutError, match=r"'ping' was called 1 of 2 times within 0.05 s\n  ping 'a b'"
    ):
        ping.wait_for_calls(2, timeout=0.05)


# Other commands


def test_forbidden_commands_are_guarded_recorded_and_reported():
    with pytest.raises(UnexpectedCommand) as caught, FakeEnv() as env:
        env.stub_command("ping")
        env.forbid_others()
        assert run("ping").returncode == 0
        assert run("/bin/sh", "-c", "cat x; ls").returncode == 127
        result = run("cat", "a b")
        assert result.returncode == 127
        assert result.stderr.startswith(b"cat: this command is not stubbed")
        assert [call.argv for call in env.unexpected_calls] == [
            ["cat", "x"],
            ["ls"],
            ["cat", "a b"],
        ]
    message = str(caught.value)
    assert message.startswith("3 calls of commands that are not stubbed:\n  cat x  (in ")
    assert "stubbed: 'ping'; stub 'cat', 'ls' too" in message


def test_a_command_that_nobody_has_is_not_found_as_ever(env):
    env.forbid_others()
    with pytest.raises(FileNotFoundError, match="no-such-command"):
        run("no-such-command")
    assert run("/bin/sh", "-c", "no-such-command").returncode == 127


def test_allowed_commands_run_and_later_stubs_win(env):
    env.forbid_others(allow=["cat", "sh"])
    assert run("sh", "-c", "cat", input=b"x").stdout == b"x"
    ls = env.stub_command("ls", stdout="mine")
    assert run("ls").stdout == b"mine"
    assert len(ls.calls) == 1
    assert env.unexpected_calls == []


def test_a_failing_block_keeps_its_own_error():
    with pytest.raises(ZeroDivisionError), FakeEnv() as env:
        env.forbid_others()
        run("ls")
        _ = 1 / 0


def test_allowing_what_is_not_there_is_refused(env):
    with pytest.raises(
        FileNotFoundError, match="allow names 'no-such-command', which is not on PATH"
    ):
        env.forbid_others(allow=["cat", "no-such-command"])
    with pytest.raises(TypeError, match="allow takes names of commands, such as"):
        env.forbid_others(allow="cat")
    assert list(env.bin.iterdir()) == []


# Bad input


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/bin/ls", "a\0b"])
def test_names_that_path_cannot_find_are_refused(env, name):
    with pytest.raises(ValueError, match="a command is found on PATH by a plain name"):
        env.stub_command(name)
    assert list(env.bin.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"stdout": 3}, TypeError, r"stub_command\('ping'\): stdout is 3; it takes text or bytes"),
        ({"stderr": ["a", None]}, TypeError, r"stderr\[1\] is None"),
        ({"stdout": []}, ValueError, "stdout: an empty sequence"),
        ({"exit_code": "1"}, TypeError, "exit_code is '1'; it takes a number from 0 to 255"),
        ({"exit_code": True}, TypeError, "exit_code is True"),
        ({"exit_code": [0, 256]}, ValueError, r"exit_code\[1\] is 256; .*for death by a signal"),
        ({"exit_code": -9}, ValueError, "exit_code is -9"),
        ({"delay": -1}, ValueError, "delay is -1; it takes seconds, 0 or more"),
        ({"delay": float("nan")}, ValueError, "delay is nan"),
        ({"delay": "1"}, TypeError, "delay is '1'; it takes seconds as a number"),
        ({"signal": 999}, ValueError, "signal is 999; it takes a signal such as"),
        ({"signal": "TERM"}, ValueError, "signal is 'TERM'"),
        ({"script": print}, TypeError, "script is .*; it takes the text of an sh script"),
        ({"script": "a\0"}, ValueError, "script holds a NUL"),
        ({"script": "x", "exit_code": 1}, ValueError, "a script ends with its own status"),
        ({"script": "x", "signal": 9}, ValueError, "a script ends with its own status"),
        ({"stdin_patience": -1}, ValueError, "stdin_patience is -1"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(env, arguments, error, message):
    with pytest.raises(error, match=message):
        env.stub_command("ping", **arguments)
    assert list(env.bin.iterdir()) == []


def test_a_name_that_is_no_text_is_refused(env):
    with pytest.raises(TypeError, match="the name of a command as text, not b'ping'"):
        env.stub_command(b"ping")


def test_a_machine_without_a_shell_is_told_so(env, monkeypatch):
    monkeypatch.setattr(
        "pytest_syskit.tools.environment.stub_plan.system_path", lambda: "/nonexistent"
    )
    with pytest.raises(NotImplementedError, match="found no sh on '/nonexistent'"):
        env.stub_command("ping")
    monkeypatch.undo()
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(NotImplementedError, match=r"sys\.executable, which is empty"):
        env.stub_command("ping")


def test_the_rendered_program_needs_no_package():
    plan = make_plan(
        "x", stdout="", stderr="", exit_code=0, delay=0, signal=None, script=None, stdin_patience=1
    )
    text = render({"stub": 1, "script": plan.script}).decode()
    assert "pytest_syskit" not in text
    assert Path(text.splitlines()[0][2:].rsplit(" ", 1)[0]) == Path(sys.executable)

"""What survives an exec, and what does not (exercise A15)."""
# ruff: noqa: ANN202  # what is run in children never returns

from __future__ import annotations

import atexit
import os
import signal
import sys

import exec_replaces as module
import pytest
from exec_replaces import replace_process

from pytest_syskit import Executable, Exited, Raised

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]
SIGNALS = "import signal as s; print(s.getsignal(s.SIGUSR1), s.getsignal(s.SIGUSR2))"


def test_the_pid_survives(fork_runner):
    with fork_runner.start(replace_process, ["sh", "-c", "echo $$"]) as child:
        result = child.wait()
    assert (result, result.stdout) == (Exited(0), f"{child.pid}\n")


def test_the_status_is_the_programs(fork_runner):
    assert fork_runner.run(replace_process, ["sh", "-c", "exit 7"]) == Exited(7)


def test_the_program_is_found_on_path(fork_runner, fake_env):
    hello = fake_env.stub_command("hello", stdout="hi\n")
    result = fork_runner.run(replace_process, ["hello", "two words", ""])
    assert (result, result.stdout) == (Exited(0), "hi\n")
    assert hello.calls[0].argv == ["hello", "two words", ""]


def test_the_name_comes_first_and_may_be_another_than_the_programs(fork_runner):
    def as_other():
        replace_process(["other name", "-c", "echo $0"], program="sh")

    assert fork_runner.run(as_other).stdout == "other name\n"


def test_an_empty_argv_is_refused(fork_runner):
    with pytest.raises(ValueError, match="argv is empty: a program sees its own name"):
        replace_process([])


def test_a_missing_program_is_named_and_the_process_goes_on(fake_env):
    fake_env.set("PATH", fake_env.path)
    with pytest.raises(FileNotFoundError, match=r"2\] no such program on PATH: 'no-such'"):
        replace_process(["no-such"])


def test_what_cannot_be_run_is_an_error_and_changes_no_descriptor(temp_workspace, fork_runner):
    script = temp_workspace / "bad"
    script.write_bytes(b"\x00\x01")
    script.chmod(0o755)

    def fail_and_look():
        reader, writer = os.pipe()
        try:
            replace_process([str(script)], keep_fds=[reader])
        except OSError as error:
            return type(error).__name__, os.get_inheritable(reader)
        finally:
            os.close(reader)
            os.close(writer)

    assert fork_runner.run(fail_and_look).value == ("OSError", False)


READ_TWO = """
import os, sys
for fd in map(int, sys.argv[1:]):
    try:
        print(os.read(fd, 100).decode())
    except OSError as error:
        print(error.strerror)
"""


def test_kept_descriptors_survive_and_others_do_not(fork_runner):
    def keep_one():
        kept, writer = os.pipe()
        lost, _ = os.pipe()
        os.write(writer, b"through the pipe")
        replace_process([sys.executable, "-c", READ_TWO, str(kept), str(lost)], keep_fds=[kept])

    assert fork_runner.run(keep_one).stdout == "through the pipe\nBad file descriptor\n"


def test_ignored_signals_survive_and_handlers_do_not(fork_runner):
    def set_both():
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, lambda *_: None)
        replace_process([sys.executable, "-c", SIGNALS])

    words = fork_runner.run(set_both).stdout.split()
    assert words == [str(signal.SIG_IGN), str(signal.SIG_DFL)]


def test_exit_functions_and_finally_blocks_do_not_run(fork_runner):
    def with_farewells():
        atexit.register(os.write, 1, b"atexit\n")
        try:
            replace_process(["sh", "-c", "echo replaced"])
        finally:
            os.write(1, b"finally\n")

    assert fork_runner.run(with_farewells).stdout == "replaced\n"


@pytest.mark.parametrize(
    ("call", "shown"),
    [("os.execvp('sh', argv)", "after\n"), ("replace_process(argv)", "before after\n")],
    ids=["bare", "ours"],
)
def test_buffered_output_would_be_lost_and_is_flushed(process_factory, call, shown):
    program = (
        f"import os, sys; sys.path.insert(0, {os.path.dirname(module.__file__)!r})\n"
        "from exec_replaces import replace_process\n"
        "argv = ['sh', '-c', 'echo after']; print('before', end=' ')\n"
        "sys.stderr.write('also on stderr')\n"
        f"{call}"
    )
    started = process_factory([sys.executable, "-c", program], extra_env={"PYTHONUNBUFFERED": ""})
    assert started.wait() == 0
    assert started.stdout == shown
    assert started.stderr == ("also on stderr" if "before" in shown else "")


def test_the_environment_is_the_one_given(fork_runner):
    def with_environment():
        env = {"PATH": os.defpath, "GREETING": "hello"}
        replace_process(["sh", "-c", "echo $GREETING ${HOME-no home}"], env=env)

    result = fork_runner.run(with_environment)
    assert not isinstance(result, Raised)
    assert result.stdout == "hello no home\n"


def test_the_program_is_found_on_the_path_of_the_environment_given(fork_runner, temp_workspace):
    temp_workspace.populate({"only-there": Executable("echo found")})

    def with_another_path():
        replace_process(["only-there"], env={"PATH": f"{temp_workspace}:{os.defpath}"})

    result = fork_runner.run(with_another_path)
    assert (result, result.stdout) == (Exited(0), "found\n")

"""Each form passes on the words it is said to (exercise C4).

What is passed on is seen twice: by an audit hook, in a forked child, for there is no way to remove
one, and by a stand-in program that records its arguments.
"""

from __future__ import annotations

import subprocess
import sys

import command_forms as module
import pytest
from command_forms import exec_words, popen_lines, popen_read, run, run_in_shell
from wait_status import ChildStatus

pytestmark = [pytest.mark.posix_only, pytest.mark.requires("fork")]

LINE, WORDS = "tell one two", ["tell", "one", "two"]


@pytest.fixture
def tell(fake_env):
    """Have a program that records its arguments and echoes nothing but a line."""
    return fake_env.stub_command("tell", stdout="told\n", stdin_patience=None)


def audited(call) -> list[list[str]]:
    """Return the words of each program that a call starts."""
    words = []

    def listen(event, arguments) -> None:
        if event == "subprocess.Popen":
            words.append([str(word) for word in arguments[1]])
        elif event == "os.system":
            words.append([module.SHELL, "-c", arguments[0].decode()])  # what system(3) promises

    sys.addaudithook(listen)
    call()
    return words


FORMS = [
    pytest.param(lambda: run_in_shell(LINE), LINE, True, id="system"),
    pytest.param(lambda: popen_read(LINE), LINE, True, id="popen-read"),
    pytest.param(lambda: popen_lines(LINE), LINE, True, id="popen-readlines"),
    pytest.param(lambda: run(LINE, shell=True), LINE, True, id="run-string-shell"),
    pytest.param(lambda: run(WORDS), WORDS, False, id="run-list"),
    pytest.param(lambda: run(WORDS, shell=True), WORDS, True, id="run-list-shell"),
]


@pytest.mark.parametrize(("call", "command", "shell"), FORMS)
def test_the_words_are_those_that_are_passed_on(fork_runner, tell, call, command, shell):
    assert fork_runner.run(audited, call).unwrap() == [exec_words(command, shell=shell)]


@pytest.mark.parametrize(("call", "command", "shell"), FORMS[:-1])
def test_the_program_gets_its_arguments_one_by_one(fork_runner, tell, call, command, shell):
    fork_runner.run(call).unwrap()
    assert [each.argv for each in tell.calls] == [WORDS]


def test_a_list_with_a_shell_loses_the_arguments(tell):
    assert run(WORDS, shell=True) == "told\n"
    assert tell.calls[0].argv == ["tell"]


def test_a_string_without_a_shell_is_the_name_of_a_program(tell):
    assert exec_words(LINE) == [LINE]
    with pytest.raises(FileNotFoundError, match=LINE):
        run(LINE)
    assert tell.calls == []


def test_read_gives_one_text_and_readlines_lines_with_their_ends(fork_runner):
    command = "printf 'one\ntwo'"
    assert fork_runner.run(popen_read, command).unwrap() == ("one\ntwo", ChildStatus(exit_code=0))
    assert fork_runner.run(popen_lines, command).unwrap()[0] == ["one\n", "two"]


@pytest.mark.parametrize("popen", [popen_read, popen_lines])
def test_a_failure_after_the_output_is_not_forgotten(fork_runner, popen):
    output, status = fork_runner.run(popen, "echo half; exit 3").unwrap()
    assert "".join(output) == "half\n"
    assert status == ChildStatus(exit_code=3)


@pytest.mark.parametrize("shell", [False, True])
def test_a_command_that_fails_is_an_error(tell, fake_env, shell):
    fake_env.stub_command("tell", exit_code=4)
    with pytest.raises(subprocess.CalledProcessError, match="exit status 4"):
        run(["tell"], shell=shell)


def test_only_a_shell_expands(fake_env):
    fake_env.set("PLACE", "here; echo and now")
    assert run("echo $PLACE", shell=True) == "here; echo and now\n"
    assert run(["echo", "$PLACE"]) == "$PLACE\n"


def test_no_form_leaves_anything_behind(tell, leak_check):
    with leak_check():
        popen_read(LINE)
        popen_lines(LINE)
        run(WORDS)


def test_the_script_shows_all_forms(fake_env):
    done = subprocess.run(
        [sys.executable, module.__file__], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    sh = "'/bin/sh', '-c', "
    assert done.stdout.splitlines() == [
        f"os.system, [{sh}'echo one two']:",
        "one two",
        "it exited with status 0",
        f"os.popen, [{sh}'echo one two']:",
        "read 'one two\\n', readlines ['one two\\n']",
        f"subprocess.run, shell=True, [{sh}'echo one two']:",
        "'one two\\n'",
        "subprocess.run, ['echo', 'one', 'two']:",
        "'one two\\n'",
        "subprocess.run, ['echo one two']:",
        "'echo one two': No such file or directory",
        f"subprocess.run, shell=True, [{sh}'echo', 'one', 'two']:",
        "'\\n'",
    ]

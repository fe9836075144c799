"""Long conversations with a real Python and a real shell: turns, limits, dead peers."""

from __future__ import annotations

import os
import signal

import pytest
from conversation import PYTHON, SHELL, Conversation, Dialect, NoReply, PeerGone

pytestmark = pytest.mark.posix_only


@pytest.fixture
def python():
    with Conversation(PYTHON) as conversation:
        yield conversation


@pytest.fixture
def shell():
    with Conversation(SHELL) as conversation:
        yield conversation


@pytest.fixture(params=[PYTHON, SHELL], ids=["python", "shell"])
def either(request):
    with Conversation(request.param) as conversation:
        yield conversation


def test_python_remembers_over_many_turns(python):
    python.ask("total = 0")
    for number in range(200):
        assert python.ask(f"total += {number}; print('turn', {number})") == f"turn {number}\n"
    assert python.ask("total") == "19900\n"


def test_the_shell_remembers_over_many_turns(shell):
    shell.ask("n=0")
    for number in range(1, 201):
        assert shell.ask("n=$((n + 1)); echo turn $n") == f"turn {number}\n"
    assert shell.ask("cd / && pwd") == "/\n"
    assert shell.ask("pwd") == "/\n"
    shell.ask("false")
    assert shell.ask("echo $?") == "1\n"


def test_a_reply_may_be_empty_or_long(python):
    assert python.ask("pass") == ""
    assert python.ask("print('x' * 1_000_000)", timeout=30) == "x" * 1_000_000 + "\n"


def test_errors_are_a_reply_like_any_other(python):
    assert "ZeroDivisionError: division by zero" in python.ask("1 / 0")
    assert python.ask("6 * 7") == "42\n"


def test_several_lines_are_one_question(python, shell):
    assert python.ask("def double(x):\n    return 2 * x\n\ndouble(21)\ndouble(4)") == "42\n8\n"
    assert python.ask("double(1)") == "2\n"
    assert shell.ask("for word in a b; do\necho $word\ndone\necho c") == "a\nb\nc\n"
    assert shell.ask("echo d") == "d\n"


def test_a_reply_that_looks_like_a_prompt_is_still_a_reply(python):
    assert python.ask("print('>>> ... $ ')") == ">>> ... $ \n"


def test_error_output_is_a_part_of_the_reply(shell):
    assert shell.ask("echo out; echo err >&2") == "out\nerr\n"


def test_bytes_that_are_no_text_show_as_escapes(shell):
    assert shell.ask(r"printf 'a\377b'") == r"a\xffb"


def test_a_question_longer_than_a_pipe_holds(python):
    assert python.ask(f"len('{'x' * 300_000}')", timeout=30) == "300000\n"


@pytest.mark.signal_timeout(30)
def test_one_that_talks_while_it_is_spoken_to_blocks_nobody(shell):
    line = "echo " + "x" * 1000 + "\n"
    # both directions hold more than their pipes
    assert shell.ask(line * 500, timeout=20) == ("x" * 1000 + "\n") * 500


def test_a_late_reply_does_not_pass_for_the_next_one(either):
    slow = {
        PYTHON.argv: "import time; time.sleep(0.6); print('slow')",
        SHELL.argv: "sleep 0.6; echo slow",
    }[either._dialect.argv]  # noqa: SLF001  # the test's own parameter
    with pytest.raises(NoReply, match=r"did not finish its reply within 0\.2 s") as caught:
        either.ask(slow, timeout=0.2)
    assert caught.value.said == ""
    with pytest.raises(RuntimeError, match="catch_up"):
        either.ask("another")
    assert either.catch_up() == "slow\n"
    assert either.ask("echo = 5; print(echo)" if "print" in slow else "echo 5") == "5\n"


def test_what_there_was_of_a_reply_is_told(shell):
    with pytest.raises(NoReply, match="so far: 'begun") as caught:
        shell.ask("echo begun; sleep 600", timeout=0.3)
    assert caught.value.said == "begun\n"
    shell.interrupt()


def test_an_endless_python_is_interrupted_and_goes_on(python):
    python.ask("kept = 1")
    with pytest.raises(NoReply):
        python.ask("exec('while True: pass')", timeout=0.3)
    assert "KeyboardInterrupt" in python.interrupt()
    assert python.ask("kept") == "1\n"


def test_an_idle_python_survives_an_interrupt_in_step(python):
    for number in range(20):
        python.interrupt()
        assert python.ask(f"{number} + 1") == f"{number + 1}\n"


def test_a_hanging_command_of_the_shell_is_interrupted(shell):
    with pytest.raises(NoReply):
        shell.ask("sleep 600", timeout=0.3)
    shell.interrupt()
    assert shell.ask("echo still here") == "still here\n"


def test_a_peer_that_does_not_read_is_told_apart():
    deaf = Dialect(("sh", "-c", 'read -r set; echo "${set#set }"; sleep 600'), "set {}", "{}")
    with Conversation(deaf) as conversation:
        with pytest.raises(NoReply, match=r"sh did not read its input within 0\.3 s"):
            conversation.ask("x" * 200_000, timeout=0.3)
        conversation.close(grace=0.1)


def test_a_question_that_was_cut_off_half_way_is_said_to_its_end(shell):
    words = [f"{number:0100}" for number in range(2000)]
    question = "sleep 0.5\n" + "\n".join(f"echo {word}" for word in words)
    with pytest.raises(NoReply, match="did not read its input"):
        shell.ask(question, timeout=0.2)
    assert shell.catch_up(timeout=30).split() == words
    assert shell.ask("echo in step") == "in step\n"


def test_nobody_is_interrupted_in_place_of_a_peer_that_is_gone(python):
    with pytest.raises(PeerGone):
        python.ask("raise SystemExit")
    with pytest.raises(PeerGone, match="status 0"):
        python.interrupt()


def test_a_peer_that_leaves_says_how_and_what_it_said_last(python):
    with pytest.raises(PeerGone, match="has ended with status 3; it said 'bye") as caught:
        python.ask("print('bye'); import os; os._exit(3)")
    assert (caught.value.status, caught.value.said) == (3, "bye\n")


def test_a_peer_that_is_killed_is_noticed_at_the_next_question(either):
    os.kill(either.pid, signal.SIGKILL)
    for _ in range(2):  # and at every further one
        with pytest.raises(PeerGone) as caught:
            either.ask("echo", timeout=10)
        assert caught.value.status == -signal.SIGKILL


def test_a_peer_whose_child_holds_the_output_counts_as_gone(shell, leak_check):
    with leak_check(), Conversation(SHELL) as conversation, pytest.raises(PeerGone):
        conversation.ask("sleep 600 & exit 4", timeout=0.5)


def test_a_program_that_never_becomes_ready_leaves_nothing(leak_check):
    mute = Dialect(("sleep", "600"), "{}", "{}")
    with leak_check(), pytest.raises(NoReply, match="sleep did not finish"):
        Conversation(mute, timeout=0.3)


def test_a_program_that_ends_at_once_leaves_nothing(leak_check):
    with leak_check(), pytest.raises(PeerGone, match="status 0"):
        Conversation(Dialect(("true",), "{}", "{}"))


def test_the_end_of_its_input_ends_it(either, leak_check):
    assert either.close() == 0
    assert either.close() == 0


def test_one_that_does_not_want_to_go_is_ended(leak_check):
    with leak_check():
        conversation = Conversation(SHELL)
        with pytest.raises(NoReply):
            conversation.ask("trap '' TERM; sleep 600", timeout=0.3)
        assert conversation.close(grace=0.1) == -signal.SIGKILL


def test_an_exception_in_the_block_leaves_nothing(leak_check):
    with leak_check(), pytest.raises(ZeroDivisionError), Conversation(SHELL) as conversation:
        _ = 1 / len(conversation.ask("sleep 600 > /dev/null 2>&1 &")[:0])


def test_it_runs_where_and_with_what_it_is_told(temp_workspace):
    environment = {**os.environ, "COLOUR": "blue"}
    with Conversation(SHELL, env=environment, cwd=temp_workspace.path) as conversation:
        assert conversation.ask('echo "$COLOUR"; pwd -P') == f"blue\n{temp_workspace.path}\n"

"""The autopsy names the culprit: thread, task, child, and who holds the other end."""

import asyncio
import os
import subprocess
import sys
import threading
import time

import pytest

from pytest_syskit.host import capabilities
from pytest_syskit.host.processes import proc
from pytest_syskit.host.processes.process_tree import end_tree
from pytest_syskit.host.signals.timers import timer_clock
from pytest_syskit.tools.timeouts.autopsy import autopsy, process_lines
from pytest_syskit.tools.timeouts.time_limit import TimeLimit
from pytest_syskit.tools.timeouts.timeout_shot import shots_in

linux = pytest.mark.skipif(capabilities.missing("proc") is not None, reason="needs /proc")
pytestmark = pytest.mark.skipif(
    capabilities.missing("alarm") is not None, reason="needs interval timers"
)


def autopsy_of(hang):
    """Let a function hang, and return what the autopsy says of it."""
    texts = []
    limit = TimeLimit(timer_clock("real"), 0.2, observe=lambda: texts.append(autopsy()))
    limit.arm(sys._getframe())
    try:
        hang()
    except BaseException as error:
        if not list(shots_in(error)):
            raise
    finally:
        limit.disarm()
    return texts[0]


def test_the_main_thread_comes_first_with_its_stack():
    def inner():
        time.sleep(20)

    text = autopsy_of(inner)
    assert text.startswith("thread MainThread")
    assert f"{__file__}:" in text
    assert "in inner: time.sleep(20)" in text


@linux
@pytest.mark.parametrize("backwards", [False, True], ids=["younger", "pids-wrapped-around"])
def test_the_holder_of_the_write_end_is_named(monkeypatch, backwards):
    pids = proc.all_pids
    monkeypatch.setattr(proc, "all_pids", lambda: sorted(pids(), reverse=backwards))
    reader, writer = os.pipe()
    try:
        with subprocess.Popen(["sleep", "30"], pass_fds=[writer]) as child:
            try:
                text = autopsy_of(lambda: os.read(reader, 1))
            finally:
                child.kill()
    finally:
        os.close(reader)
        os.close(writer)
    assert f"thread MainThread waits to read from fd {reader} (pipe:[" in text
    assert f"is open in this process as fd {writer}, in pid {child.pid} sleep as fd" in text


@linux
def test_a_pipe_that_nobody_writes_to_is_told(tmp_path):
    os.mkfifo(tmp_path / "lonely")
    text = autopsy_of(lambda: os.open(tmp_path / "lonely", os.O_RDONLY))
    assert f"nobody that we can see holds the write end of {tmp_path}/lonely" in text


def test_other_threads_are_shown_with_what_they_do():
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="the-other-one", daemon=True)
    thread.start()
    try:
        text = autopsy_of(thread.join)
    finally:
        done.set()
        thread.join()
    assert "thread the-other-one" in text
    assert "in wait: signaled = self._cond.wait(timeout)" in text


def test_asyncio_tasks_are_shown_where_they_wait():
    async def inner():
        await asyncio.sleep(20)

    async def outer():
        await inner()

    async def main():
        await asyncio.gather(outer(), inner())

    text = autopsy_of(lambda: asyncio.run(main()))
    assert "asyncio: 3 tasks not done" in text
    assert "in outer: await inner()" in text
    assert "in inner: await asyncio.sleep(20)" in text


def test_children_are_a_tree_with_states():
    script = "import os, time; os.fork() and os.fork(); time.sleep(30)"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as child:
        try:
            text = autopsy_of(lambda: time.sleep(20))
        finally:
            end_tree([child.pid], 0)
    assert f"  pid {child.pid} " in text
    assert "import os, time; os.fork() and os.fork(); time.sleep(30)" in text


def test_a_child_that_nobody_waited_for_is_called_so():
    child = subprocess.Popen(["true"])
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert list(process_lines(child.pid)) == [
            f"  pid {child.pid} zombie: ended, but nobody has waited for it: true"
        ]
    finally:
        child.wait()


@linux
def test_a_child_waiting_for_us_is_shown_with_our_end():
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        ours = child.stdin.fileno()
        give_up = time.monotonic() + 20
        while "waits to read" not in (text := "\n".join(process_lines(child.pid))):
            assert time.monotonic() < give_up, text
    assert f"is open in this process as fd {ours}" in text


def test_long_stacks_and_command_lines_are_cut():
    def down(depth):
        if depth:
            down(depth - 1)
        else:
            time.sleep(20)

    assert "  … and more, farther out" in autopsy_of(lambda: down(50))
    script = "print(flush=True); input()" + "#" * 500
    with subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1) as child:
        child.stdout.readline()
        line = next(process_lines(child.pid))
        child.stdin.write(b"\n")
    assert line.endswith("…")
    assert len(line) < 250


def test_a_process_that_is_gone_has_no_lines():
    child = subprocess.Popen(["true"])
    child.wait()
    assert list(process_lines(child.pid)) == []

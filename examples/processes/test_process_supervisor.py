"""The supervisor against children that crash, ignore TERM, fork, flood, and race it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import command_group
import psutil
import pytest
import supervised_program
from command_group import new_mark
from process_supervisor import Supervisor
from supervised_program import Program, RestartPolicy, Supervised

pytestmark = pytest.mark.posix_only

SLEEPER = ["sleep", "600"]
DAEMON = """
import os
if os.fork():
    os.wait()
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
os.execvp("sleep", ["sleep", "600"])
"""
NEVER = RestartPolicy(limit=0)
AT_ONCE = RestartPolicy(limit=3, first_pause=0)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def supervisor(leak_check):
    with leak_check(), Supervisor() as supervisor:
        yield supervisor


def until(question, seconds=10):
    """Wait until a question is answered by something true, and return that."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
    return answer


def supervised(argv, *, restart=NEVER, clock=time.monotonic, log=None, grace=5.0):
    """Make one program without a watcher: the test attends to it by hand."""
    return Supervised(
        "one", Program(argv, log=log, grace=grace, restart=restart), new_mark(), clock
    )


def attend_until_ended(one):
    """Attend until the process of now has ended."""
    process = one._process  # noqa: SLF001  # only its end is waited for
    if process is not None:  # a look at the status may have seen its end before
        until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
    one.attend()


def lines_of(path, count):
    """Wait until a file has so many lines, and return them."""
    until(lambda: path.exists() and path.read_text().count("\n") >= count)
    return path.read_text().splitlines()


# The life of a program:


def test_start_status_list_stop(supervisor):
    first = supervisor.start("b", Program(SLEEPER))
    supervisor.start("a", Program(SLEEPER))
    assert (first.state, first.restarts, first.exit_status) == ("running", 0, None)
    assert psutil.Process(first.pid).cmdline() == SLEEPER
    assert [each.name for each in supervisor.list()] == ["a", "b"]
    stopped = supervisor.stop("b")
    assert (stopped.state, stopped.pid, stopped.exit_status) == ("stopped", None, -signal.SIGTERM)
    assert not psutil.pid_exists(first.pid)
    assert supervisor.status("a").state == "running"


def test_a_program_that_runs_is_not_started_twice(supervisor):
    first = supervisor.start("a", Program(SLEEPER))
    assert supervisor.start("a").pid == first.pid
    assert supervisor.stop("a") == supervisor.stop("a")


def test_the_count_of_restarts_is_kept(supervisor):
    pids = {supervisor.start("a", Program(SLEEPER)).pid}
    for count in (1, 2, 3):
        status = supervisor.restart("a")
        assert (status.state, status.restarts) == ("running", count)
        pids.add(status.pid)
    supervisor.stop("a")
    assert supervisor.start("a").restarts == 4
    assert len(pids) == 4


def test_a_program_that_ends_well_is_finished(supervisor):
    supervisor.start("a", Program(["true"], restart=AT_ONCE))
    until(lambda: supervisor.status("a").state == "finished")
    assert supervisor.status("a").exit_status == 0
    assert supervisor.status("a").restarts == 0


@pytest.mark.parametrize("call", ["stop", "status", "restart", "start"])
def test_an_unknown_name_is_an_error_that_names_the_known(supervisor, call):
    supervisor.start("web", Program(["true"]))
    with pytest.raises(KeyError, match=r"'wbe' is known; known are \['web'\]"):
        getattr(supervisor, call)("wbe")


def test_a_name_has_one_program(supervisor):
    supervisor.start("a", Program(["true"]))
    with pytest.raises(ValueError, match="'a' is the name of another program"):
        supervisor.start("a", Program(["false"]))


@pytest.mark.usefixtures("fake_env")  # PATH may have folders that may not be searched
def test_a_missing_program_is_an_error_and_in_the_status(supervisor):
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        supervisor.start("a", Program(["no-such-program"]))
    status = supervisor.status("a")
    assert (status.state, status.pid) == ("failed", None)
    assert isinstance(status.error, FileNotFoundError)


def test_environment_directory_and_log(supervisor, temp_workspace):
    log = temp_workspace / "log"
    program = Program(
        ["sh", "-c", 'echo "$COLOUR"; pwd -P; echo err >&2'],
        log=log,
        env={"COLOUR": "blue"},
        cwd=temp_workspace.path,
    )
    supervisor.start("a", program)
    assert lines_of(log, 3) == ["blue", str(temp_workspace.path), "err"]
    until(lambda: supervisor.status("a").state == "finished")
    supervisor.start("a")
    assert len(lines_of(log, 6)) == 6  # added, not overwritten


# Crashes:


def test_a_crash_is_followed_by_a_restart(supervisor, temp_workspace):
    log = temp_workspace / "log"
    script = "echo up; while [ ! -e crash ]; do sleep 0.02; done; rm crash; exit 3"
    program = Program(["sh", "-c", script], log=log, cwd=temp_workspace.path, restart=AT_ONCE)
    supervisor.start("a", program)
    for count in (1, 2):
        lines_of(log, count)
        (temp_workspace / "crash").touch()
        until(lambda count=count: supervisor.status("a").restarts == count)
    lines_of(log, 3)
    status = supervisor.status("a")
    assert (status.state, status.restarts, status.exit_status) == ("running", 2, 3)


def test_one_that_dies_at_once_is_given_up_after_the_limit(supervisor, temp_workspace):
    log = temp_workspace / "log"
    program = Program(["sh", "-c", "echo up; exit 3"], log=log, restart=AT_ONCE)
    supervisor.start("a", program)
    until(lambda: supervisor.status("a").state == "failed")
    status = supervisor.status("a")
    assert (status.restarts, status.exit_status, status.pid) == (3, 3, None)
    assert log.read_text() == "up\n" * 4


def test_a_program_killed_by_a_signal_has_crashed():
    one = supervised(["sh", "-c", "kill -SEGV $$"])
    one.start()
    attend_until_ended(one)
    assert (one.status.state, one.status.exit_status) == ("failed", -signal.SIGSEGV)


def test_pauses_double_up_to_the_longest():
    policy = RestartPolicy(first_pause=0.5, longest_pause=3)
    assert [policy.pause(crashes) for crashes in (1, 2, 3, 4, 5, 5000)] == [0.5, 1, 2, 3, 3, 3]


def test_it_waits_for_its_pause_before_each_restart():
    clock = Clock()
    policy = RestartPolicy(limit=2, first_pause=1)
    one = supervised(["false"], restart=policy, clock=clock)
    one.start()
    for pause in (1, 2):
        attend_until_ended(one)
        clock.now += pause - 0.01
        one.attend()
        assert one.status.state == "waiting"
        clock.now += 0.01
        one.attend()
        assert one.status.state in ("running", "waiting", "failed")
        assert one.status.restarts == pause
    if one.status.state == "running":
        attend_until_ended(one)
    assert one.status.state == "failed"


def test_after_steady_running_a_crash_counts_as_the_first_again():
    clock = Clock()
    one = supervised(SLEEPER, restart=RestartPolicy(limit=1, first_pause=0, steady=10), clock=clock)
    one.start()
    for count in (1, 2, 3):
        clock.now += 10
        os.kill(one.status.pid, signal.SIGKILL)
        attend_until_ended(one)
        assert (one.status.state, one.status.restarts) == ("running", count)
    os.kill(one.status.pid, signal.SIGKILL)  # before it ran for long
    attend_until_ended(one)
    assert one.status.state == "failed"


def test_a_program_that_vanished_meanwhile_is_tried_again(temp_workspace):
    tool = temp_workspace / "tool"
    tool.write_text("#!/bin/sh\nexit 3\n")
    tool.chmod(0o755)
    one = supervised([str(tool)], restart=RestartPolicy(limit=5, first_pause=0))
    one.start()
    tool.rename(temp_workspace / "away")
    attend_until_ended(one)
    one.attend()
    status = one.status
    assert (status.state, type(status.error)) == ("waiting", FileNotFoundError)
    one.stop()
    one.attend()
    assert one.status.state == "stopped"


def test_an_end_that_was_asked_for_is_no_crash():
    one = supervised(SLEEPER, restart=AT_ONCE)
    one.start()
    one.ask_to_end()
    attend_until_ended(one)
    assert (one.status.state, one.status.restarts) == ("stopped", 0)
    assert one.stop() == -signal.SIGTERM


# Children that make trouble:


def test_one_that_ignores_term_is_killed_after_the_grace(leak_check):
    with leak_check():
        one = supervised(["sh", "-c", "trap '' TERM; while :; do sleep 60; done"], grace=0.2)
        one.start()
        process = psutil.Process(one.status.pid)
        until(process.children)  # the trap is set
        assert one.stop() == -signal.SIGKILL


def test_the_group_of_a_crashed_leader_is_ended_before_the_restart(temp_workspace, leak_check):
    log = temp_workspace / "log"
    with leak_check():
        one = supervised(["sh", "-c", "sleep 600 & echo $!; exit 3"], log=log, restart=NEVER)
        one.start()
        attend_until_ended(one)
        assert one.status.state == "failed"
        (helper,) = lines_of(log, 1)
        assert not psutil.pid_exists(int(helper)) or (
            psutil.Process(int(helper)).status() == psutil.STATUS_ZOMBIE
        )


@pytest.mark.linux_only(reason="other systems show nobody's environment")
def test_a_daemon_does_not_get_away(leak_check):
    with leak_check(), Supervisor() as supervisor:
        supervisor.start("a", Program([sys.executable, "-c", DAEMON]))
        until(lambda: supervisor.status("a").state == "finished")


@pytest.mark.linux_only(reason="other systems show nobody's environment")
def test_ending_one_program_leaves_the_others_alone(supervisor):
    keeps = supervisor.start("keeps", Program(SLEEPER))
    supervisor.start("goes", Program(SLEEPER))
    supervisor.stop("goes")
    assert supervisor.status("keeps") == keeps


def test_one_that_writes_without_end_is_not_stopped_by_a_full_pipe(supervisor, temp_workspace):
    done = temp_workspace / "done"
    code = f"import os\nfor _ in range(500): os.write(1, b'x' * 4096)\nopen({str(done)!r}, 'x')"
    supervisor.start("nowhere", Program([sys.executable, "-c", code]))
    until(done.exists)


def test_shutdown_ends_all_at_the_same_time(leak_check):
    script = "trap '' TERM; echo up; while :; do sleep 60; done"
    with leak_check():
        with Supervisor() as supervisor:
            for name in "abcd":
                supervisor.start(name, Program(["sh", "-c", script], grace=1.0))
            for each in supervisor.list():
                until(psutil.Process(each.pid).children)
            began = time.monotonic()
        seconds = time.monotonic() - began
        assert all(each.exit_status == -signal.SIGKILL for each in supervisor.list())
        assert 1.0 <= seconds < 3.5  # one grace, not four


def test_shutdown_refuses_further_starts_and_may_be_repeated(leak_check):
    with leak_check():
        with Supervisor() as supervisor:
            supervisor.start("a", Program(SLEEPER))
        supervisor.shutdown()
        for call in (supervisor.start, supervisor.restart):
            with pytest.raises(RuntimeError, match="shutting down"):
                call("a")


# Races:


def test_nothing_is_started_again_while_it_is_being_stopped():
    one = supervised(["false"], restart=RestartPolicy(limit=10**9, first_pause=0))
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.0005):  # often, but not without letting go of the lock
            one.attend()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(20):  # 200 were tried by hand
            one.start()
            one.stop()
            restarts = one.status.restarts
            time.sleep(0)  # the watcher's chance
            assert one.status.state in ("stopped", "failed")
            assert (one.status.pid, one.status.restarts) == (None, restarts)
    finally:
        over.set()
        watcher.join()


def test_ctrl_c_in_the_midst_of_a_start_does_not_lose_the_process(leak_check, monkeypatch):
    def interrupted(*args: object, **options: object) -> object:
        process = command_group.start_group(*args, **options)
        signal.raise_signal(signal.SIGINT)  # before anybody knows the process
        return process

    monkeypatch.setattr(supervised_program, "start_group", interrupted)
    supervisor = Supervisor()
    with leak_check(), pytest.raises(KeyboardInterrupt), supervisor:
        supervisor.start("a", Program(SLEEPER))
    assert supervisor.status("a").exit_status == -signal.SIGTERM


def test_starts_that_race_a_shutdown_leave_nothing(leak_check):
    for _ in range(5):
        with leak_check():
            supervisor = Supervisor()
            begun = threading.Event()

            def start_many(supervisor=supervisor, begun=begun) -> None:
                for number in range(1000):
                    try:
                        supervisor.start(str(number), Program(SLEEPER))
                    except RuntimeError:
                        return
                    begun.set()

            starter = threading.Thread(target=start_many)
            with supervisor:
                starter.start()
                begun.wait(10)
            starter.join()

"""A function in a forked child: the five endings, what comes back, and what must never happen."""

# ruff: noqa: T201  # what is printed in a child is the point here

from __future__ import annotations

import atexit
import ctypes
import functools
import gc
import logging
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings

import pytest

from pytest_syskit.host import libc
from pytest_syskit.host.descriptors import descriptors
from pytest_syskit.host.real import real
from pytest_syskit.tools.forking.fork_leftovers import EscapedChild, LeftDescriptor, LeftProcess
from pytest_syskit.tools.forking.fork_results import (
    Exited,
    Killed,
    NoValue,
    Raised,
    Returned,
    TimedOut,
)
from pytest_syskit.tools.forking.fork_runner import ForkRunner, run_in_fork
from pytest_syskit.tools.forking.remote_errors import RemoteError

SLEEPER = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listing:
        return [int(word) for word in listing.read().split()]


def open_descriptors():
    """Return numbers and targets, without the descriptor that lists them."""
    return {fd: descriptors.link_text(fd) for fd in descriptors.numbers()}


def wait_for_lines(handle, count):
    """Return what a live child has written, as soon as it is so many lines."""
    deadline = time.monotonic() + 30
    while (text := os.pread(handle._channel.stdout, 4096, 0)).count(b"\n") < count:
        assert time.monotonic() < deadline, text
        assert not is_gone(handle.pid), handle.wait()
        time.sleep(0.005)
    return text


def is_gone(pid):
    """Say whether a process has ended; a zombie has."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


@pytest.fixture(autouse=True)
def tidy():
    """Everything a runner uses is given back: descriptors, children, the signal mask."""
    open_before = open_descriptors()
    mask_before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    children_before = children_of(os.getpid())
    yield
    assert open_descriptors() == open_before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask_before
    assert children_of(os.getpid()) == children_before


@pytest.fixture
def subreaper():
    before = libc.is_subreaper()
    libc.set_subreaper(True)
    yield
    libc.set_subreaper(before)


# Endings:


def test_a_value_is_returned():
    assert run_in_fork(divmod, 7, 3) == Returned((2, 1))


def test_the_function_runs_in_another_process():
    assert run_in_fork(os.getpid).unwrap() != os.getpid()


def test_arguments_need_not_be_picklable():
    lock = threading.Lock()
    assert run_in_fork(lambda given: given is lock, lock) == Returned(True)


def test_keyword_arguments_are_bound_by_partial():
    assert run_in_fork(functools.partial(int, "11", base=2)) == Returned(3)


def test_an_exception_is_returned_as_itself():
    result = run_in_fork(int, "x")
    assert isinstance(result, Raised)
    assert type(result.error) is ValueError
    assert "invalid literal" in result.traceback_text


def test_the_traceback_begins_in_the_function():
    def culprit():
        raise LookupError("here")

    lines = run_in_fork(culprit).traceback_text.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert __file__ in lines[1]
    assert lines[-1] == "LookupError: here"


@pytest.mark.parametrize(
    ("argument", "code"),
    [((), 0), ((None,), 0), ((3,), 3), ((True,), 1), ((256,), 0), ((-1,), 255)],
)
def test_sys_exit_ends_with_the_code_a_shell_would_see(argument, code):
    assert run_in_fork(sys.exit, *argument) == Exited(code)


def test_sys_exit_with_text_writes_it_and_ends_with_1():
    result = run_in_fork(sys.exit, "no such host")
    assert result == Exited(1)
    assert result.stderr == "no such host\n"


def test_os_exit_keeps_what_was_printed():
    def leave():
        print("so far", end="")
        print("so bad", end="", file=sys.stderr)
        os._exit(7)

    result = run_in_fork(leave)
    assert (result, result.stdout, result.stderr) == (Exited(7), "so far", "so bad")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1, signal.SIGPIPE])
def test_a_signal_is_named(number):
    def die():
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.pause()

    result = run_in_fork(die)
    assert isinstance(result, Killed)
    assert result.signal is number


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE])
def test_a_crash_shows_the_python_stack_and_dumps_no_core(number):
    def crash_here():
        assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
        os.kill(os.getpid(), number)
        signal.pause()

    result = run_in_fork(crash_here)
    assert result == Killed(number)
    assert "Fatal Python error" in result.stderr
    assert "crash_here" in result.stderr


def test_a_crash_in_c_keeps_its_output():
    def crash():
        os.write(1, b"before")
        ctypes.string_at(0)

    result = run_in_fork(crash)
    assert (result, result.stdout) == (Killed(signal.SIGSEGV), "before")


def test_a_child_that_takes_too_long_is_ended_and_says_where_it_was():
    def hang_here():
        print("waiting")
        time.sleep(600)

    result = run_in_fork(hang_here, timeout=0.2)
    assert result == TimedOut(0.2)
    assert result.stdout == "waiting\n"
    assert "hang_here" in result.stderr
    assert 0.2 <= result.duration < 30
    with pytest.raises(
        TimeoutError, match=r"the child did not end within 0.2 seconds and was ended"
    ):
        result.unwrap()


def test_a_child_that_ignores_sigterm_is_killed():
    def stubborn():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(600)

    assert ForkRunner(timeout=0.2, grace=0.1).run(stubborn) == TimedOut(0.2)


def test_a_result_that_only_the_end_of_the_time_brought_about_is_a_time_out():
    def finish_when_told():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        time.sleep(600)

    assert run_in_fork(finish_when_told, timeout=0.2) == TimedOut(0.2)


def test_a_stopped_child_is_ended():
    result = ForkRunner(timeout=0.2, grace=0.1).run(lambda: os.kill(os.getpid(), signal.SIGSTOP))
    assert result == TimedOut(0.2)


def test_sigterm_lets_the_child_clean_up_before_the_grace_is_over(tmp_path):
    def polite():
        signal.signal(signal.SIGTERM, lambda *_: ((tmp_path / "done").touch(), os._exit(0)))
        time.sleep(600)

    assert ForkRunner(timeout=0.2, grace=20).run(polite) == TimedOut(0.2)
    assert (tmp_path / "done").exists()


# What comes back:


def test_evidence_comes_with_every_result():
    result = run_in_fork(print, "hello")
    assert result.stdout == "hello\n"
    assert result.stderr == ""
    assert result.duration > 0
    assert result.rusage.ru_maxrss > 0
    assert result.leaks == ()


def test_a_big_result_arrives_whole():
    data = os.urandom(10_000_000)
    assert run_in_fork(lambda: data) == Returned(data)


@pytest.mark.parametrize("size", range(61_700, 61_900, 7))
def test_a_result_arrives_however_it_travels(size):
    assert run_in_fork(lambda: b"x" * size) == Returned(b"x" * size)


def test_big_output_arrives_whole():
    def write():
        for _ in range(15):
            sys.stdout.write("o" * 1_000_000)
            os.write(2, b"e" * 1_000_000)

    result = run_in_fork(write)
    assert result.stdout == "o" * 15_000_000
    assert result.stderr == "e" * 15_000_000


def test_big_output_blocks_no_child_that_nobody_waits_for(tmp_path):
    def write():
        os.write(1, b"o" * 1_000_000)
        (tmp_path / "written").touch()

    with ForkRunner(timeout=30).start(write) as handle:
        deadline = time.monotonic() + 30
        while not (tmp_path / "written").exists():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        assert len(handle.wait().stdout) == 1_000_000


def test_output_that_is_no_text_is_shown_escaped():
    result = run_in_fork(os.write, 1, "caf\xe9 \udcff".encode("utf-8", "surrogateescape"))
    assert result.stdout == "café \\xff"


def test_python_c_and_raw_output_keep_their_order():
    def write():
        print("python")
        os.write(1, b"raw\n")
        subprocess.run(["echo", "program"], check=True)
        ctypes.CDLL(None).puts(b"C")

    assert run_in_fork(write).stdout == "python\nraw\nprogram\nC\n"


def test_stdout_opened_anew_leaves_no_hole():
    def write():
        print("lost, as with a shell's redirection")
        with open("/dev/stdout", "w") as again:
            again.write("again\n")
        print("after")

    assert run_in_fork(write).stdout == "again\nafter\n"


def test_a_thread_left_behind_delays_nothing():
    def leave_thread():
        threading.Thread(target=time.sleep, args=(600,)).start()
        return "done"

    result = run_in_fork(leave_thread)
    assert result == Returned("done")
    assert result.duration < 60


def test_atexit_functions_do_not_run_a_second_time(tmp_path):
    own = functools.partial((tmp_path / "ran").touch)
    atexit.register(own)
    try:
        run_in_fork(lambda: None)
        run_in_fork(sys.exit, 0)
    finally:
        atexit.unregister(own)
    assert not (tmp_path / "ran").exists()


def test_buffered_output_of_the_parent_is_written_once(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import ctypes, os, sys\n"
        "from pytest_syskit.tools.forking.fork_runner import run_in_fork\n"
        "print('parent')\n"
        "ctypes.CDLL(None).printf(b'in C\\n')\n"
        "out = sys.stdout\n"
        "result = run_in_fork(lambda: out.write('child\\n') and None)\n"
        "print(repr(result.stdout))\n"
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "parent\nin C\n'child\\n'\n"


def test_a_value_that_cannot_be_sent_is_a_type_error_that_says_what_to_do():
    def give_lock():
        return threading.Lock()

    result = run_in_fork(give_lock)
    assert isinstance(result, Raised)
    with pytest.raises(
        TypeError, match=r"give_lock returned a value of type _thread\.lock, which"
    ) as caught:
        result.unwrap()
    assert "return what pickle can copy" in str(caught.value)


class OnlyInTheChild(dict):
    """Loads in a child alone."""

    home = os.getpid()

    def __reduce__(self):
        return _load_only_in_a_child, (os.getppid(),)


def _load_only_in_a_child(parent):
    if os.getpid() == parent:
        raise LookupError("not here")
    return OnlyInTheChild()


def test_a_value_that_only_the_child_can_load_is_a_type_error():
    with pytest.raises(TypeError, match=r"cannot be loaded in this process .LookupError: not here"):
        run_in_fork(OnlyInTheChild).unwrap()


def test_a_value_whose_loading_fails_is_a_type_error():
    class Local:
        pass

    result = run_in_fork(Local)
    assert type(result.error) is TypeError
    assert "Local" in str(result.error)


def test_a_value_is_a_copy():
    original = ["parent"]
    copy = run_in_fork(lambda: original).unwrap()
    assert copy == original
    assert copy is not original


# The errors of a child:


class Two(Exception):
    """Pickles well and does not load: F-T8."""

    def __init__(self, a, b):
        super().__init__(f"{a}{b}")


class Holding(Exception):
    def __init__(self, what):
        super().__init__(what)
        self.lock = threading.Lock()


class Changeling(Exception):
    def __reduce__(self):
        return ValueError, ("another",)


def _raise(error, cause=None):
    raise error from cause


@pytest.mark.parametrize(
    ("make", "name", "message"),
    [
        (lambda: Two("a", "b"), "Two", "ab"),
        (lambda: Holding("held"), "Holding", "held"),
        (lambda: Changeling("odd"), "Changeling", "odd"),
        (lambda: type("Local", (Exception,), {})("gone"), "Local", "gone"),
    ],
)
def test_an_error_that_cannot_travel_is_described(make, name, message):
    result = run_in_fork(lambda: _raise(make()))
    error = result.error
    assert isinstance(error, RemoteError)
    assert error.type_name == f"{__name__}.{name}"
    assert error.message == message
    assert "pickl" in error.reason
    assert message in result.traceback_text


def test_an_error_that_only_the_child_can_load_is_described():
    class_ = type(
        "Errand",
        (Exception,),
        {"__reduce__": lambda self: (_error_only_in_a_child, (os.getppid(), type(self)))},
    )
    class_.__qualname__ = "Errand"
    globals()["Errand"] = class_
    try:
        error = run_in_fork(lambda: _raise(class_("far"))).error
    finally:
        del globals()["Errand"]
    assert isinstance(error, RemoteError)
    assert (error.message, "the parent cannot load it" in error.reason) == ("far", True)


def _error_only_in_a_child(parent, class_):
    if os.getpid() == parent:
        raise LookupError("not here")
    return class_("far")


@pytest.mark.parametrize("make", [lambda: ValueError("plain"), lambda: Two("a", "b")])
def test_notes_causes_and_contexts_arrive(make):
    def fail():
        try:
            try:
                raise KeyError("first")  # noqa: TRY301  # contexts need nested handlers
            except KeyError:
                raise Holding("second")  # noqa: B904  # a context is wanted, not a cause
        except Holding as second:
            error = make()
            error.__notes__ = ["try again"]
            raise error from second

    result = run_in_fork(fail)
    error = result.error
    assert error.__notes__ == ["try again"]
    assert isinstance(error.__cause__, RemoteError)
    assert error.__cause__.message == "second"
    assert isinstance(error.__cause__.__context__, KeyError)
    assert error.__suppress_context__
    for text in ("KeyError: 'first'", "Holding: second", "During handling", "direct cause"):
        assert text in result.traceback_text


def test_an_error_that_is_its_own_cause_ends():
    def fail():
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        raise first

    assert str(run_in_fork(fail).error) == "first"


def test_unwrap_raises_the_error_with_the_childs_traceback():
    def culprit():
        raise LookupError("here")

    result = run_in_fork(culprit)
    for _ in range(2):  # a second time adds nothing
        with pytest.raises(LookupError, match="here") as caught:
            result.unwrap()
    (note,) = caught.value.__notes__
    assert note.startswith("Raised in a forked child:\nTraceback")
    assert "in culprit" in note


def test_a_stand_in_can_be_pickled():
    error = pickle.loads(pickle.dumps(RemoteError("a.B", "text", "why")))
    assert (error.type_name, error.message, error.reason) == ("a.B", "text", "why")
    assert str(error) == "a.B: text (a stand-in: why)"


def test_an_error_whose_text_is_broken_arrives():
    class Mute(Exception):
        def __str__(self):
            raise RuntimeError

    assert "__str__ raised RuntimeError" in run_in_fork(lambda: _raise(Mute())).error.message


def test_keyboard_interrupt_arrives():
    result = run_in_fork(signal.raise_signal, signal.SIGINT)
    assert type(result.error) is KeyboardInterrupt


def test_recursion_without_end_arrives():
    def deeper():
        deeper()

    assert type(run_in_fork(deeper).error) is RecursionError


def test_unwrap_of_an_exit_says_what_happened_and_shows_stderr():
    with pytest.raises(
        NoValue, match="the child exited with status 3, so there is no value"
    ) as caught:
        run_in_fork(lambda: (os.write(2, b"disk full"), os._exit(3))).unwrap()
    assert "disk full" in str(caught.value)
    assert caught.value.result == Exited(3)


# Escapes:


def test_a_child_of_the_child_that_returns_is_stopped_and_named(tmp_path):
    log = tmp_path / "log"

    def fork_and_return():
        if os.fork():
            os.wait()
        return os.getpid()

    result = run_in_fork(fork_and_return)
    with open(log, "a") as file:  # would be written twice
        file.write(f"{os.getpid()}\n")
    assert len(log.read_text().splitlines()) == 1
    assert isinstance(result, Returned)
    (escaped,) = result.leaks
    assert isinstance(escaped, EscapedChild)
    assert escaped.pid != result.value
    assert escaped.how == "returned int"
    assert f"process {escaped.pid}, forked by the function" in result.stderr


@pytest.mark.parametrize(
    ("error", "how"),
    [(ValueError("no"), "raised ValueError: no"), (SystemExit(0), "raised SystemExit")],
)
def test_a_child_of_the_child_that_raises_is_stopped_and_named(error, how):
    def fork_and_raise():
        if os.fork() == 0:
            raise error
        os.wait()

    result = run_in_fork(fork_and_raise)
    assert result == Returned(None)
    assert [leak.how for leak in result.leaks] == [how]


def test_a_daemon_that_closes_everything_and_returns_is_stopped():
    def daemonise():
        if os.fork() == 0:
            os.closerange(0, 256)
            return
        os.wait()

    assert [leak.how for leak in run_in_fork(daemonise).leaks] == ["returned NoneType"]


# Descriptors, streams, and other things inherited:


def test_a_function_that_closes_all_descriptors_loses_no_small_result():
    assert run_in_fork(lambda: os.closerange(0, 256) or "kept") == Returned("kept")


def test_a_function_that_closes_the_pipe_is_told_that_its_large_result_is_lost():
    result = run_in_fork(lambda: os.closerange(3, 256) or b"x" * 100_000)
    with pytest.raises(RemoteError, match="its result, more than 60 KB, is lost"):
        result.unwrap()


def test_a_file_that_got_the_pipes_number_is_not_written_to(tmp_path):
    def fill_the_holes():
        os.closerange(3, 256)
        for _ in range(32):
            os.open(tmp_path / "innocent", os.O_WRONLY | os.O_CREAT)
        return b"x" * 100_000

    assert isinstance(run_in_fork(fill_the_holes), Raised)
    assert (tmp_path / "innocent").read_bytes() == b""


def test_input_is_empty():
    assert run_in_fork(lambda: (sys.stdin.read(), os.read(0, 1))) == Returned(("", b""))


def test_fd_1_and_sys_stdout_are_one_open_file():
    def mix():
        for n in range(50):
            print(n)
            os.write(1, b"%d\n" % n)

    assert run_in_fork(mix).stdout.split() == [str(n) for n in range(50) for _ in "ab"]


def test_a_logger_of_the_parent_works():
    def log():
        handler = logging.StreamHandler(sys.stderr)
        logging.getLogger("forked").addHandler(handler)
        logging.getLogger("forked").warning("from the child")

    assert run_in_fork(log).stderr == "from the child\n"


def test_signals_are_as_in_a_fresh_interpreter():
    names = ("SIGUSR1", "SIGCHLD", "SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM", "SIGHUP", "SIGALRM")
    before = {name: signal.getsignal(getattr(signal, name)) for name in names}
    for name in names:
        signal.signal(getattr(signal, name), lambda *_: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        found = run_in_fork(
            lambda: {name: str(signal.getsignal(getattr(signal, name))) for name in names}
        )
    finally:
        for name, action in before.items():
            signal.signal(getattr(signal, name), action)
    script = (
        f"import signal; print({{n: str(signal.getsignal(getattr(signal, n))) for n in {names}}})"
    )
    fresh = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert found.unwrap() == eval(fresh.stdout)


def test_kernel_dispositions_are_as_in_a_fresh_interpreter():
    def masks():
        with open("/proc/self/status") as status:
            lines = [line.split() for line in status if line.startswith(("SigIgn", "SigBlk"))]
        return dict(lines)

    previous = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    try:
        found = run_in_fork(masks).unwrap()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGUSR2})
        signal.signal(signal.SIGCHLD, previous)
    ignored = 1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1
    reserved = 0b11 << 31  # 32 and 33 belong to the C library, which lets nobody change them
    assert int(found["SigIgn:"], 16) & ~reserved == ignored
    assert int(found["SigBlk:"], 16) == 0


def test_a_signal_during_the_fork_runs_no_handler_of_the_parent_in_the_child(monkeypatch):
    ran = []
    previous = signal.signal(signal.SIGUSR1, lambda *_: ran.append(os.getpid()))
    true_fork = os.fork

    def fork_under_fire():
        pid = true_fork()
        os.kill(os.getpid(), signal.SIGUSR1)  # on both sides
        return pid

    monkeypatch.setattr(real, "fork", staticmethod(fork_under_fire))
    try:
        result = run_in_fork(lambda: list(ran))
    finally:
        signal.signal(signal.SIGUSR1, previous)
    # It was held back until the child had its own, default action for it.
    assert result == Killed(signal.SIGUSR1)
    assert ran == [os.getpid()]


def test_the_wakeup_descriptor_is_the_parents_alone():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    os.set_blocking(reader, False)
    before = signal.set_wakeup_fd(writer)
    try:
        run_in_fork(
            lambda: (signal.signal(signal.SIGUSR1, print), signal.raise_signal(signal.SIGUSR1))
        )
        with pytest.raises(BlockingIOError):
            os.read(reader, 1)
    finally:
        signal.set_wakeup_fd(before)
        os.close(reader)
        os.close(writer)


def test_timers_of_the_parent_do_not_run_in_the_child():
    signal.setitimer(signal.ITIMER_REAL, 500)
    try:
        assert run_in_fork(signal.getitimer, signal.ITIMER_REAL) == Returned((0.0, 0.0))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def test_a_handler_left_by_the_function_does_not_disturb_its_result():
    def leave_handler():
        def ring(*_):
            raise TimeoutError("late")

        signal.signal(signal.SIGALRM, ring)
        return RINGS_WHILE_PICKLED

    assert run_in_fork(leave_handler) == Returned(None)


class RingsWhilePickled:
    """Makes the alarm go off while it is sent."""

    def __reduce__(self):
        os.kill(os.getpid(), signal.SIGALRM)
        return type(None), ()


RINGS_WHILE_PICKLED = RingsWhilePickled()


def test_umask_and_directory_are_the_parents(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = os.umask(0o027)
    try:
        found = run_in_fork(lambda: (os.getcwd(), os.umask(0)))
    finally:
        os.umask(before)
    assert found == Returned((str(tmp_path), 0o027))


def test_the_child_leads_a_group_of_its_own():
    pid, group, session = run_in_fork(lambda: (os.getpid(), os.getpgid(0), os.getsid(0))).unwrap()
    assert pid == group
    assert session == os.getsid(0)


def test_new_session_makes_it_lead_a_session():
    pid, session = run_in_fork(lambda: (os.getpid(), os.getsid(0)), new_session=True).unwrap()
    assert pid == session


def test_env_is_the_whole_environment():
    result = run_in_fork(
        lambda: (dict(os.environ), subprocess.check_output(["/usr/bin/env"], text=True)),
        env={"COLOUR": "blue"},
    )
    assert result == Returned(({"COLOUR": "blue"}, "COLOUR=blue\n"))


def test_cwd_is_where_it_runs(tmp_path):
    assert run_in_fork(os.getcwd, cwd=tmp_path) == Returned(str(tmp_path))


def test_garbage_of_the_parent_is_not_the_childs():
    assert run_in_fork(lambda: gc.get_freeze_count() > 1000) == Returned(True)


# Threads:


def test_a_parent_with_threads_forks_without_a_warning():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert run_in_fork(lambda: warnings.filters[0][0]) == Returned("always")
        assert caught == []
    finally:
        stop.set()
        thread.join()


def test_a_fork_in_a_thread_works():
    results = []
    threads = [
        threading.Thread(
            target=lambda: results.append(run_in_fork(signal.getsignal, signal.SIGTERM))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert results == [Returned(signal.SIG_DFL)] * 4


# Stolen statuses:


def test_a_result_arrives_though_sigchld_is_ignored():
    previous = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        result = run_in_fork(divmod, 7, 3)
        unknown = run_in_fork(os._exit, 3)
    finally:
        signal.signal(signal.SIGCHLD, previous)
    assert result == Returned((2, 1))
    assert result.rusage is None
    assert unknown == Exited(None)
    with pytest.raises(NoValue, match=r"its exit status is lost: other code .* waited for it"):
        unknown.unwrap()


def test_a_result_arrives_though_somebody_else_waits_for_any_child():
    with ForkRunner().start(divmod, 7, 3) as handle:
        assert os.waitpid(-1, 0)[0] == handle.pid
        assert handle.wait() == Returned((2, 1))


# What is left behind:


def test_a_process_left_running_is_named_and_ended():
    result = run_in_fork(lambda: subprocess.Popen(SLEEPER).pid)
    (left,) = result.leaks
    assert isinstance(left, LeftProcess)
    assert (left.pid, left.state, left.argv) == (result.value, "running", tuple(SLEEPER))
    assert is_gone(left.pid)


def test_a_zombie_left_is_named_and_collected(subreaper):
    def leave():
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return pid

    result = run_in_fork(leave)
    (left,) = result.leaks
    assert (left.pid, left.state) == (result.value, "zombie")
    assert not os.path.exists(f"/proc/{left.pid}")


def test_descriptors_left_open_are_named(tmp_path):
    def leave():
        return os.open(tmp_path / "log", os.O_CREAT | os.O_WRONLY), *os.pipe()

    result = run_in_fork(leave)
    assert [leak.fd for leak in result.leaks] == list(result.value)
    assert result.leaks[0] == LeftDescriptor(result.value[0], "file", str(tmp_path / "log"))
    assert [leak.what for leak in result.leaks[1:]] == ["pipe", "pipe"]


def test_what_only_garbage_or_a_traceback_holds_is_not_left(tmp_path):
    def cycle():
        loop = [open(tmp_path / "log", "w")]  # not closed on purpose
        loop.append(loop)

    def fail():
        file = open(tmp_path / "log", "w")  # noqa: F841  # not closed on purpose
        raise ValueError

    assert run_in_fork(cycle).leaks == ()
    assert run_in_fork(fail).leaks == ()


def test_a_clean_function_leaves_nothing():
    def clean():
        subprocess.run(["true"], check=True)
        with open(os.devnull):
            pass

    assert run_in_fork(clean).leaks == ()


def test_a_grandchild_that_holds_the_pipe_delays_nothing():
    def leave_holder():
        if os.fork() == 0:
            os.closerange(0, 3)
            time.sleep(600)
            os._exit(0)

    started = time.monotonic()
    result = run_in_fork(leave_holder)
    assert result == Returned(None)
    assert time.monotonic() - started < 30
    assert is_gone(result.leaks[0].pid)


def test_what_a_child_left_by_os_exit_is_found_by_its_group():
    def leave():
        pid = subprocess.Popen(SLEEPER).pid
        os.write(1, b"%d" % pid)
        os._exit(0)

    result = run_in_fork(leave)
    assert result == Exited(0)
    assert [left.pid for left in result.leaks] == [int(result.stdout)]
    assert is_gone(int(result.stdout))


def test_a_time_out_ends_the_whole_tree():
    def family():
        script = f"import subprocess, sys, time; print(subprocess.Popen({SLEEPER}).pid, flush=True); time.sleep(600)"
        with subprocess.Popen([sys.executable, "-S", "-c", script]) as child:
            print(child.pid, flush=True)
            child.wait()

    handle = ForkRunner(grace=5).start(family)
    wait_for_lines(handle, 2)
    result = handle.wait(timeout=0.01)
    assert result == TimedOut(0.01)
    assert [is_gone(int(pid)) for pid in result.stdout.split()] == [True, True]


def daemon():
    """Leave a process with a session of its own, whose parent has ended."""
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writer, b"%d" % os.getpid())
            os.close(writer)
            os.execv(SLEEPER[0], SLEEPER)
        os._exit(0)
    os.waitpid(middle, 0)
    pid = int(os.read(reader, 20))
    os.close(reader)
    os.close(writer)
    return pid


def test_a_daemon_is_seen_and_ended_where_orphans_are_adopted():
    result = ForkRunner(adopt_orphans=True).run(daemon)
    assert [left.pid for left in result.leaks] == [result.value]
    assert is_gone(result.value)


def test_a_daemon_is_ended_with_a_child_that_takes_too_long(subreaper):
    def hang():
        print(daemon(), flush=True)
        time.sleep(600)

    handle = ForkRunner().start(hang)
    text = wait_for_lines(handle, 1)
    assert handle.wait(timeout=0.01) == TimedOut(0.01)
    assert is_gone(int(text))


# Handles:


def test_a_handle_talks_to_a_live_child():
    reader, writer = os.pipe()

    def answer():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        os.write(writer, b"ready")
        return signal.sigwait({signal.SIGUSR1}).name

    with ForkRunner(timeout=30).start(answer) as handle:
        assert os.read(reader, 5) == b"ready"
        handle.send_signal(signal.SIGUSR1)
        assert handle.wait() == Returned("SIGUSR1")
        assert handle.wait() is handle.result
        with pytest.raises(ProcessLookupError, match="has ended and takes no more signals"):
            handle.send_signal(signal.SIGUSR1)
    os.close(reader)
    os.close(writer)


def test_kill_ends_the_tree_at_once():
    def family():
        child = subprocess.Popen(SLEEPER)
        print(child.pid, flush=True)
        child.wait()

    with ForkRunner().start(family) as handle:
        text = wait_for_lines(handle, 1)
        handle.kill()
        assert handle.wait() == Killed(signal.SIGKILL)
        assert is_gone(int(text))
        handle.kill()  # a second time does nothing


def test_the_end_of_the_block_ends_the_child():
    with ForkRunner().start(time.sleep, 600) as handle:
        pass
    assert handle.result == Killed(signal.SIGTERM)
    assert is_gone(handle.pid)


def test_the_end_of_the_runner_ends_all_its_children():
    with ForkRunner() as runner:
        handles = [runner.start(time.sleep, 600) for _ in range(3)]
    assert [handle.result for handle in handles] == [Killed(signal.SIGTERM)] * 3


def test_many_children_at_once():
    with ForkRunner() as runner:
        handles = [runner.start(divmod, n, 7) for n in range(12)]
        assert [handle.wait() for handle in handles] == [Returned(divmod(n, 7)) for n in range(12)]


def test_a_child_cannot_touch_its_siblings():
    with ForkRunner() as runner, runner.start(time.sleep, 600) as sibling:

        def meddle():
            runner.close()
            sibling.close()
            sibling.kill()

        result = runner.run(meddle)
        assert isinstance(result, Raised)
        assert "belongs to process" in str(result.error)
        assert not is_gone(sibling.pid)


def test_an_interrupted_wait_ends_the_tree():
    def interrupt(*_):
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, interrupt)
    runner = ForkRunner()
    handle = runner.start(time.sleep, 600)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyboardInterrupt):
            handle.wait()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert is_gone(handle.pid)
    with pytest.raises(RuntimeError, match="was ended without a result"):
        handle.wait()


def test_a_forked_child_can_fork_on():
    assert run_in_fork(lambda: run_in_fork(divmod, 7, 3).unwrap()) == Returned((2, 1))


# Wrong input:


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan"), "3", True])
def test_a_wrong_timeout_is_refused(timeout):
    with pytest.raises(ValueError, match=r"timeout=.*: expected a number of seconds, more than 0"):
        run_in_fork(int, timeout=timeout)


def test_a_wrong_grace_is_refused():
    with pytest.raises(ValueError, match="grace=-1: expected a number of seconds, 0 or more"):
        ForkRunner(grace=-1)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(TypeError, match="3 is not callable; give the function itself"):
        run_in_fork(3)


def test_unknown_options_are_refused():
    with pytest.raises(TypeError, match="limit"):
        run_in_fork(int, limit=3)


def test_a_wrong_directory_is_refused(tmp_path):
    with pytest.raises(NotADirectoryError, match="is not a directory"):
        run_in_fork(int, cwd=tmp_path / "absent")


@pytest.mark.parametrize("env", [{"A": 1}, {1: "A"}, {"A=B": "c"}, {"": "c"}])
def test_a_wrong_environment_is_refused(env):
    with pytest.raises(TypeError, match="expected a name without '=' and a text"):
        run_in_fork(int, env=env)


def test_what_keeps_a_child_from_being_prepared_is_raised(monkeypatch):
    def refuse(*_):
        raise OSError("no group for you")

    monkeypatch.setattr(real, "setpgid", staticmethod(refuse))
    with pytest.raises(OSError, match="no group for you") as caught:
        run_in_fork(int)
    assert "while the forked child was prepared" in caught.value.__notes__[0]


def test_a_failing_fork_leaves_nothing(monkeypatch):
    def refuse():
        raise BlockingIOError(11, "too many processes")

    monkeypatch.setattr(real, "fork", staticmethod(refuse))
    with pytest.raises(BlockingIOError, match="too many processes"):
        run_in_fork(int)


def test_psutil_is_not_needed_by_a_child_that_behaves():
    script = (
        "import sys\nfrom pytest_syskit.tools.forking.fork_runner import run_in_fork\n"
        "print(run_in_fork(int), 'psutil' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "Returned(value=0) False\n"

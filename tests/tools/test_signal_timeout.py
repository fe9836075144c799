"""``signal_timeout``: heard by everybody, and gone without a trace."""
# ruff: noqa: SIM105, BLE001, ASYNC251  # this code is bad on purpose, and nested

import asyncio
import bdb
import collections
import contextlib
import gc
import itertools
import os
import pickle
import queue
import select
import signal
import subprocess
import sys
import threading
import time

import pytest

from pytest_syskit import run_in_fork
from pytest_syskit.host.signals.timers import timer_clock
from pytest_syskit.tools.timeouts.signal_timeout import SignalTimeout, signal_timeout

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")

LIMIT = 0.2  # seconds; the shots come 0.2 s apart, so the third, insistent one comes after 0.6 s
NOTICE = 1.5  # seconds by which every hang must have ended, on a busy machine too
FOREVER = 20


@pytest.fixture(autouse=True)
def clean_slate():
    """No handler, timer or mask of one test may reach the next, nor of ours the test."""
    handler = signal.getsignal(signal.SIGALRM)
    yield
    assert signal.getsignal(signal.SIGALRM) == handler, "the handler was not given back"
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0), "a timer runs on"
    assert signal.getitimer(signal.ITIMER_PROF) == (0, 0), "a timer runs on"
    assert signal.SIGALRM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert sys.gettrace() is None or "coverage" in repr(sys.gettrace())


def sleep():
    time.sleep(FOREVER)


def read_an_empty_pipe():
    reader, writer = os.pipe()
    try:
        os.read(reader, 1)
    finally:
        os.close(reader)
        os.close(writer)


def lock():
    held = threading.Lock()
    held.acquire()
    held.acquire()


def condition():
    never = threading.Condition()
    with never:
        never.wait()


def empty_queue():
    queue.Queue().get()


def join():
    done = threading.Event()
    thread = threading.Thread(target=done.wait, daemon=True)
    thread.start()
    try:
        thread.join()
    finally:
        done.set()


def select_nothing():
    select.select([], [], [], FOREVER)


def wait_for_a_child():
    pid = os.fork()
    if pid == 0:
        time.sleep(FOREVER)
        os._exit(0)
    try:
        os.waitpid(pid, 0)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def run_a_program():
    subprocess.run(["sleep", str(FOREVER)], check=False)


def python_loop():
    while True:
        pass


def except_exception():
    while True:
        try:
            time.sleep(FOREVER)
        except Exception:
            pass


def except_base_exception():
    while True:
        try:
            time.sleep(FOREVER)
        except BaseException:
            pass


def suppress_everything():
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(FOREVER)


def finally_that_hangs():
    try:
        time.sleep(FOREVER)
    finally:
        time.sleep(FOREVER)


def many_destructors():
    class Slow:
        def __del__(self):
            time.sleep(FOREVER)

    for _ in range(3):
        Slow()


def asyncio_sleep():
    asyncio.run(asyncio.sleep(FOREVER))


def asyncio_busy_task():
    async def busy():
        while True:  # never lets the loop run
            pass

    async def main():
        task = asyncio.create_task(busy())
        await asyncio.sleep(FOREVER)
        await task

    asyncio.run(main())


def asyncio_gather():
    async def busy():
        time.sleep(FOREVER)

    async def main():
        await asyncio.gather(busy(), return_exceptions=True)
        await asyncio.sleep(FOREVER)

    asyncio.run(main())


def asyncio_callback():
    async def main():
        asyncio.get_running_loop().call_soon(time.sleep, FOREVER)
        await asyncio.sleep(FOREVER)

    asyncio.run(main())


HANGS = [
    sleep, read_an_empty_pipe, lock, condition, empty_queue, join, select_nothing,
    wait_for_a_child, run_a_program, python_loop, except_exception, except_base_exception,
    suppress_everything, finally_that_hangs, asyncio_sleep, asyncio_busy_task,
    asyncio_gather, asyncio_callback,
]  # fmt: skip


# What swallows every shot is ended by tracing, which can leave the interpreter's exception state set:
# the next exception of the process then shows our shot as its context.  So these have a child each.
SWALLOWERS = (except_base_exception, suppress_everything)


@pytest.mark.parametrize("hang", HANGS, ids=lambda hang: hang.__name__)
def test_every_hang_ends(hang):
    if hang in SWALLOWERS:
        run_in_fork(check_that_it_ends, hang).unwrap()
    else:
        check_that_it_ends(hang)


def check_that_it_ends(hang):
    started = time.monotonic()
    with pytest.raises(SignalTimeout, match="took longer than"), signal_timeout(LIMIT):
        hang()
    assert time.monotonic() - started < NOTICE


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_shot_lost_in_a_destructor_is_followed_by_others():
    with pytest.raises(SignalTimeout), signal_timeout(LIMIT):
        many_destructors()


@pytest.mark.parametrize("block", [True, False], ids=["block", "function"])
def test_a_hang_in_the_block_itself_ends_even_when_it_catches_everything(block):
    run_in_fork(check_that_a_block_ends, block).unwrap()


def check_that_a_block_ends(block):
    with pytest.raises(SignalTimeout, match="it caught the exception"), signal_timeout(LIMIT):
        if not block:
            except_base_exception()
        while True:
            try:
                time.sleep(FOREVER)
            except BaseException:
                pass


def test_code_that_swallows_the_shot_and_ends_is_over_its_limit_nevertheless():
    with pytest.raises(SignalTimeout, match=r"caught .* 1 time; it ended after") as caught:
        with signal_timeout(0.1), contextlib.suppress(BaseException):
            time.sleep(FOREVER)
    assert caught.value.overrun.shots == 1


def test_an_error_raised_instead_of_the_shot_becomes_the_cause():
    with pytest.raises(SignalTimeout) as caught, signal_timeout(0.1):
        try:
            time.sleep(FOREVER)
        except BaseException:
            raise RuntimeError("the connection failed") from None
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_code_within_its_limit_is_left_alone():
    with signal_timeout(FOREVER):
        value = 1
    assert value == 1


def test_an_error_within_the_limit_passes():
    with pytest.raises(KeyError), signal_timeout(FOREVER):
        raise KeyError(1)


def test_the_traceback_ends_where_the_code_hung():
    with pytest.raises(SignalTimeout) as caught, signal_timeout(0.05):
        sleep()
    assert caught.traceback[-1].name == "sleep"
    assert caught.value.__suppress_context__


def test_the_message_says_which_block_hung_where():
    with pytest.raises(SignalTimeout) as caught, signal_timeout(0.05):
        sleep()
    text = str(caught.value)
    assert text.startswith(f"the block at {__file__}:")
    assert "took longer than 0.05 s; it was at " in text
    assert text.endswith(" in sleep")


def test_a_timeout_crosses_process_borders():
    with pytest.raises(SignalTimeout) as caught, signal_timeout(0.05):
        sleep()
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert copy.overrun == caught.value.overrun


def test_a_timeout_is_a_timeout_error():
    with pytest.raises(TimeoutError), signal_timeout(0.05):
        sleep()


# -- nesting -------------------------------------------------------------------------------------


def test_the_inner_limit_fires_first_when_it_is_shorter():
    with signal_timeout(FOREVER) as outer:
        with pytest.raises(SignalTimeout, match=r"0\.05 s"), signal_timeout(0.05):
            sleep()
        left, _ = signal.getitimer(signal.ITIMER_REAL)
        assert 0 < left <= FOREVER
        assert outer.shots == 0


def test_the_outer_limit_fires_inside_a_longer_inner_one():
    with pytest.raises(SignalTimeout, match=r"0\.1 s") as caught, signal_timeout(0.1):
        with signal_timeout(FOREVER):
            sleep()
    assert caught.value.overrun.seconds == 0.1


def test_the_outer_limit_goes_on_after_the_inner_one():
    started = time.monotonic()
    with pytest.raises(SignalTimeout, match=r"0\.3 s"), signal_timeout(0.3):
        with pytest.raises(SignalTimeout, match=r"0\.1 s"), signal_timeout(0.1):
            sleep()
        sleep()
    assert 0.3 <= time.monotonic() - started < NOTICE


def test_an_outer_limit_that_passed_during_the_inner_block_fires_right_after_it():
    def swallow():
        with contextlib.suppress(BaseException):
            sleep()

    with pytest.raises(SignalTimeout, match=r"0\.05 s") as caught, signal_timeout(0.05):
        with signal_timeout(FOREVER):
            swallow()
        sleep()
    assert caught.value.overrun.elapsed < NOTICE


def test_limits_may_end_in_any_order():
    first, second = signal_timeout(FOREVER), signal_timeout(0.1)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    with pytest.raises(SignalTimeout, match=r"0\.1 s"):
        try:
            sleep()
        finally:
            second.__exit__(*sys.exc_info())


def test_the_shorter_of_two_crossed_limits_may_end_first():
    first, second = signal_timeout(0.1), signal_timeout(FOREVER)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    time.sleep(0.15)  # past the limit that is gone
    second.__exit__(None, None, None)


def test_both_clocks_nest():
    with signal_timeout(FOREVER), signal_timeout(FOREVER, clock="cpu"):
        with pytest.raises(SignalTimeout, match=r"0\.05 s"), signal_timeout(0.05):
            python_loop()


def test_one_limit_is_not_armed_twice():
    limit = signal_timeout(FOREVER)
    with limit, pytest.raises(RuntimeError, match="armed already; a nested block needs its own"):
        limit.__enter__()


def test_a_limit_may_be_used_again():
    limit = signal_timeout(0.05)
    for _ in range(2):
        with pytest.raises(SignalTimeout), limit:
            sleep()


# -- strangers -----------------------------------------------------------------------------------


@pytest.fixture
def heard():
    """Record the alarms that reach the user's own handler, and restore the previous one."""
    alarms = []
    previous = signal.signal(signal.SIGALRM, lambda number, _: alarms.append(number))
    yield alarms
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, previous)


def test_the_users_handler_and_remaining_time_come_back(heard):
    handler = signal.getsignal(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 10, 3)
    with signal_timeout(FOREVER):
        time.sleep(0.05)
    assert signal.getsignal(signal.SIGALRM) is handler
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert 9 < left <= 9.95
    assert interval == pytest.approx(3)


def test_the_users_alarm_rings_during_the_block(heard):
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    with signal_timeout(FOREVER):
        give_up = time.monotonic() + 5
        while not heard and time.monotonic() < give_up:
            time.sleep(0.01)
    assert heard == [signal.SIGALRM]
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_the_users_repeating_alarm_rings_on(heard):
    signal.setitimer(signal.ITIMER_REAL, 0.03, 0.03)
    with signal_timeout(FOREVER):
        give_up = time.monotonic() + 5
        while len(heard) < 3 and time.monotonic() < give_up:
            time.sleep(0.01)
    assert len(heard) >= 3
    assert signal.getitimer(signal.ITIMER_REAL)[1] == pytest.approx(0.03)


def test_an_alarm_sent_by_hand_reaches_the_users_handler(heard):
    with signal_timeout(FOREVER):
        os.kill(os.getpid(), signal.SIGALRM)
    assert heard == [signal.SIGALRM]


def test_a_stray_alarm_does_not_end_the_process():
    with signal_timeout(FOREVER):
        os.kill(os.getpid(), signal.SIGALRM)


def test_a_handler_that_raises_ends_the_block_with_its_own_error(heard):
    def refuse(_number, _frame):
        raise LookupError("mine")

    signal.signal(signal.SIGALRM, refuse)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    with pytest.raises(LookupError, match="mine"), signal_timeout(FOREVER):
        sleep()


# -- a disarmed guard ----------------------------------------------------------------------------


def work_past(limit):
    done = time.monotonic() + limit + 0.05
    while time.monotonic() < done:
        time.sleep(0.01)


def test_a_stopped_timer_is_told():
    with pytest.raises(SignalTimeout, match=r"switched off inside: .* timer was stopped"):
        with signal_timeout(0.1):
            signal.alarm(0)
            work_past(0.1)


def test_a_foreign_handler_is_named():
    def mine(_number, _frame):
        pass

    with pytest.raises(SignalTimeout, match=r"replaced by .*mine \(.*test_signal_timeout.py:\d+"):
        with signal_timeout(0.1):
            signal.signal(signal.SIGALRM, mine)
            work_past(0.1)


def test_an_ignored_signal_is_told():
    with pytest.raises(SignalTimeout, match="replaced by SIG_IGN"), signal_timeout(0.1):
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        work_past(0.1)


BLOCKED = """
import signal, time
from pytest_syskit.tools.timeouts.signal_timeout import SignalTimeout, signal_timeout

try:
    with signal_timeout(0.1):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        done = time.monotonic() + 0.15
        while time.monotonic() < done:
            time.sleep(0.01)
except SignalTimeout as error:
    print(error)
print(signal.sigpending())
"""


def test_a_blocked_signal_is_told_and_does_not_stay_pending():
    # in a process with one thread: others would take the signal for the thread that blocks it
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED], capture_output=True, text=True, timeout=30, check=True
    )
    text, pending = done.stdout.splitlines()
    assert "switched off inside: SIGALRM is blocked in the main thread" in text
    assert pending == "set()"


def test_a_guard_disarmed_by_quick_code_is_no_fault():
    with signal_timeout(FOREVER):
        signal.alarm(0)


def test_a_mask_left_behind_by_earlier_code_does_not_deafen_the_limit():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        with pytest.raises(SignalTimeout), signal_timeout(0.05):
            sleep()
        assert signal.SIGALRM in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})


def test_a_c_function_that_keeps_the_interpreter_is_named_as_the_reason():
    with pytest.raises(SignalTimeout, match=r"Python could not act for .* C function held"):
        with signal_timeout(0.05):
            collections.deque(itertools.repeat(0, 60_000_000), maxlen=0)


# -- clocks --------------------------------------------------------------------------------------


def test_a_sleeping_block_uses_no_processor_time():
    with signal_timeout(0.1, clock="cpu"):
        time.sleep(0.2)


def test_a_computing_block_uses_up_its_processor_time():
    with pytest.raises(SignalTimeout, match=r"0\.1 s of processor time"):
        with signal_timeout(0.1, clock="cpu"):
            python_loop()


def test_a_pause_is_not_charged():
    with signal_timeout(0.15) as limit:
        limit.pause()
        time.sleep(0.25)
        limit.resume()
    with pytest.raises(SignalTimeout), signal_timeout(0.1) as limit:
        limit.pause()
        limit.resume()
        sleep()


def test_a_pause_of_the_outer_limit_works_inside_an_inner_one(heard):
    with signal_timeout(0.1) as outer, signal_timeout(FOREVER):
        outer.pause()
        time.sleep(0.2)
        outer.resume()
    assert heard == []


def test_a_debugger_stops_the_clock_until_it_lets_go():
    debugger = bdb.Bdb()
    debugger.reset()
    with pytest.raises(SignalTimeout), signal_timeout(0.1) as limit:
        sys.settrace(debugger.trace_dispatch)
        time.sleep(0.25)
        sys.settrace(None)
        assert limit.shots == 0
        sleep()


def test_a_patched_sleep_and_a_frozen_clock_change_nothing(monkeypatch):
    true_sleep = time.sleep
    monkeypatch.setattr(time, "monotonic", lambda: 0.0)
    monkeypatch.setattr(time, "sleep", lambda _: true_sleep(0.01))
    with pytest.raises(SignalTimeout), signal_timeout(0.05):
        while True:
            time.sleep(FOREVER)


# -- asyncio, inside -----------------------------------------------------------------------------


def test_a_block_that_awaits_is_cancelled():
    async def main():
        with pytest.raises(SignalTimeout, match=r"0\.1 s"), signal_timeout(0.1):
            await asyncio.sleep(FOREVER)
        await asyncio.sleep(0)
        return "went on"

    assert asyncio.run(main()) == "went on"


def test_a_task_that_a_shot_ended_logs_no_lost_exception(caplog):
    with pytest.raises(SignalTimeout), signal_timeout(0.1):
        asyncio_busy_task()
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_a_block_that_keeps_the_loop_is_interrupted():
    async def main():
        with pytest.raises(SignalTimeout), signal_timeout(0.1):
            time.sleep(FOREVER)
        return "went on"

    assert asyncio.run(main()) == "went on"


# -- where it cannot work ------------------------------------------------------------------------


def test_another_thread_is_told_what_to_use_instead():
    errors = []

    def enter():
        try:
            with signal_timeout(1):
                pass
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=enter, name="worker-7")
    thread.start()
    thread.join()
    assert "main thread only" in errors[0]
    assert "'worker-7'" in errors[0]
    assert "run_in_fork(timeout=…)" in errors[0]


def test_a_forked_child_has_no_limit_of_its_parent():
    with signal_timeout(FOREVER):
        pid = os.fork()
        if pid == 0:
            fine = signal.getitimer(signal.ITIMER_REAL) == (0, 0)
            with contextlib.suppress(SignalTimeout), signal_timeout(0.05):
                sleep()
                fine = False
            os._exit(0 if fine and signal.getitimer(signal.ITIMER_REAL) == (0, 0) else 1)
        assert os.waitpid(pid, 0)[1] == 0


def test_a_child_that_leaves_the_parents_block_arms_nothing():
    pid = 0
    with signal_timeout(FOREVER):
        pid = os.fork()
    if pid == 0:
        idle = signal.getitimer(signal.ITIMER_REAL) == (0, 0)
        default = signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
        os._exit(0 if idle and default else 1)
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), -0.0])
def test_a_limit_must_be_finite_and_above_zero(seconds):
    with pytest.raises(ValueError, match=f"finite seconds above 0, not {seconds!r}"):
        signal_timeout(seconds)


@pytest.mark.parametrize("seconds", ["1", None, True, [1]])
def test_a_limit_must_be_a_number(seconds):
    with pytest.raises(TypeError, match="takes a number of seconds, not"):
        signal_timeout(seconds)


@pytest.mark.parametrize("seconds", [1e-9, 1e300])
def test_extreme_limits_do_not_overflow_the_timer(seconds):
    with contextlib.suppress(SignalTimeout), signal_timeout(seconds):
        pass


def test_an_unknown_clock_is_refused():
    with pytest.raises(ValueError, match="knows the clocks 'real' and 'cpu', not 'wall'"):
        signal_timeout(1, clock="wall")


# -- decorator -----------------------------------------------------------------------------------


def test_a_decorated_function_is_limited_in_each_call():
    @signal_timeout(0.05)
    def nap(seconds):
        """Sleep."""
        time.sleep(seconds)
        return seconds

    assert nap.__doc__ == "Sleep."
    assert nap(0) == 0
    for _ in range(2):
        with pytest.raises(SignalTimeout, match=r"nap\(\) took longer than 0\.05 s"):
            nap(FOREVER)


def test_a_decorated_function_may_call_itself():
    @signal_timeout(FOREVER)
    def down(depth):
        return down(depth - 1) if depth else "bottom"

    assert down(3) == "bottom"


def test_a_decorated_coroutine_function_is_limited_while_it_runs():
    @signal_timeout(0.1)
    async def nap():
        await asyncio.sleep(FOREVER)

    with pytest.raises(SignalTimeout, match=r"nap\(\) took longer"):
        asyncio.run(nap())


def test_a_generator_function_is_refused():
    with pytest.raises(TypeError, match="generator function"):

        @signal_timeout(1)
        def numbers():
            yield 1


def test_the_callback_runs_once_and_before_anything_is_raised():
    seen = []
    with contextlib.suppress(SignalTimeout):
        with signal_timeout(0.1, on_timeout=lambda limit: seen.append(limit.seconds)):
            try:
                time.sleep(FOREVER)
            finally:
                seen.append("raised")
                time.sleep(FOREVER)
    assert seen == [0.1, "raised"]


def test_cpu_and_real_use_different_signals():
    assert timer_clock("real").signal_name == "SIGALRM"
    assert timer_clock("cpu").signal_name == "SIGPROF"

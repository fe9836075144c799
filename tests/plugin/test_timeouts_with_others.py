"""Time limits beside other people's loops, debuggers, generators of data, clocks and locks.

Each group is a session of its own: who is ended, how, and does the next test find all in order?
"""

import importlib.util
import signal
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")

HEAD = """
import contextlib, os, signal, subprocess, threading, time
import pytest
from pytest_syskit import SignalTimeout, signal_timeout

LIMITED = pytest.mark.signal_timeout(0.4)
FOREVER = 20

@pytest.fixture(autouse=True)
def in_time(request):
    before = time.perf_counter()
    yield
    lasted = time.perf_counter() - before
    assert lasted < 10, f"{lasted} s: the test waited for its hang rather than being ended"
"""


@pytest.fixture
def session(pytester, monkeypatch):
    """Return a function that runs one file of tests and gives pytest's result."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)

    def run(code, *options):
        pytester.makepyfile(test_it=HEAD + code)
        return pytester.runpytest_subprocess(
            "-p", "no:randomly", "-p", "no:cacheprovider", "-rA", *options, timeout=120
        )

    return run


def need(library, reason):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed: {reason}")


def timed_out(result, *names):
    """Check that each of these tests, and no other, has a time-out for its one problem."""
    text = result.stdout.str()
    assert "INTERNALERROR" not in text + result.stderr.str()
    for name in names:
        result.stdout.fnmatch_lines([f"*Timeout: test_it.py::{name} (*) took longer than 0.4 s*"])
    bad = [line.split(" - ") for line in text.splitlines() if line.startswith(("FAILED", "ERROR "))]
    assert {line[0].split("::")[1] for line in bad} == {name.replace("[[]", "[") for name in names}


# -- trio ----------------------------------------------------------------------------------------

TRIO = """
import trio

@LIMITED
def test_a_sleep():
    async def main():
        try:
            await trio.sleep(FOREVER)
        finally:
            print("the task was allowed to clean up")
    trio.run(main)

@LIMITED
def test_a_nursery():
    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            nursery.start_soon(trio.sleep, FOREVER)
    trio.run(main)

@LIMITED
def test_a_task_that_keeps_the_loop():
    async def busy():
        time.sleep(FOREVER)
    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(busy)
            await trio.sleep(FOREVER)
    trio.run(main)

@LIMITED
def test_a_shield():
    async def main():
        with trio.CancelScope(shield=True):
            await trio.sleep(FOREVER)
    trio.run(main)

def test_a_run_after_one_that_had_to_be_left():
    async def main():
        await trio.sleep(0.01)
        return "done"
    assert trio.run(main) == "done"

def test_a_block_that_awaits():
    async def main():
        with pytest.raises(SignalTimeout, match="0.3 s"), signal_timeout(0.3):
            await trio.sleep(FOREVER)
        await trio.sleep(0)
        return "went on"
    assert trio.run(main) == "went on"

def test_a_block_that_keeps_the_loop():
    async def main():
        with pytest.raises(SignalTimeout), signal_timeout(0.3):
            time.sleep(FOREVER)
        await trio.sleep(0)
        return "went on"
    assert trio.run(main) == "went on"

def test_a_block_beside_other_tasks():
    async def main():
        async with trio.open_nursery() as nursery:
            other = trio.Event()
            async def finish_later():
                await trio.sleep(0.4)
                other.set()
            nursery.start_soon(finish_later)
            with pytest.raises(SignalTimeout), signal_timeout(0.2):
                await trio.sleep(FOREVER)
            await other.wait()
    trio.run(main)

def test_a_block_within_its_limit():
    async def main():
        with signal_timeout(FOREVER):
            await trio.sleep(0.01)
        with pytest.raises(KeyError), signal_timeout(FOREVER):
            await trio.sleep(0)
            raise KeyError(1)
        with trio.move_on_after(0.05) as scope, signal_timeout(FOREVER):
            await trio.sleep(FOREVER)
        assert scope.cancelled_caught
    trio.run(main)
"""


def test_trio_is_ended_in_peace_and_can_run_again(session):
    need("trio", "its loop cannot be tested")
    result = session(TRIO)
    timed_out(
        result, "test_a_sleep", "test_a_nursery", "test_a_task_that_keeps_the_loop", "test_a_shield"
    )
    assert "the task was allowed to clean up" in result.stdout.str()
    assert "TrioInternalError" not in result.stdout.str()
    result.assert_outcomes(failed=4, passed=5)


def test_a_task_that_ends_as_it_was_asked_to_has_caught_nothing(session):
    need("trio", "its loop cannot be tested")
    result = session(TRIO, "-k", "a_nursery")
    assert "it caught the exception" not in result.stdout.str()


# -- anyio ---------------------------------------------------------------------------------------

ANYIO = """
import anyio

pytestmark = pytest.mark.parametrize("anyio_backend", ["BACKEND"])

@LIMITED
@pytest.mark.anyio
async def test_a_sleep(anyio_backend):
    await anyio.sleep(FOREVER)

@LIMITED
@pytest.mark.anyio
async def test_a_task_that_keeps_the_loop(anyio_backend):
    time.sleep(FOREVER)

@pytest.fixture
async def slow_to_end(anyio_backend):
    yield
    await anyio.sleep(FOREVER)

@LIMITED
@pytest.mark.anyio
async def test_teardown(anyio_backend, slow_to_end):
    pass

@LIMITED
def test_a_run(anyio_backend):
    async def main():
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, FOREVER)
    anyio.run(main, backend=anyio_backend)

@pytest.mark.anyio
async def test_block(anyio_backend):
    with pytest.raises(SignalTimeout), signal_timeout(0.3):
        await anyio.sleep(FOREVER)
    await anyio.sleep(0)

@pytest.mark.anyio
async def test_within(anyio_backend):
    with signal_timeout(FOREVER):
        await anyio.sleep(0.01)
"""


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_is_ended_on_either_backend_and_can_run_again(session, backend):
    need("anyio", "its plugin and its loops cannot be tested")
    need(backend, "a backend of anyio")
    result = session(ANYIO.replace("BACKEND", backend))
    ended = ["test_a_sleep", "test_a_task_that_keeps_the_loop", "test_teardown", "test_a_run"]
    timed_out(result, *(f"{name}[[]{backend}]" for name in ended))
    result.assert_outcomes(failed=3, passed=3, errors=1)


# -- Hypothesis ----------------------------------------------------------------------------------

HYPOTHESIS = """
from hypothesis import given, settings, strategies

examples = []

@LIMITED
@given(strategies.integers())
@settings(database=None, deadline=None)
def test_hangs(number):
    examples.append(number)
    time.sleep(FOREVER)

def test_was_given_one_example_and_never_again():
    assert len(examples) == 1

late = []

@LIMITED
@given(strategies.integers())
@settings(database=None, deadline=None)
def test_hangs_in_a_later_example(number):
    late.append(number)
    if len(late) > 3:
        time.sleep(FOREVER)

def test_was_not_shrunk():
    assert len(late) == 4

@given(strategies.integers())
@settings(database=None, deadline=None, max_examples=5)
def test_block_in_each_example(number):
    with pytest.raises(SignalTimeout), signal_timeout(0.05):
        time.sleep(FOREVER)
"""


def test_hypothesis_does_not_shrink_a_time_out(session):
    need("hypothesis", "it cannot be tested")
    result = session(HYPOTHESIS)
    timed_out(result, "test_hangs", "test_hangs_in_a_later_example")
    assert "Falsifying example" not in result.stdout.str()
    assert "Flaky" not in result.stdout.str()
    result.assert_outcomes(failed=2, passed=3)


# -- clocks, locks, threads ----------------------------------------------------------------------

CLOCKS = """
@pytest.fixture
def frozen(monkeypatch):
    for clock in ("time", "monotonic", "process_time"):
        monkeypatch.setattr(time, clock, lambda: 1000.0)

@pytest.fixture
def no_sleep(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

@LIMITED
def test_frozen_clock(frozen):
    time.sleep(FOREVER)

@pytest.mark.signal_timeout(0.4, clock="cpu")
def test_frozen_processor_clock(frozen):
    while True:
        pass

@LIMITED
def test_patched_sleep(no_sleep):
    while True:
        time.sleep(FOREVER)

@LIMITED
def test_clock_that_leaps_is_not_believed(monkeypatch):
    leap = time.monotonic() + 1e6
    monkeypatch.setattr(time, "monotonic", lambda: leap)
    monkeypatch.setattr(time, "time", lambda: leap)

def test_block_beside_a_frozen_clock(frozen, no_sleep):
    with pytest.raises(SignalTimeout), signal_timeout(0.2):
        while True:
            time.sleep(1)

@LIMITED
def test_lock():
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()

@LIMITED
def test_reentrant_lock_of_another_thread():
    lock, taken, done = threading.RLock(), threading.Event(), threading.Event()
    def hold():
        with lock:
            taken.set()
            done.wait(FOREVER)
    thread = threading.Thread(target=hold, name="lock-holder")
    thread.start()
    taken.wait(FOREVER)
    try:
        with lock:
            pass
    finally:
        done.set()
        thread.join(FOREVER)

@LIMITED
def test_semaphore():
    threading.Semaphore(0).acquire()

@LIMITED
def test_join():
    done = threading.Event()
    thread = threading.Thread(target=done.wait, args=(FOREVER,), daemon=True)
    thread.start()
    try:
        thread.join()
    finally:
        done.set()

@LIMITED
def test_pool():
    from concurrent.futures import ThreadPoolExecutor
    done = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(done.wait, FOREVER)
        try:
            future.result()
        finally:
            done.set()

def test_block_leaves_a_lock_free():
    lock = threading.Lock()
    with pytest.raises(SignalTimeout), signal_timeout(0.2), lock:
        time.sleep(FOREVER)
    assert not lock.locked()
"""
CLOCKS_ENDED = [
    "test_frozen_clock", "test_frozen_processor_clock", "test_patched_sleep", "test_lock",
    "test_reentrant_lock_of_another_thread", "test_semaphore", "test_join", "test_pool",
]  # fmt: skip


def test_patched_clocks_locks_and_threads_are_no_way_out(session):
    result = session(CLOCKS)
    timed_out(result, *CLOCKS_ENDED)
    result.stdout.fnmatch_lines(["thread lock-holder*"])
    result.assert_outcomes(failed=8, passed=3)


def test_the_option_is_no_different_from_the_mark(session):
    need("trio", "its loop cannot be tested")
    code = (TRIO + CLOCKS).replace("@LIMITED\n", "")
    result = session(code, "--syskit-timeout=0.4", "-k", "a_sleep or a_shield or semaphore")
    timed_out(result, "test_a_sleep", "test_a_shield", "test_semaphore")


SLOW_REPORT = """
import time

def pytest_runtest_logreport(report):
    if report.when == "call":
        time.sleep(1.5)
"""


def test_stacks_are_not_written_while_a_time_out_is_reported(session, pytester):
    pytester.makeconftest(SLOW_REPORT)
    result = session("""
@LIMITED
def test_hangs():
    time.sleep(FOREVER)
""")
    timed_out(result, "test_hangs")
    assert "most recent call first" not in result.stderr.str()


# -- debuggers -----------------------------------------------------------------------------------


@pytest.fixture
def debugged(pytester, pty_pair, monkeypatch):
    """Return a function that starts pytest in a terminal on a file of tests."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    monkeypatch.setenv("TERM", "dumb")

    def start(code, *options):
        pytester.makepyfile(test_it=HEAD + code)
        pair = pty_pair
        pair.spawn(
            [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider",
             "-p", "no:anyio", *options, "test_it.py"]
        )  # fmt: skip
        return pair.controller

    return start


PROMPT = "(Pdb) "


def said(screen, text, timeout=30):
    """Read what the screen shows up to a text; every wait has a limit."""
    return screen.read_until(text.encode(), timeout=timeout)


def test_a_breakpoint_stops_the_clock_and_continuing_lets_it_go_on(debugged):
    screen = debugged("""
@pytest.mark.signal_timeout(1)
def test_it():
    breakpoint()
    time.sleep(FOREVER)
""")
    said(screen, PROMPT)
    screen.write(b"time.sleep(1.5) or 'still' + 'there'\n")
    said(screen, "stillthere")
    said(screen, PROMPT)
    screen.write(b"continue\n")
    said(screen, "Timeout: test_it.py::test_it (call) took longer than 1 s")
    said(screen, "1 failed")


def test_who_ends_soon_after_a_long_look_is_within_its_limit(debugged):
    screen = debugged("""
@pytest.mark.signal_timeout(1)
def test_it():
    breakpoint()
    time.sleep(0.1)
""")
    said(screen, PROMPT)
    screen.write(b"time.sleep(1.5) or 'still' + 'there'\n")
    said(screen, "stillthere")
    said(screen, PROMPT)
    screen.write(b"continue\n")
    said(screen, "1 passed")


def test_a_breakpoint_in_a_block_stops_its_clock(debugged):
    screen = debugged("""
def test_it():
    with pytest.raises(SignalTimeout), signal_timeout(0.5):
        breakpoint()
        time.sleep(FOREVER)
""")
    said(screen, PROMPT)
    screen.write(b"time.sleep(1.5) or 'still' + 'there'\n")
    said(screen, "stillthere")
    said(screen, PROMPT)
    screen.write(b"continue\n")
    said(screen, "1 passed")


def test_a_person_may_look_at_a_failure_for_as_long_as_it_takes(debugged):
    screen = debugged(
        """
@pytest.mark.signal_timeout(1)
def test_it():
    assert False, "its own failure"
""",
        "--pdb",
    )
    said(screen, PROMPT)
    screen.write(b"time.sleep(2.5) or 'still' + 'there'\n")
    said(screen, "stillthere")
    said(screen, PROMPT)
    screen.write(b"continue\n")
    text = said(screen, "1 failed")
    assert b"took longer" not in text
    assert b"most recent call first" not in text


def test_a_time_out_opens_the_debugger_where_the_test_hung(debugged):
    screen = debugged(
        """
def sleeper():
    where = "the frame that hung"
    time.sleep(FOREVER)

@LIMITED
def test_it():
    sleeper()

@LIMITED
def test_after():
    time.sleep(FOREVER)
""",
        "--pdb",
        "-x",
    )
    said(screen, PROMPT)
    screen.write(b"p where.upper()\n")
    said(screen, "THE FRAME THAT HUNG")
    said(screen, PROMPT)
    screen.write(b"continue\n")
    said(screen, "1 failed")

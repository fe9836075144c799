"""``--syskit-leak-trace`` tells the very line that made a descriptor or process, or nothing."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
from typing import NamedTuple

import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the trace is tried on Linux"
)
LIMIT = 240  # seconds for an inner run; the slowest takes ten on a quiet machine

# Garbage that is collected amid a call closes files of earlier tests, and what is made then is unknown.
PREAMBLE = """\
import gc; gc.disable()
import contextlib, ctypes, mmap, multiprocessing, os, pty, select, signal, socket, sqlite3
import subprocess, sys, tempfile, threading, time
import pytest
KEPT = []
libc = ctypes.CDLL(None)
nap = [sys.executable, "-c", "import time; time.sleep(20)"]

def child():
    os._exit(0)
"""

# Each statement is one line between others that make nothing; what is left is made by that line.
WAYS = {
    "pipe": "KEPT.extend(os.pipe())",
    "dup": "KEPT.append(os.dup(0))",
    "os_open": "KEPT.append(os.open('/dev/zero', 0))",
    "open": "KEPT.append(open('/dev/zero'))",
    "file_io": "KEPT.append(__import__('io').FileIO('/dev/zero'))",
    "socket": "KEPT.append(socket.socket())",
    "socketpair": "KEPT.append(socket.socketpair())",
    "create_server": "KEPT.append(socket.create_server(('127.0.0.1', 0)))",
    "sqlite": "KEPT.append(sqlite3.connect('x.db'))",
    "epoll": "made = select.epoll(); KEPT.append(made)",
    "epoll_alone": "global made; made = select.epoll()",
    "memfd": "KEPT.append(os.memfd_create('x'))",
    "eventfd": "KEPT.append(os.eventfd(0))",
    "mmap": "KEPT.append(mmap.mmap(KEPT[0].fileno(), 1))",
    "tempfile": "KEPT.append(tempfile.TemporaryFile())",
    "mkstemp": "KEPT.append(tempfile.mkstemp())",
    "openpty": "KEPT.extend(os.openpty())",
    "pty_openpty": "KEPT.extend(pty.openpty())",
    "ctypes_pipe": "libc.pipe((ctypes.c_int * 2)())",
    "scandir": "KEPT.append(os.scandir('.')); next(KEPT[-1])",
    "pidfd": "KEPT.append(os.pidfd_open(os.getpid()))",
    "listing": "KEPT.extend(list(map(os.dup, [0, 1])))",
    "loop": "[KEPT.append(each) for each in map(os.dup, [0, 1])]",
    "fork": "os.fork() or child()",
    "forkpty": "os.forkpty()[0] or child()",
    "pty_fork": "pty.fork()[0] or child()",
    "posix_spawn": "os.posix_spawn('/bin/true', ['true'], {})",
    "posix_spawnp": "KEPT.append(os.posix_spawnp('true', ['true'], {}))",
    "popen": "KEPT.append(subprocess.Popen(nap))",
    "popen_pipe": "KEPT.append(subprocess.Popen(nap, stdin=subprocess.PIPE))",
    "popen_preexec": "KEPT.append(subprocess.Popen(nap, preexec_fn=os.setsid))",
    "os_popen": "KEPT.append(os.popen('true'))",
    "multiprocessing": "KEPT.append(multiprocessing.get_context('fork').Process(target=child)); KEPT[-1].start()",
    "mp_pipe": "KEPT.append(multiprocessing.Pipe())",
    "ctypes_fork": "libc.fork() or libc.pause()",
    "spawnv": "os.spawnv(os.P_NOWAIT, '/bin/true', ['true'])",
    "orphan": "subprocess.run(['sh', '-c', 'sleep 20 >/dev/null 2>&1 &'])",
}
BEFORE = {"mmap": "KEPT.append(tempfile.TemporaryFile()); KEPT[0].write(b'x'); KEPT[0].flush()"}


def one_way(name: str) -> tuple[str, int]:
    """Return a test that leaves something in one way, and the line that makes it."""
    text = f"{PREAMBLE}\ndef test_{name}():\n    KEPT.clear()\n    {BEFORE.get(name, 'pass')}\n    number = 1\n"
    line = text.count("\n") + 1
    return f"{text}    {WAYS[name]}\n    number += 1\n    number += len('x')\n", line


class Run(NamedTuple):
    """An inner run: its exit status, what it printed, and the leaks of its report."""

    status: int
    output: str
    leaks: list[dict]
    options: tuple[str, ...] = ()

    def stacks(self, name: str) -> set[tuple[str, ...]]:
        """Return the distinct stacks of what a test, or a fixture, has left."""
        return {tuple(leak["created_at"] or ()) for leak in self.of(name)}

    def of(self, name: str) -> list[dict]:
        """Return what a test, or a fixture, has left."""
        return [leak for leak in self.leaks if leak["owner"]["id"].rpartition("::")[2] == name]


def run(folder, *arguments, before=(), traced=True, **files) -> Run:
    """Run pytest in a folder, in a session of its own, and end whatever it leaves there."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "SYSKIT"))}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "200"}
    options = ["-p", "no:cacheprovider", "-p", "syskit", "-W", "ignore", "--syskit-reap=leaked"]
    options += ["--syskit-report=r.json", "--rootdir=."]
    options += ["--syskit-leak-trace"] if traced else []
    command = [sys.executable, *before, "-m", "pytest", *options, *arguments]
    output = folder / "output.txt"
    with output.open("w") as out:
        inner = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        status = inner.wait(timeout=LIMIT)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(inner.pid, signal.SIGKILL)
        inner.wait()
    text = output.read_text()
    assert (folder / "r.json").exists(), text
    return Run(status, text, json.loads((folder / "r.json").read_text())["leaks"], arguments)


@pytest.fixture(scope="module")
def every_way(tmp_path_factory):
    """Run all ways in one session, each in a file of its own."""
    folder = tmp_path_factory.mktemp("ways")
    for name in WAYS:
        (folder / f"test_{name}.py").write_text(one_way(name)[0])
    return run(folder)


@pytest.mark.parametrize("name", WAYS)
def test_the_line_that_made_it_is_told(every_way, name):
    if name == "eventfd" and not hasattr(os, "eventfd"):
        pytest.skip("os.eventfd came with Python 3.10")
    told = every_way.stacks(f"test_{name}")
    expected = (f"test_{name}.py:{one_way(name)[1]} in test_{name}",)
    if name == "mmap":  # its file was made a line above
        assert told == {expected, (f"test_mmap.py:{one_way(name)[1] - 2} in test_mmap",)}
        return
    inner = {stack[:1] for stack in told}  # a comprehension has a frame of its own before 3.12
    assert inner == {expected}, (told, every_way.output)
    assert all(re.sub(":.*", "", line) == f"test_{name}.py" for stack in told for line in stack)


def lines(text, *marks):
    """Return the numbers of the lines that end in ``# mark``, for each mark."""
    found = {
        m[1]: text.count("\n", 0, m.start()) + 1
        for m in re.finditer(r"# (\w+)$", text, re.MULTILINE)
    }
    return [found[mark] for mark in marks]


NUMBERS = (
    PREAMBLE
    + """
def test_closed_and_used_again():
    fd = os.open("/dev/null", 0)
    os.close(fd)
    again, _ = os.pipe(), KEPT.append(fd)  # again
    assert fd in again

def test_closed_by_its_end_of_life():
    file = open("/dev/null")
    number = file.fileno()
    file = None
    made = socket.socket()  # socket
    assert made.fileno() == number
    KEPT.append(made)

def test_put_behind_a_number():
    fd = os.open("/dev/null", 0)
    reader, writer = os.pipe()
    os.dup2(reader, fd)  # dup2
    os.close(reader)
    os.close(writer)

def test_put_behind_a_number_by_c_code():
    fd = os.open("/dev/null", 0)
    reader, writer = os.pipe()
    libc.dup2(reader, fd)  # foreign
    os.close(reader)
    os.close(writer)

def test_same_path_on_another_line():
    for number in range(2):
        if number == 0:
            fd = os.open("/dev/null", 0)
            os.close(fd)
        else:
            fd = os.open("/dev/null", 0)  # second

def helper(make):
    return make()  # inner

def test_stack():
    KEPT.append(helper(socket.socket))  # outer

@pytest.fixture
def before():
    KEPT.append(os.open("/dev/zero", 0))  # setup
    yield
    KEPT.append(os.open("/dev/zero", 0))  # teardown

def test_fixture(before):
    pass

@pytest.fixture(scope="module")
def wide():
    KEPT.append(os.open("/dev/zero", 0))  # wide
    yield
    KEPT.append(os.open("/dev/zero", 0))  # end

def test_uses_wide(wide):
    pass

def test_generator():
    def numbers():
        for each in map(os.dup, [0]):  # generator
            yield each
    KEPT.extend(numbers())  # consumer

def test_signal_handler():
    def handler(*_):
        KEPT.extend(os.pipe())  # handler
    previous = signal.signal(signal.SIGUSR1, handler)
    os.kill(os.getpid(), signal.SIGUSR1)  # kill
    signal.signal(signal.SIGUSR1, previous)

def test_standard_input():
    saved = os.dup(0)
    made = os.open("/dev/zero", 0)
    os.dup2(made, 0)  # replaced
    os.close(made)
    os.close(saved)

def test_double_fork():
    pid = os.fork()  # first
    if pid == 0:
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "20"])
        os._exit(0)
    os.waitpid(pid, 0)

def test_daemon():
    pid = os.fork()  # daemon
    if pid == 0:
        os.setsid()
        if os.fork() == 0:
            os.execvp("sleep", ["sleep", "20"])
        os._exit(0)
    other = os.fork()
    if other == 0:
        time.sleep(20)
        os._exit(0)
    os.waitpid(pid, 0)
    os.kill(other, 9)
    os.waitpid(other, 0)
"""
)


@pytest.fixture(scope="module", params=["here", "forked", "xdist", "adopting"])
def numbers(request, tmp_path_factory):
    options = {
        "here": (),
        "forked": ("--syskit-fork",),
        "xdist": ("-p", "xdist", "-n2", "--dist=loadfile"),
        "adopting": ("--syskit-subreaper",),
    }
    if request.param == "xdist":
        pytest.importorskip("xdist")
    return run(tmp_path_factory.mktemp("numbers"), *options[request.param], test_it=NUMBERS)


@pytest.mark.parametrize(
    ("name", "marks", "function"),
    [
        ("test_closed_and_used_again", ["again"], None),
        ("test_closed_by_its_end_of_life", ["socket"], None),
        ("test_put_behind_a_number", ["dup2"], None),
        ("test_put_behind_a_number_by_c_code", ["foreign"], None),
        ("test_same_path_on_another_line", ["second"], None),
        ("test_stack", ["outer", "inner"], "helper"),
        ("test_generator", ["consumer", "generator"], "numbers"),
        ("test_signal_handler", ["kill", "handler"], "handler"),
        ("test_double_fork", ["first"], None),
        ("test_daemon", ["daemon"], None),
        ("test_standard_input", ["replaced"], None),
    ],
)
def test_what_is_closed_and_used_again_has_its_own_line(numbers, name, marks, function):
    functions = [name, function or name]
    expected = tuple(
        f"test_it.py:{n} in {f}" for n, f in zip(lines(NUMBERS, *marks), functions, strict=False)
    )
    if name == "test_daemon" and "--syskit-subreaper" in numbers.options:
        # The orphan may be adopted during another fork: then nobody can say which of the two made it.
        assert numbers.stacks(name) in ({expected}, {()}), numbers.output
        return
    if name == "test_signal_handler" and sys.version_info < (3, 11):
        # There a handler runs between two instructions, be they ours: then its line is unknown.
        assert numbers.stacks(name) in ({expected}, {()}), numbers.output
        return
    assert numbers.stacks(name) == {expected}, numbers.output


def test_fixtures_are_traced(numbers):
    setup, teardown, wide, end = lines(NUMBERS, "setup", "teardown", "wide", "end")
    places = {(f"test_it.py:{n} in before",) for n in (setup, teardown)}
    assert numbers.stacks("test_fixture") == places
    told = numbers.stacks("wide")
    assert (f"test_it.py:{wide} in wide",) in told
    assert told <= {(f"test_it.py:{n} in wide",) for n in (wide, end)} | {()}


def test_the_terminal_shows_the_lines_under_the_resource(numbers):
    (line,) = lines(NUMBERS, "wide")
    assert f"\n      test_it.py:{line} in wide\n" in numbers.output
    assert "--syskit-leak-trace " not in numbers.output  # that was done
    assert numbers.status == 0


THREADS = (
    PREAMBLE
    + """
def make(barrier):
    barrier.wait()
    for _ in range(5):
        sum(range(1000))
        KEPT.extend(os.pipe())  # here

def test_at_once():
    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=make, args=(barrier,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

def test_raw_thread():
    done = threading.Event()
    def raw():
        KEPT.extend(os.pipe())  # raw
        done.set()
    __import__("_thread").start_new_thread(raw, ())
    assert done.wait(10)

@pytest.fixture
def server():
    listening = socket.create_server(("127.0.0.1", 0))
    def serve():
        KEPT.append(listening.accept())  # accept
    thread = threading.Thread(target=serve)
    thread.start()
    yield listening.getsockname()
    thread.join()
    listening.close()

def test_beside_a_server(server):
    KEPT.extend(os.pipe())  # beside
    KEPT.append(socket.create_connection(server))  # client
    time.sleep(0.1)
    KEPT.append(os.dup(0))  # after

def test_forks_in_a_thread():
    def forks():
        if os.fork() == 0:  # forks
            os._exit(0)
    thread = threading.Thread(target=forks)
    thread.start()
    thread.join()

def test_forks_itself():
    if os.fork() == 0:  # itself
        os._exit(0)

def test_thread_of_c_code():
    routine = ctypes.cast(libc.pipe, ctypes.c_void_p)
    numbers, thread = (ctypes.c_int * 2)(), ctypes.c_ulong()
    libc.pthread_create(ctypes.byref(thread), None, routine, numbers)
    number = 0
    while not numbers[1]:
        number += 1
    libc.pthread_join(thread, None)
    assert numbers[1]
"""
)


@pytest.fixture(scope="module")
def threads(tmp_path_factory):
    return run(tmp_path_factory.mktemp("threads"), test_it=THREADS)


def test_threads_at_the_same_time_are_never_confused(threads):
    (here,) = lines(THREADS, "here")
    stacks = [leak["created_at"] for leak in threads.of("test_at_once")]
    assert len(stacks) == 40
    assert {tuple(stack) for stack in stacks if stack} == {(f"test_it.py:{here} in make",)}
    assert stacks.count(None) <= 10  # unknown is allowed where two were in the kernel at once


def test_a_thread_without_threading_is_traced_or_unknown(threads):
    (raw,) = lines(THREADS, "raw")
    known = {(f"test_it.py:{raw} in raw",)}
    told = threads.stacks("test_raw_thread")
    assert told == known if sys.version_info >= (3, 12) else told <= known | {()}


def test_a_number_that_waits_in_accept_belongs_to_its_thread(threads):
    beside, client, after, accept = lines(THREADS, "beside", "client", "after", "accept")
    mine = {(f"test_it.py:{n} in test_beside_a_server",) for n in (beside, client, after)}
    # Where another thread comes between the call and its return, the line is unknown, never wrong.
    assert threads.stacks("test_beside_a_server") - mine in (
        {(f"test_it.py:{accept} in serve",)},
        {()},
    ), threads.output
    assert mine <= threads.stacks("test_beside_a_server"), threads.output


def test_children_of_threads_are_told_apart(threads):
    forks, itself = lines(THREADS, "forks", "itself")
    assert threads.stacks("test_forks_in_a_thread") == {(f"test_it.py:{forks} in forks",)}
    assert threads.stacks("test_forks_itself") == {(f"test_it.py:{itself} in test_forks_itself",)}


def test_what_a_thread_of_c_code_makes_is_unknown(threads):
    assert len(threads.of("test_thread_of_c_code")) == 2
    (create,) = [n for n, t in enumerate(THREADS.splitlines(), 1) if "pthread_create" in t]
    # It may be done before the call that starts it is back: then that line has made it.
    started = (f"test_it.py:{create} in test_thread_of_c_code",)
    assert threads.stacks("test_thread_of_c_code") <= {(), started}


NEIGHBOURS = (
    PREAMBLE
    + """
import cProfile

def test_nobody_sees_a_profiler():
    assert sys.getprofile() is None
    assert sys.gettrace() is None
    assert threading.getprofile() is None
    assert threading.gettrace() is None

def test_own_profiler():
    heard = []
    sys.setprofile(lambda frame, event, argument: heard.append(event))
    KEPT.append(os.dup(0))  # own
    sys.setprofile(None)
    assert "c_call" in heard and "c_return" in heard

def test_after_it():
    KEPT.append(os.dup(0))  # after

def test_cprofile():
    profile = cProfile.Profile()
    profile.enable()
    KEPT.append(os.dup(0))  # profiled
    profile.disable()
    assert any("dup" in str(entry.code) for entry in profile.getstats())

def test_own_trace_function():
    heard = []
    def trace(frame, event, argument):
        heard.append(event)
        return trace
    def traced():
        KEPT.append(os.dup(0))  # traced
    sys.settrace(trace)
    traced()
    sys.settrace(None)
    assert "line" in heard

def test_deep():
    def deep(number):
        return deep(number + 1)
    with pytest.raises(RecursionError):
        deep(0)
    KEPT.append(os.dup(0))  # recursion

class Picky:
    def __getattr__(self, name):
        raise AssertionError(name)
    def __eq__(self, other):
        raise AssertionError
    __hash__ = None
    def __call__(self):
        return os.dup(0)  # picky

def test_objects_are_not_asked():
    KEPT.append(Picky()())  # called

def test_handler_that_raises():
    def handler(*_):
        raise KeyError("mine")
    previous = signal.signal(signal.SIGALRM, handler)
    for _ in range(20):
        with pytest.raises(KeyError):
            signal.setitimer(signal.ITIMER_REAL, 0.002)
            while True:
                len("x")
    signal.signal(signal.SIGALRM, previous)

def test_full_table():
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    made = []
    try:
        while True:
            made.append(os.dup(0))  # full
    except OSError:
        pass
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    for fd in made[1:]:
        os.close(fd)

def test_lifetime():
    class Kept:
        pass
    import weakref
    seen = weakref.ref(Kept())
    assert seen() is None
    def inner():
        kept = Kept()
        return weakref.ref(kept)
    assert inner()() is None
"""
)


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory):
    return run(tmp_path_factory.mktemp("neighbours"), test_it=NEIGHBOURS)


def test_the_plugin_itself_does_not_use_what_makes_the_trace_doubt(tmp_path):
    body = "import sys\ndef test_a(): assert 'ctypes' not in sys.modules\n"
    assert run(tmp_path, test_it=body).status == 0


def test_no_outcome_is_changed(neighbours):
    assert neighbours.status == 0, neighbours.output


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("test_own_profiler", "own"),
        ("test_after_it", "after"),
        ("test_cprofile", "profiled"),
        ("test_deep", "recursion"),
        ("test_full_table", "full"),
    ],
)
def test_beside_profilers_the_line_is_right_or_unknown(neighbours, name, mark):
    told = neighbours.stacks(name)
    known = {(f"test_it.py:{lines(NEIGHBOURS, mark)[0]} in {name}",)}
    sure = sys.version_info >= (3, 12) or name in {"test_after_it", "test_full_table"}
    assert told == known if sure else told in (known, {()}), neighbours.output


def test_a_function_of_the_tests_own_is_told_once(neighbours):
    said = [line for line in neighbours.output.splitlines() if line.startswith("not traced")]
    if sys.version_info >= (3, 12):
        assert said == []
    else:
        assert len(said) == len(set(said)) > 0
        assert any("test_own_profiler" in line and "profile function" in line for line in said)


def test_the_users_objects_are_called_and_not_asked(neighbours):
    called, picky = lines(NEIGHBOURS, "called", "picky")
    assert neighbours.stacks("test_objects_are_not_asked") == {
        (f"test_it.py:{called} in test_objects_are_not_asked", f"test_it.py:{picky} in __call__")
    }


SIMPLE = (
    PREAMBLE
    + """
def test_two():
    KEPT.extend(os.pipe())  # pipe
    made = select.epoll()  # epoll
    KEPT.append(made)
"""
)


@pytest.mark.parametrize("tool", ["cProfile", "coverage"])
def test_tools_around_the_whole_run(tool, tmp_path):
    before = {"cProfile": ["-m", "cProfile", "-o", "p"], "coverage": ["-m", "coverage", "run"]}
    if tool == "coverage":
        pytest.importorskip("coverage")
    made = run(tmp_path, before=before[tool], test_it=SIMPLE)
    pipe, epoll = lines(SIMPLE, "pipe", "epoll")
    known = {(f"test_it.py:{n} in test_two",) for n in (pipe, epoll)}
    told = made.stacks("test_two")
    assert told - {()} <= known
    assert (f"test_it.py:{pipe} in test_two",) in told, made.output
    assert ("not traced in full, because" in made.output) == (sys.version_info < (3, 12))


def test_github_annotations_show_the_lines(tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    made = run(tmp_path, test_it=SIMPLE)
    (pipe,) = lines(SIMPLE, "pipe")
    assert f"%0A      test_it.py:{pipe} in test_two%0A" in made.output


HINTS = """
import os, pytest
KEPT = []
@pytest.fixture(scope="module")
def wide():
    KEPT.extend(os.pipe())
def test_uses(wide): pass
@pytest.mark.parametrize("text", ["a b$"])
def test_one(text): KEPT.append(os.dup(0))
"""


@pytest.mark.parametrize("mode", ["warn", "fail"])
def test_without_the_trace_a_block_says_how_to_get_it(mode, tmp_path):
    made = run(tmp_path, f"--syskit-leaks={mode}", traced=False, test_it=HINTS)
    said = [x.strip() for x in made.output.splitlines() if "--syskit-leak-trace" in x]
    assert set(said) == {
        'to see the lines that made them: pytest --syskit-leak-trace "test_it.py::test_uses"',
        "to see the line that made it: pytest --syskit-leak-trace 'test_it.py::test_one[a b$]'",
    }
    assert all(leak["created_at"] is None for leak in made.leaks)

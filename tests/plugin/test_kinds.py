"""Threads, directory, umask, environment, signals and timers: who left them, in real runs."""

from __future__ import annotations

import json

import pytest

ALONE = ("--disable-plugin-autoload", "-p", "syskit", "-p", "no:cacheprovider")
WIDE = """
import os
import signal
import pytest

def on_term(*_): pass

@pytest.fixture(scope="module")
def moved(tmp_path_factory):
    before, mask = os.getcwd(), os.umask(0o027)
    os.chdir(tmp_path_factory.mktemp("moved"))
    os.environ["WIDE"] = "1"
    handler = signal.signal(signal.SIGTERM, on_term)
    yield
    os.chdir(before)
    os.umask(mask)
    del os.environ["WIDE"]
    signal.signal(signal.SIGTERM, handler)
"""


@pytest.fixture
def run(pytester, monkeypatch):
    """Run tests of a source with all kinds, in a process of their own; return the JSON report."""
    for name in ("SYSKIT_LEAKS", "SYSKIT_LEAK_KINDS", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)

    def run(source, *arguments, kinds="all"):
        pytester.makepyfile(test_it=source)
        options = [f"--syskit-leak-kinds={kinds}", "--syskit-report=x.json"]
        result = pytester.runpytest_subprocess(*ALONE, *options, *arguments)
        report = json.loads((pytester.path / "x.json").read_text())
        report["output"] = result.stdout.str() + result.stderr.str()
        report["outcomes"] = result.parseoutcomes()
        assert result.ret in (0, 1), report["output"]
        return report

    return run


def found(report):
    """Return owner, kind and phase of each finding."""
    return sorted(
        (x["owner"]["id"].rpartition("::")[2], x["kind"], x["phase"]) for x in report["leaks"]
    )


def labels(report):
    return [leak["label"] for leak in report["leaks"]]


XDIST = [(), ("-p", "xdist", "-n2")]


@pytest.mark.parametrize("workers", XDIST, ids=["serial", "xdist"])
def test_a_test_that_works_within_a_moved_module_is_not_charged(run, workers):
    report = run(
        WIDE
        + """
def test_patches(moved, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WIDE", "2")
    monkeypatch.setenv("OTHER", "2")

def test_puts_back_by_hand(moved, tmp_path):
    before, mask = os.getcwd(), os.umask(0o077)
    handler = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.chdir(tmp_path)
    os.environ["WIDE"] = "3"
    os.chdir(before)
    os.umask(mask)
    os.environ["WIDE"] = "1"
    signal.signal(signal.SIGTERM, handler)

def test_plain(moved): pass
""",
        *workers,
    )
    assert found(report) == []
    assert report["tests_checked"] == 3
    assert report["not_checked"] == []


def test_what_a_fixture_puts_back_is_no_leak_of_its_last_user(run):
    source = "def test_last(moved, tmp_path): os.chdir(tmp_path)"
    assert found(run(WIDE + source)) == []


@pytest.mark.parametrize("workers", XDIST, ids=["serial", "xdist"])
def test_a_test_that_works_within_a_moved_module_and_leaves_something_is_charged(run, workers):
    report = run(
        WIDE
        + """
def test_leaves(moved, tmp_path):
    os.chdir(tmp_path)
    os.umask(0o077)
    os.environ["WIDE"] = "2"
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

def test_next(moved): pass
""",
        *workers,
        *(["--dist=loadfile"] if workers else []),
    )
    kinds = ["cwd", "env", "signal", "umask"]
    assert found(report) == [("test_leaves", kind, "call") for kind in kinds]
    for label, was in zip(
        sorted(labels(report)),
        ["moved0)", "(was '1')", "(was handled by ", "(was 0027)"],
        strict=True,
    ):
        assert was in label


def test_a_fixture_that_does_not_put_back_is_charged_and_its_tests_are_not(run):
    report = run(
        """
import os, threading, pytest
over = threading.Event()

@pytest.fixture(scope="module")
def leaving(tmp_path_factory):
    os.chdir(tmp_path_factory.mktemp("left"))
    threading.Thread(target=over.wait, daemon=True).start()

def test_one(leaving, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

def test_two(leaving): pass
"""
    )
    assert found(report) == [("leaving", "cwd", "setup"), ("leaving", "thread", "setup")]


def test_phases_are_told(run):
    report = run(
        """
import os, pytest

@pytest.fixture
def early():
    os.environ["EARLY"] = "1"
    yield
    os.environ["LATE"] = "1"

def test_it(early):
    os.environ["AMID"] = "1"
"""
    )
    assert {x["detail"]["name"]: x["phase"] for x in report["leaks"]} == {
        "EARLY": "setup",
        "AMID": "call",
        "LATE": "teardown",
    }


def test_a_thread_tells_what_it_does_and_where_it_was_started(run):
    report = run(
        """
import threading
over = threading.Event()

def work():
    over.wait()

def begin():
    threading.Thread(target=work, name="worker", daemon=True).start()

def test_it():
    begin()
"""
    )
    (leak,) = report["leaks"]
    assert leak["label"] == "thread 'worker'  daemon, at test_it.py:5 in work"
    assert leak["created_at"] == ["test_it.py:11 in test_it", "test_it.py:8 in begin"]
    assert leak["detail"]["stack"] == ["test_it.py:5 in work"]
    assert "test_it.py::test_it left 1 thread behind" in report["output"]


def test_a_thread_that_is_ending_gets_the_grace(run):
    report = run(
        """
import threading, time

def test_it():
    threading.Thread(target=time.sleep, args=(0.05,)).start()
""",
        "--syskit-leak-grace=5",
    )
    assert found(report) == []


def test_the_pool_of_a_session_fixture_is_the_fixtures(run):
    report = run(
        """
import pytest
from concurrent.futures import ThreadPoolExecutor

@pytest.fixture(scope="session")
def pool():
    with ThreadPoolExecutor() as pool:
        yield pool

def test_one(pool):
    pool.submit(int).result()

def test_two(pool):
    pool.submit(int).result()
"""
    )
    assert found(report) == []


def test_the_pool_of_a_session_fixture_that_forgets_it_is_the_fixtures_leak(run):
    report = run(
        """
import pytest
from concurrent.futures import ThreadPoolExecutor
KEPT = []

@pytest.fixture(scope="session")
def pool():
    KEPT.append(ThreadPoolExecutor())
    return KEPT[0]

def test_one(pool):
    pool.submit(int).result()

def test_two(pool): pass
"""
    )
    assert found(report) == [("pool", "thread", "call")]


def test_pools_of_a_test_that_are_dropped_end_by_themselves(run):
    report = run(
        """
import asyncio
from concurrent.futures import ThreadPoolExecutor

def test_executor():
    ThreadPoolExecutor().submit(int).result()

def test_loop():
    async def main():
        await asyncio.to_thread(int)
    asyncio.run(main())
""",
        "--syskit-leak-grace=5",
    )
    assert found(report) == []


def test_a_failing_tests_values_are_told_and_are_no_second_error(run):
    report = run(
        """
import os

def test_fails():
    os.environ["LEFT"] = "1"
    assert False

def test_after(): pass
""",
        "--syskit-leaks=fail",
    )
    assert found(report) == [("test_fails", "env", "call")]
    assert report["outcomes"] == {"failed": 1, "passed": 1}


LEAVES = """
import os, signal, threading

def test_first(tmp_path):
    os.chdir(tmp_path)
    os.umask(0o077)
    os.environ["LEFT"] = "1"
    os.environ.pop("HERE")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    signal.setitimer(signal.ITIMER_REAL, 1000)

def test_second(): CHECK
"""
PUT_BACK = """
    assert os.getcwd() == START
    assert os.umask(0o022) == 0o022
    assert "LEFT" not in os.environ and os.environ["HERE"] == "1"
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
"""
START = "\nSTART = os.getcwd()\nos.environ['HERE'] = '1'\nos.umask(0o022)\n"


@pytest.mark.parametrize("workers", XDIST, ids=["serial", "xdist"])
@pytest.mark.parametrize("fails", [False, True])
def test_restoring_puts_values_back_before_the_next_test(run, workers, fails):
    source = LEAVES.replace("CHECK", PUT_BACK) + START
    if fails:
        source = source.replace("1000)", "1000)\n    assert False")
    workers += ("--dist=loadfile",) if workers else ()
    report = run(source, "--syskit-restore=leaked", *workers)
    assert report["outcomes"].get("passed") == (1 if fails else 2), report["output"]
    assert {leak["owner"]["id"] for leak in report["leaks"]} == {"test_it.py::test_first"}
    assert len(report["leaks"]) == 7


def test_without_restoring_values_stay_and_are_told_once(run):
    check = "assert 'LEFT' in os.environ; signal.setitimer(signal.ITIMER_REAL, 0)"
    report = run(LEAVES.replace("CHECK", check) + START)
    assert report["outcomes"] == {"passed": 2}, report["output"]
    assert len(report["leaks"]) == 7


def test_restoring_puts_back_what_the_fixture_had_set(run):
    report = run(
        WIDE
        + """
def test_leaves(moved, tmp_path):
    os.chdir(tmp_path)
    os.environ["WIDE"] = "2"
    os.umask(0o077)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

def test_next(moved):
    assert os.path.basename(os.getcwd()) == "moved0"
    assert os.environ["WIDE"] == "1"
    assert os.umask(0o027) == 0o027
    assert signal.getsignal(signal.SIGTERM) is on_term
""",
        "--syskit-restore=leaked",
    )
    assert report["outcomes"] == {"passed": 2}, report["output"]
    assert {x for x, _, _ in found(report)} == {"test_leaves"}


def test_what_is_allowed_is_not_put_back(run):
    report = run(
        """
import os, pytest

@pytest.mark.allow_leaks("env", match="MEANT", reason="the next one needs it")
def test_first():
    os.environ["MEANT"] = "1"

def test_second():
    assert os.environ["MEANT"] == "1"
""",
        "--syskit-restore=leaked",
    )
    assert report["outcomes"] == {"passed": 2}, report["output"]
    assert [leak["verdict"] for leak in report["leaks"]] == ["allowed"]


def test_a_leak_of_one_test_is_not_charged_to_another_that_works_around_it(run):
    report = run(
        """
import os

def test_leaves():
    os.environ["LEFT"] = "1"

def test_works_around(monkeypatch):
    monkeypatch.delenv("LEFT")
    monkeypatch.setenv("LEFT", "2")
    monkeypatch.delenv("LEFT")
""",
        "-p",
        "no:randomly",
    )
    assert found(report) == [("test_leaves", "env", "call")]


def test_rules_and_allowances_know_the_kinds(run):
    report = run(
        """
import os, threading, pytest
over = threading.Event()

@pytest.mark.allow_leaks("thread", reason="meant")
def test_allowed():
    threading.Thread(target=over.wait, daemon=True).start()

def test_ignored():
    os.environ["NOISE"] = "1"
""",
        "--syskit-leak-ignore=env:NOISE  # meant",
        "--syskit-leak-ignore=umask:0077  # never comes",
    )
    assert [(x["kind"], x["verdict"]) for x in report["leaks"]] == [("thread", "allowed")]
    assert report["stale_rules"] == ["umask:0077  # never comes"]


def test_one_test_may_ask_for_a_kind_that_the_run_does_not_watch(run):
    report = run(
        """
import os, pytest

@pytest.mark.leak_policy("fail", kinds=["env"])
def test_asks():
    os.environ["ONE"] = "1"

def test_does_not_ask():
    os.environ["TWO"] = "1"
""",
        kinds="process,fd",
    )
    assert found(report) == [("test_asks", "env", "call")]
    assert report["outcomes"] == {"passed": 2, "errors": 1}


def test_a_run_that_asks_for_none_of_them_imports_none_of_them(run):
    report = run(
        """
import sys

def test_it():
    assert not [name for name in sys.modules if name.startswith("pytest_syskit.host.state")]
""",
        kinds="process,fd",
    )
    assert report["outcomes"] == {"passed": 1}, report["output"]


@pytest.mark.parametrize("limit", [("-p", "timeout", "--timeout=100"), ("--syskit-timeout=100",)])
@pytest.mark.parametrize("method", ["signal", "thread"])
def test_time_limits_of_the_run_are_not_charged(run, limit, method):
    if method == "thread":
        limit = (*limit, "--timeout-method=thread") if "timeout" in limit else limit
    report = run(
        """
import pytest, signal, time

@pytest.fixture(scope="module")
def wide():
    yield

@pytest.fixture
def narrow():
    yield

def test_one(wide, narrow): pass
def test_two(wide, narrow): pass

@pytest.mark.signal_timeout(50, clock="cpu")
def test_three(wide): pass
""",
        *limit,
    )
    assert found(report) == []
    assert report["outcomes"] == {"passed": 3}


def test_a_wide_fixtures_handler_is_found_although_tests_have_limits(run):
    report = run(
        """
import pytest, signal

@pytest.fixture(scope="module")
def wide():
    signal.signal(signal.SIGALRM, lambda *_: None)

def test_one(wide): pass
def test_two(wide): pass
""",
        "--syskit-timeout=100",
    )
    assert [x["owner"]["id"] for x in report["leaks"]] == ["wide"], report["output"]


def test_everything_is_seen_in_forked_tests_too(run):
    report = run(
        """
import os, signal, threading
over = threading.Event()

def test_leaves(tmp_path):
    os.chdir(tmp_path)
    os.environ["LEFT"] = "1"
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=over.wait, daemon=True).start()

def test_clean(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
""",
        "--syskit-fork",
    )
    kinds = ["cwd", "env", "signal", "thread"]
    assert found(report) == [("test_leaves", kind, "call") for kind in kinds]


def test_secrets_reach_no_report(run, pytester):
    report = run('import os\ndef test_it(): os.environ["API_TOKEN"] = "hunter2"')
    assert labels(report) == ["env API_TOKEN  *** (was not set)"]
    assert "hunter2" not in (pytester.path / "x.json").read_text() + report["output"]


def test_a_removed_working_directory_is_said_to_be(run):
    report = run(
        """
import os

def test_it(tmp_path):
    os.chdir(tmp_path)
    tmp_path.rmdir()
    os.rmdir
"""
    )
    (label,) = labels(report)
    assert " (removed) (was " in label


def test_pytest_within_pytest_leaves_nothing(run):
    report = run(
        """
pytest_plugins = "pytester"

def test_it(pytester):
    pytester.makepyfile("import os\\ndef test_inner(): os.environ['X_INNER'] = '1'; del os.environ['X_INNER']")
    pytester.runpytest_inprocess(
        "-p", "no:cacheprovider", "-p", "no:rerunfailures", "-W", "ignore"
    )
"""
    )
    assert found(report) == []


REMEDIES = {
    "cwd": "go back to the old directory (monkeypatch.chdir does)",
    "umask": "set the old umask again",
    "env": "put the variables back (monkeypatch.setenv does)",
    "signal": "put the signals back (signal_state does)",
    "timer": "stop the timer (signal.setitimer with 0)",
    "thread": "end it and join it",
}


@pytest.mark.parametrize("kind", REMEDIES)
def test_each_kind_has_its_remedy(run, kind):
    report = run(
        f"""
import os, signal, threading

def test_it(tmp_path):
    {{
        "cwd": lambda: os.chdir(tmp_path),
        "umask": lambda: os.umask(0o077),
        "env": lambda: os.environ.update(LEFT="1"),
        "signal": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
        "timer": lambda: signal.setitimer(signal.ITIMER_PROF, 1000),
        "thread": threading.Thread(target=threading.Event().wait, daemon=True).start,
    }}[{kind!r}]()
"""
    )
    assert found(report) == [("test_it", kind, "call")]
    last = report["output"].partition("left behind ===")[2]
    assert f'  {REMEDIES[kind]} in the test, or mark it @pytest.mark.allow_leaks("{kind}"' in last


def test_info_tells_how_the_new_kinds_are_read(pytester):
    result = pytester.runpytest_inprocess("--syskit-info")
    result.stdout.fnmatch_lines(["*umask *", "*timers *ITIMER_REAL*", "*threads *"])

"""``signal_timeout`` marks and ``--syskit-timeout``: who hangs is ended, named, and leaves nothing."""

import re
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from pytest_syskit.hooks.marker_arguments import WrongArguments
from pytest_syskit.hooks.timeout_marker import SIGNAL_TIMEOUT

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")

LIMIT = 0.4  # of hanging_tests.py
NOTICE = 1.5 * LIMIT + 2.0  # half a limit more, and what a busy machine adds


# -- twenty ways to hang -------------------------------------------------------------------------


class Case:
    """What JUnit says of one test."""

    def __init__(self, element):
        self.seconds = float(element.get("time"))
        self.problems = [*element.findall("failure"), *element.findall("error")]
        self.text = "\n".join(problem.text or "" for problem in self.problems)
        self.message = self.problems[0].get("message") if self.problems else None
        self.properties = {p.get("name"): p.get("value") for p in element.iter("property")}
        self.whole = "\n".join([self.message or "", *element.itertext()])


def run_all(folder, *options, conftest=""):
    """Run the tests in a folder; return what pytest said, and each test's case by its name."""
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    (folder / "conftest.py").write_text(conftest)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--junitxml=all.xml",
         "-o", "junit_logging=all", *options],
        cwd=folder, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    cases = {}
    for element in ET.parse(folder / "all.xml").iter("testcase"):
        case = Case(element)
        if element.get("name") in cases:  # JUnit has a second entry for a second problem
            cases[element.get("name")].problems += case.problems
        else:
            cases[element.get("name")] = case
    return done, cases


@pytest.fixture(scope="module", params=["serial", "xdist"])
def hanging(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copy(Path(__file__).with_name("hanging_tests.py"), folder / "test_hang.py")
    return run_all(folder, *(["-n", "2"] if request.param == "xdist" else []))


CULPRITS = {
    "test_sleep": "MainThread sleeps",
    "test_read_of_an_empty_pipe": r"write end of pipe:[",
    "test_child_holds_our_pipe": "sleep as fd",
    "test_fifo_without_a_peer": "lonely",
    "test_socket": "is open in this process as fd",
    "test_lock": "waits for a lock or for another thread",
    "test_join": "thread never-done",
    "test_select": "waits for any of several descriptors",
    "test_waitpid": "MainThread waits for child process",
    "test_subprocess": "sleep 32",
    "test_asyncio_sleep": "asyncio: 1 task not done",
    "test_asyncio_busy_task": "in busy: time.sleep(FOREVER)",
    "test_asyncio_gather": "in waiting: await asyncio.sleep(FOREVER)",
    "test_asyncio_callback": "asyncio: 1 task not done",
    "test_swallowed_once": "it caught the exception that ends it 1 time;",
    "test_except_base_exception": "it caught the exception that ends it 2 times",
    "test_finally_that_hangs": "it caught the exception that ends it 1 time",
    "test_destructor": "in __del__",
    "test_python_loop": "in test_python_loop",
    "test_stopped_alarm": "switched off inside: the interval timer was stopped",
    "test_foreign_handler": "switched off inside: the",
    "test_patched_sleep": "in <lambda>",
    "test_hypothesis": "in test_hypothesis",
    "test_method": "in test_method",
    "test_setup": "in slow_to_set_up",
    "test_teardown": "in slow_to_tear_down",
    "test_processor_time": "0.4 s of processor time",
}


@pytest.mark.parametrize("name", CULPRITS)
def test_every_hang_is_ended_in_time_and_explained(hanging, name):
    case = hanging[1][name]
    assert case.problems, f"{name} passed"
    assert case.message.partition("Timeout: ")[2].startswith("test_hang.py::")
    assert "took longer than 0.4 s" in case.message
    assert CULPRITS[name] in case.whole
    if name != "test_processor_time":  # which a busy machine gives as it likes
        assert case.seconds < NOTICE


def test_every_way_to_hang_is_in_the_table(hanging):
    assert set(hanging[1]) == {*CULPRITS, "test_within_its_limit"}


def test_a_test_within_its_limit_passes(hanging):
    assert hanging[1]["test_within_its_limit"].problems == []


def test_a_timeout_is_a_property_of_its_test(hanging):
    cases = hanging[1]
    assert cases["test_sleep"].properties["syskit.timeout"] == "call 0.4 s"
    assert cases["test_setup"].properties["syskit.timeout"] == "setup 0.4 s"
    assert cases["test_teardown"].properties["syskit.timeout"] == "teardown 0.4 s"
    assert "syskit.timeout" not in cases["test_within_its_limit"].properties


def test_a_timeout_is_a_failure_like_others(hanging):
    done, _ = hanging
    assert done.returncode == 1
    assert re.search(r"25 failed, 2 passed, (\d warnings?, )?2 errors", done.stdout)
    assert "INTERNALERROR" not in done.stdout + done.stderr
    assert "FAILED test_hang.py::test_sleep - Timeout: test_hang.py::test_sleep" in done.stdout


def test_clean_ups_of_unittest_run(hanging):
    assert "cleaned up" in hanging[1]["test_method"].whole


def test_children_are_listed_and_ended(hanging):
    case = hanging[1]["test_child_holds_our_pipe"]
    _, _, ended = case.whole.partition("ended what the test had started:")
    pids = [int(pid) for pid in re.findall(r"^  pid (\d+) sleeps: sleep 31$", ended, re.MULTILINE)]
    assert pids
    assert not any(psutil.pid_exists(pid) for pid in pids)


# -- phases, fixtures, and living with others ----------------------------------------------------

# Each entry is a file of one session.
SCENARIOS = {
    "scope": """
@pytest.fixture
def slow():
    time.sleep(0.5)
    yield
    time.sleep(0.5)

@pytest.mark.signal_timeout(0.4, scope="call")
def test_scope_call_leaves_fixtures_alone(slow):
    pass

@pytest.mark.signal_timeout(0.4, scope="call")
def test_scope_call_limits_the_call():
    time.sleep(30)
""",
    "phases": """
@pytest.fixture
def slow():
    time.sleep(0.4)
    yield
    time.sleep(0.4)

@pytest.mark.signal_timeout(0.7)
def test_each_phase_has_the_whole_limit(slow):
    time.sleep(0.4)

@pytest.fixture(scope="module")
def server():
    time.sleep(0.4)

@pytest.fixture
def client(server):
    time.sleep(0.4)

@pytest.mark.signal_timeout(0.7)
def test_a_wider_fixture_is_not_charged_to_its_first_user(client):
    pass
""",
    "wide": """
@pytest.fixture(scope="module")
def hanging_server():
    os.write(2, b"the server is being set up")
    time.sleep(30)

@pytest.mark.signal_timeout(0.4)
def test_first_user(hanging_server):
    pass

@pytest.mark.signal_timeout(0.4)
def test_second_user(hanging_server):
    pass
""",
    "children": """
@pytest.fixture(scope="module")
def server():
    child = subprocess.Popen(["sleep", "33"])
    yield child
    child.kill()
    child.wait()

@pytest.mark.signal_timeout(0.4)
def test_hangs_with_a_server(server):
    time.sleep(30)

def test_the_server_lives_on(server):
    assert server.poll() is None

@pytest.fixture
def own_server():
    child = subprocess.Popen(["sleep", "34"])
    yield
    assert child.poll() is None, "ended before its fixture had its turn"
    child.kill()
    child.wait()

@pytest.mark.signal_timeout(0.4)
def test_a_fixture_ends_its_own_child(own_server):
    time.sleep(30)
""",
    "teardown": """
@pytest.fixture
def thing():
    yield
    print("thing was put away")

@pytest.mark.signal_timeout(0.4)
def test_hangs_with_a_fixture(thing):
    time.sleep(30)

@pytest.fixture
def put_away_late():
    yield
    print("put away after a finaliser that hung")

@pytest.fixture
def slow(put_away_late):
    yield
    time.sleep(30)

@pytest.mark.signal_timeout(0.4)
def test_fails_before_a_slow_teardown(slow):
    assert False, "the test's own failure"
""",
    "alarms": """
def is_clean():
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)

def test_nothing_is_armed_without_a_limit():
    is_clean()

heard = []

@pytest.fixture
def rings():
    heard.clear()
    previous = signal.signal(signal.SIGALRM, lambda *_: heard.append(1))
    yield heard
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)

@pytest.mark.signal_timeout(20)
def test_a_limit_is_armed():
    assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 20

@pytest.mark.signal_timeout(20)
def test_uses_an_alarm_itself(rings):
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    signal.pause()
    assert rings == [1]

def test_clean_after_an_alarm():
    is_clean()

@pytest.fixture
def rings_soon(rings):
    signal.setitimer(signal.ITIMER_REAL, 0.2)

@pytest.mark.signal_timeout(20)
def test_hears_the_alarm_of_a_fixture(rings_soon):
    give_up = time.monotonic() + 10
    while not heard and time.monotonic() < give_up:
        time.sleep(0.01)
    assert heard == [1]

def test_clean_after_the_alarm_of_a_fixture():
    is_clean()

def mine(*_):
    pass

@pytest.fixture(scope="class")
def handler():
    previous = signal.signal(signal.SIGALRM, mine)
    yield
    signal.signal(signal.SIGALRM, previous)

@pytest.mark.usefixtures("handler")
class TestHandler:
    @pytest.mark.signal_timeout(20)
    def test_limited_first(self):
        pass

    def test_handler_of_a_wider_fixture_stays(self):
        assert signal.getsignal(signal.SIGALRM) is mine

    @pytest.mark.signal_timeout(20)
    def test_limited_last(self):
        pass

def test_clean_after_the_handler_of_a_wider_fixture():
    is_clean()

def test_leaves_a_handler_and_the_mask_behind():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})

@pytest.mark.signal_timeout(0.4)
def test_hangs_after_a_test_that_left_the_signal_blocked():
    time.sleep(30)

def test_unblocks_the_signal():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
""",
    "others": """
@pytest.mark.signal_timeout(20)
@pytest.mark.timeout(0.5)
def test_pytest_timeout_is_shorter():
    time.sleep(30)

@pytest.mark.signal_timeout(0.4)
@pytest.mark.timeout(20)
def test_pytest_timeout_is_longer():
    time.sleep(30)

@pytest.mark.timeout(0.5)
def test_pytest_timeout_alone():
    time.sleep(30)

import freezegun

@freezegun.freeze_time("2020-01-01")
@pytest.mark.signal_timeout(0.4)
def test_the_clock_is_frozen():
    time.sleep(30)

@pytest.mark.signal_timeout(0.2)
def test_whose_report_is_slow():
    pass

import collections, itertools

@pytest.mark.signal_timeout(0.4)
def test_c_loop():
    collections.deque(itertools.repeat(0, 4 * 10**8), maxlen=0)
""",
}
SLOW_REPORT = """
def pytest_runtest_logreport(report):
    import time
    if "slow" in report.nodeid:
        time.sleep(0.4)

def pytest_syskit_timeout(item, seconds, config):
    print("a plugin hears of", item.name, seconds)
    if item.name == "test_hangs_with_a_fixture":
        raise RuntimeError("broken hook")
"""

# What a time-out's message holds; None: the test passes.
EXPECTED = {
    "test_scope_call_leaves_fixtures_alone": None,
    "test_scope_call_limits_the_call": "(call) took longer than 0.4 s",
    "test_each_phase_has_the_whole_limit": None,
    "test_a_wider_fixture_is_not_charged_to_its_first_user": None,
    "test_first_user": "set-up of module fixture hanging_server for test_wide.py::test_first_user",
    "test_second_user": "set-up of module fixture hanging_server for test_wide.py::test_first_user",
    "test_hangs_with_a_server": "took longer",
    "test_the_server_lives_on": None,
    "test_a_fixture_ends_its_own_child": "took longer",
    "test_hangs_with_a_fixture": "took longer",
    "test_fails_before_a_slow_teardown": "the test's own failure",
    "test_nothing_is_armed_without_a_limit": None,
    "test_a_limit_is_armed": None,
    "test_uses_an_alarm_itself": None,
    "test_clean_after_an_alarm": None,
    "test_hears_the_alarm_of_a_fixture": None,
    "test_clean_after_the_alarm_of_a_fixture": None,
    "test_limited_first": None,
    "test_handler_of_a_wider_fixture_stays": None,
    "test_limited_last": None,
    "test_clean_after_the_handler_of_a_wider_fixture": None,
    "test_leaves_a_handler_and_the_mask_behind": None,
    "test_hangs_after_a_test_that_left_the_signal_blocked": "took longer than 0.4 s",
    "test_unblocks_the_signal": None,
    "test_pytest_timeout_is_shorter": "Failed: Timeout (>0.5s) from pytest-timeout",
    "test_pytest_timeout_is_longer": "took longer than 0.4 s",
    "test_pytest_timeout_alone": "Failed: Timeout (>0.5s) from pytest-timeout",
    "test_the_clock_is_frozen": "took longer than 0.4 s",
    "test_whose_report_is_slow": None,
    "test_c_loop": "took longer than 0.4 s; Python could not act for ",
}


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenarios")
    for name, code in SCENARIOS.items():
        head = "import os, signal, subprocess, time, pytest\n"
        (folder / f"test_{name}.py").write_text(head + code)
    return run_all(folder, "-p", "no:randomly", "-s", conftest=SLOW_REPORT)


@pytest.mark.parametrize("name", EXPECTED)
def test_scenarios(scenarios, name):
    case = scenarios[1][name]
    expected = EXPECTED[name]
    if expected is None:
        assert case.problems == [], case.text
    else:
        assert case.message is not None, "it passed"
        assert expected in case.message


def test_every_scenario_is_in_the_table(scenarios):
    assert set(scenarios[1]) == set(EXPECTED)


def test_no_scenario_ends_the_session(scenarios):
    done, _ = scenarios
    assert done.returncode == 1
    assert "INTERNALERROR" not in done.stdout + done.stderr


def test_a_wider_fixture_hangs_only_once(scenarios):
    assert scenarios[0].stderr.count("the server is being set up") == 1


def test_the_finalisers_of_a_test_that_hung_run(scenarios):
    assert "thing was put away" in scenarios[0].stdout


def test_the_finalisers_after_one_that_hung_run(scenarios):
    assert "put away after a finaliser that hung" in scenarios[0].stdout


def test_the_teardown_after_a_failed_test_is_limited_too(scenarios):
    problems = [
        problem.get("message")
        for problem in scenarios[1]["test_fails_before_a_slow_teardown"].problems
    ]
    assert any("(teardown) took longer than 0.4 s" in problem for problem in problems)


def test_other_plugins_hear_of_each_timeout(scenarios):
    assert "a plugin hears of test_scope_call_limits_the_call 0.4" in scenarios[0].stdout


def test_a_hook_that_fails_does_not_hide_the_timeout(scenarios):
    case = scenarios[1]["test_hangs_with_a_fixture"]
    assert "hook failed: RuntimeError('broken hook')" in case.text


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="POSIX timers with faulthandler")
def test_stacks_are_written_where_python_cannot_run_and_only_there(scenarios):
    stderr = scenarios[0].stderr
    assert stderr.count("most recent call first") >= 1
    assert "in test_c_loop" in stderr
    assert "in test_scope_call_limits_the_call" not in stderr


# -- one session each ----------------------------------------------------------------------------


@pytest.fixture
def session(pytester, monkeypatch):
    """Return a function that writes one test file, runs it, and gives pytest's result."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")

    def run(code, *options):
        pytester.makepyfile(test_it="import os, signal, subprocess, time, pytest\n" + code)
        return pytester.runpytest_subprocess("-p", "no:randomly", *options, timeout=90)

    return run


def test_the_option_limits_every_test(session):
    result = session(
        """
def test_quick(): pass
def test_slow(): time.sleep(30)
@pytest.mark.signal_timeout(5)
def test_its_own_limit(): time.sleep(0.5)
""",
        "--syskit-timeout=0.3",
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*Timeout: test_it.py::test_slow (call) took longer than 0.3 s*"])


def test_without_a_limit_nothing_is_registered(session):
    result = session("""
def test_plain(request):
    assert not request.config.pluginmanager.has_plugin("syskit-timeouts")
""")
    result.assert_outcomes(passed=1)


def test_each_rerun_has_its_own_limit(session):
    result = session(
        """
attempts = []
@pytest.mark.signal_timeout(0.3)
def test_slow_at_first():
    attempts.append(1)
    if len(attempts) < 3:
        time.sleep(30)
""",
        "--reruns=2", "--junitxml=all.xml",
    )  # fmt: skip
    result.assert_outcomes(passed=1)
    assert "2 rerun" in result.stdout.str()
    last = list(ET.parse("all.xml").iter("testcase"))[-1]
    assert Case(last).properties == {}, "the last attempt is no time-out"


def test_pytests_own_fault_handler_keeps_its_timer(session):
    result = session(
        """
@pytest.mark.signal_timeout(20)
def test_slow(): time.sleep(1)
""",
        "-o", "faulthandler_timeout=0.3",
    )  # fmt: skip
    result.assert_outcomes(passed=1)
    result.stderr.fnmatch_lines(["*Timeout (0:00:00.3*", "*in test_slow*"])


def test_pytest_in_a_test_does_not_disarm_the_outer_limit(session):
    result = session("""
pytest_plugins = ["pytester"]
@pytest.mark.signal_timeout(5)
def test_outer(pytester):
    pytester.makepyfile("def test_inner(): pass")
    pytester.inline_run("-p", "no:randomly", "--syskit-timeout=4")
    assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 5
    time.sleep(30)
""")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Timeout: test_it.py::test_outer (call) took longer than 5 s*"])


def test_the_clock_stands_still_at_a_debuggers_prompt(pytester):
    pytest.importorskip("pexpect")
    pytester.makepyfile(
        test_it="""
import pytest, time
@pytest.mark.signal_timeout(1)
def test_debugged():
    breakpoint()
    time.sleep(30)
"""
    )
    child = pytester.spawn_pytest("-p no:randomly test_it.py")
    child.expect_exact("(Pdb) ", timeout=30)
    child.sendline("import time; time.sleep(1.5)")
    child.expect_exact("(Pdb) ", timeout=30)
    child.sendline("continue")
    child.expect_exact("Timeout: test_it.py::test_debugged", timeout=30)
    child.expect("1 failed")


# -- wrong marks ---------------------------------------------------------------------------------


def mark(*args, **kwargs):
    """Return what a mark holds, without the check that the marker is registered here."""
    return SimpleNamespace(args=args, kwargs=kwargs)


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (mark(), "'seconds'; use it as signal_timeout(seconds"),
        (mark(0), "finite seconds above 0, not 0"),
        (mark(-1), "finite seconds above 0, not -1"),
        (mark("1"), "a number of seconds, not '1'"),
        (mark(float("nan")), "finite seconds above 0, not nan"),
        (mark(1, clock="wall"), "clocks 'real' and 'cpu', not 'wall'"),
        (mark(1, scope="setup"), "scope='setup': takes one of all, call"),
        (mark(1, colour="red"), "unexpected keyword argument 'colour'"),
        (mark(1, reason=""), "reason='': takes a text that says why"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_mark_is_refused(wrong, complaint):
    with pytest.raises(WrongArguments) as caught:
        SIGNAL_TIMEOUT.read(wrong)
    assert complaint in str(caught.value)


def test_a_wrong_mark_is_a_usage_error_with_its_place(session):
    result = session("@pytest.mark.signal_timeout(0)\ndef test_it(): pass\n")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    text = result.stdout.str() + result.stderr.str()
    assert "test_it.py:2: test_it: pytest.mark.signal_timeout(0): " in text
    assert "INTERNALERROR" not in text


def test_a_wrong_option_is_a_usage_error(session):
    result = session("def test_it(): pass\n", "--syskit-timeout=-1")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--syskit-timeout='-1'*takes a number of seconds*"])

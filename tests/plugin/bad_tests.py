"""Tests that leave something, and tests that must not be blamed; what each becomes stands in the table.

Copied into inner runs by test_outcomes.py; the name keeps it out of our own collection.
"""

import os
import signal
import socket
import subprocess
import threading
import unittest

import pytest

KEPT = []


def leak():
    KEPT.append(os.open("/dev/zero", os.O_RDONLY))


# -- clean ---------------------------------------------------------------------------------------------


def test_clean():
    pass


def test_cycle():
    class Cycle:
        pass

    cycle = Cycle()
    cycle.me, cycle.file = cycle, open(__file__)


@pytest.fixture
def returned_file():
    return open(__file__)


def test_fixture_value_dies_with_the_test(returned_file):
    pass


@pytest.fixture(scope="module")
def module_value():
    return open(__file__)


def test_module_value_dies_with_its_fixture(module_value):
    pass


@pytest.fixture(scope="module")
def pool():
    opened = []
    yield opened
    for each in opened:
        each.close()


def test_what_a_wide_fixture_holds_is_its_own(pool):
    pool.append(socket.socket())


def test_waited():
    subprocess.run(["true"], check=True)


def test_orphan_that_ends():
    subprocess.run(["sh", "-c", "true &"], check=True)


@pytest.mark.skip(reason="skipped")
def test_skipped():
    leak()


def test_values_are_put_back(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VALUE", "1")
    monkeypatch.delenv("PATH")
    os.umask(os.umask(0o077))
    signal.signal(signal.SIGUSR2, signal.signal(signal.SIGUSR2, signal.SIG_IGN))
    signal.setitimer(signal.ITIMER_PROF, 1000)
    signal.setitimer(signal.ITIMER_PROF, 0)


@pytest.fixture(scope="class")
def moved(tmp_path_factory):
    before = os.getcwd()
    os.chdir(tmp_path_factory.mktemp("moved"))
    os.environ["MOVED"] = "1"
    yield
    os.chdir(before)
    del os.environ["MOVED"]


@pytest.mark.usefixtures("moved")
class TestWithinMovedClass:
    def test_values_of_a_wide_fixture_are_put_back(self, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("MOVED", "2")


def test_joined_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


# -- leaking -------------------------------------------------------------------------------------------


def test_descriptor():
    leak()


def test_zombie():
    if os.fork() == 0:
        os._exit(0)


def test_running():
    KEPT.append(subprocess.Popen(["sleep", "20"]))


def test_skips_after_leaking():
    leak()
    pytest.skip("late")


@pytest.fixture
def leaking_fixture():
    leak()


def test_function_fixture(leaking_fixture):
    pass


@pytest.fixture
def leaking_teardown():
    yield
    leak()


def test_leaks_in_teardown(leaking_teardown):
    pass


@pytest.fixture(scope="module")
def leaking_module_fixture():
    leak()


def test_uses_module_fixture(leaking_module_fixture):
    pass


@pytest.fixture(scope="module")
def failing_fixture():
    leak()
    raise RuntimeError("half-way")


def test_uses_failing_fixture(failing_fixture):
    pass


class TestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        leak()

    def setUp(self):
        self.fd = os.open("/dev/zero", os.O_RDONLY)

    def test_in_set_up(self):
        pass


def test_thread():
    threading.Thread(target=threading.Event().wait, daemon=True).start()


def test_directory(tmp_path):
    os.chdir(tmp_path)


def test_umask():
    os.umask(0o037)


def test_variable():
    os.environ["LEFT"] = "1"


def test_handler():
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)


def test_timer():
    signal.setitimer(signal.ITIMER_PROF, 1000)


@pytest.fixture(scope="class")
def leaking_class_fixture():
    os.environ["LEFT_BY_FIXTURE"] = "1"


@pytest.mark.usefixtures("leaking_class_fixture")
class TestWithinLeakingClass:
    def test_uses_class_fixture(self, monkeypatch):
        monkeypatch.setenv("LEFT_BY_FIXTURE", "2")


# -- failing and leaking -------------------------------------------------------------------------------


def test_fails():
    leak()
    assert not KEPT


def test_fails_and_only_its_traceback_holds_a_file():
    file = open(__file__)
    assert file.closed


def test_fails_and_leaves_a_variable():
    os.environ["LEFT_BY_FAILURE"] = "1"
    raise AssertionError


@pytest.mark.xfail(strict=True, reason="expected")
def test_xfails():
    leak()
    raise AssertionError


@pytest.fixture
def failing_teardown():
    yield
    leak()
    raise RuntimeError("teardown")


def test_fails_in_teardown(failing_teardown):
    pass


# -- excused -------------------------------------------------------------------------------------------


@pytest.mark.allow_leaks("fd", match="/dev/zero", reason="meant")
def test_allowed():
    leak()


@pytest.mark.allow_leaks("process", reason="another kind")
def test_allowed_another_kind():
    leak()


@pytest.mark.leak_policy("off")
def test_policy_off():
    leak()


@pytest.mark.leak_policy("fail")
def test_policy_fail():
    leak()


@pytest.mark.leak_policy("warn")
def test_policy_warn():
    leak()


def test_ignored():
    KEPT.append(os.open(os.devnull, os.O_RDONLY))

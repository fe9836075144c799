"""Resource limits: lowered for a block, restored after it, and told apart from wrong ones."""

from __future__ import annotations

import errno
import mmap
import os
import resource
import signal
import time

import pytest

from pytest_syskit.tools.forking.fork_results import Exited, Killed, Raised, Returned
from pytest_syskit.tools.forking.fork_runner import run_in_fork
from pytest_syskit.tools.forking.rlimits import LIMITS, lift_limits, rlimits


def soft(name):
    return resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[0]


def hard(name):
    return resource.getrlimit(getattr(resource, f"RLIMIT_{name.upper()}"))[1]


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_a_limit_holds_inside_the_block_and_is_restored(name):
    def inside():
        before = soft(name)
        lowered = 10 if before == resource.RLIM_INFINITY or before > 10 else before
        lowered = max(lowered, 1 << 40) if name == "as" else lowered
        with rlimits(**{f"{name}_": lowered}):
            assert soft(name) == lowered
        return soft(name) == before

    assert run_in_fork(inside) == Returned(True)


def test_a_limit_is_restored_after_an_error():
    before = soft("nofile")
    with pytest.raises(KeyError), rlimits(nofile=before - 1):
        assert soft("nofile") == before - 1
        raise KeyError
    assert soft("nofile") == before


def test_hard_limits_stay():
    before = hard("nofile")
    with rlimits(nofile=soft("nofile") - 1):
        assert hard("nofile") == before


def test_a_function_can_be_decorated():
    before = soft("nofile")
    assert rlimits(nofile=before - 1)(lambda: soft("nofile"))() == before - 1
    assert soft("nofile") == before


def test_nofile_makes_the_next_descriptor_fail():
    def inside():
        highest = max(map(int, os.listdir("/proc/self/fd")))
        with rlimits(nofile=highest):
            return [os.pipe() for _ in range(highest)]

    result = run_in_fork(inside)
    assert isinstance(result, Raised)
    assert result.error.errno == errno.EMFILE


def test_fsize_makes_the_next_byte_of_a_file_fail(tmp_path):
    def inside():
        with rlimits(fsize=100), open(tmp_path / "full", "wb", buffering=0) as file:
            written = file.write(b"x" * 200)
            assert written == 100
            file.write(b"x")

    result = run_in_fork(inside)
    assert isinstance(result, Raised)
    assert result.error.errno == errno.EFBIG
    assert (tmp_path / "full").stat().st_size == 100


def test_a_runners_limits_hold_for_its_child_alone(tmp_path):
    before = soft("fsize")
    result = run_in_fork((tmp_path / "full").write_bytes, b"x" * 200, limits={"fsize": 100})
    assert result.error.errno == errno.EFBIG
    assert soft("fsize") == before


def test_a_large_result_arrives_under_every_limit():
    limits = {"fsize": 0, "nofile": 0, "nproc": 0, "as": 1 << 32}
    assert run_in_fork(lambda: b"x" * 1_000_000, limits=limits) == Returned(b"x" * 1_000_000)


def test_what_is_left_is_found_without_free_descriptors():
    def leave():
        return os.dup(0)

    result = run_in_fork(leave, limits={"nofile": 64})
    assert [leak.fd for leak in result.leaks] == [result.value]


def test_a_limit_that_the_function_left_behind_hides_nothing():
    def leave():
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard("nofile")))
        return pid

    result = run_in_fork(leave)
    assert [leak.pid for leak in result.leaks] == [result.value]


def test_as_makes_memory_run_out():
    result = run_in_fork(lambda: mmap.mmap(-1, 1 << 40) and None, limits={"as": 1 << 39})
    assert result.error.errno == errno.ENOMEM


def test_cpu_ends_a_busy_child():
    def spin():
        while True:
            pass

    assert run_in_fork(spin, limits={"cpu": 1}, timeout=60) == Killed(signal.SIGXCPU)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser is exempt")
def test_nproc_makes_fork_fail():
    result = run_in_fork(os.fork, limits={"nproc": 0})
    assert isinstance(result.error, OSError)  # Python 3.10 forgets why fork failed


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_nproc_holds_for_the_user_that_root_becomes():
    result = run_in_fork(os.fork, limits={"nproc": 0}, user="nobody")
    assert isinstance(result.error, OSError)  # Python 3.10 forgets why fork failed


def test_core_dumps_are_off_unless_asked_for():
    allowed = hard("core")
    wanted = 4096 if allowed == resource.RLIM_INFINITY else min(4096, allowed)
    before = soft("core")
    resource.setrlimit(resource.RLIMIT_CORE, (allowed, allowed))
    try:
        assert run_in_fork(soft, "core") == Returned(0)
        assert run_in_fork(soft, "core", limits={"core": wanted}) == Returned(wanted)
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (before, allowed))


def test_lifting_raises_every_soft_limit_but_that_of_core_dumps():
    def inside():
        with rlimits(nofile=30, fsize=100, core=0):
            lift_limits()
            return soft("nofile") == hard("nofile"), soft("fsize") == hard("fsize"), soft("core")

    assert run_in_fork(inside) == Returned((True, True, 0))


def test_an_unknown_limit_is_refused_with_those_that_exist():
    with pytest.raises(
        ValueError, match="there is no limit 'files'; there are as, core, cpu, fsize, nofile, nproc"
    ):
        rlimits(files=3)
    with pytest.raises(ValueError, match="there is no limit 'files'"):
        run_in_fork(int, limits={"files": 3})


def test_a_negative_limit_is_refused():
    with pytest.raises(ValueError, match="limit nofile=-1: expected 0 or more descriptors"):
        rlimits(nofile=-1)
    with pytest.raises(
        ValueError, match="limit cpu=-5: expected 0 or more seconds of processor time"
    ):
        run_in_fork(int, limits={"cpu": -5})


@pytest.mark.parametrize("value", [1.5, "16", None, True])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(
        TypeError, match=r"limit fsize=.*: expected a whole number of bytes of a file"
    ):
        rlimits(fsize=value)


def test_more_than_the_hard_limit_is_refused():
    above = hard("nofile") + 1
    with pytest.raises(ValueError, match=f"limit nofile={above} is above the hard limit"):
        rlimits(nofile=above)


def test_a_limit_that_this_platform_lacks_is_named(monkeypatch):
    monkeypatch.delattr(resource, "RLIMIT_NPROC")
    with pytest.raises(NotImplementedError, match=r"no limit on processes of the user \(nproc\)"):
        rlimits(nproc=3)


def test_time_spent_asleep_is_no_processor_time():
    assert run_in_fork(time.sleep, 0.01, limits={"cpu": 1}) == Returned(None)
    assert run_in_fork(os._exit, 0, limits={"cpu": 1}) == Exited(0)

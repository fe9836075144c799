"""System calls by number do what os does, fail as os fails, and are refused elsewhere (C16)."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import system_call as module
from system_call import NUMBERS, UnknownArchitecture, main, number_of, system_call

try:
    number_of("getpid")
except UnknownArchitecture as unknown:
    here = pytest.mark.skip(reason=str(unknown))
else:
    here = pytest.mark.linux_only

MACHINES = pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        ("x86_64", (39, 3, 80, 62)),
        ("aarch64", (172, 57, 49, 129)),
        ("riscv64", (172, 57, 49, 129)),
        ("ppc64le", (20, 6, 12, 37)),
        ("s390x", (20, 6, 12, 37)),
    ],
)


@here
def test_getpid_by_number_is_our_pid():
    assert system_call("getpid") == os.getpid()


@here
@pytest.mark.requires("fork")
def test_getpid_by_number_is_the_pid_of_a_child_in_a_child(fork_runner):
    with fork_runner.start(system_call, "getpid") as child:
        assert child.wait().unwrap() == child.pid


@here
def test_close_by_number_closes():
    fd = os.open(os.devnull, os.O_RDONLY)
    assert system_call("close", fd) == 0
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


@here
@pytest.mark.requires("fork")
def test_chdir_by_number_takes_any_name(fork_runner, temp_workspace):
    name = "caf\udce9 and\nmore"
    temp_workspace.populate({name: {}})

    def change() -> str:
        system_call("chdir", os.fsencode(temp_workspace / name))
        return os.path.basename(os.getcwd())

    assert fork_runner.run(change).unwrap() == name


@here
def test_kill_by_number_signals(signal_log):
    with signal_log(signal.SIGUSR1) as log:
        assert system_call("kill", os.getpid(), signal.SIGUSR1) == 0
        log.wait(count=1, timeout=5)


@here
@pytest.mark.parametrize(
    ("name", "arguments", "kind", "number"),
    [
        ("close", (-1,), OSError, errno.EBADF),
        ("chdir", (b"/no/such/place",), FileNotFoundError, errno.ENOENT),
        ("chdir", (b"/dev/null",), NotADirectoryError, errno.ENOTDIR),
        ("kill", (2**31 - 1, 0), ProcessLookupError, errno.ESRCH),
        ("kill", (0, 10_000), OSError, errno.EINVAL),
    ],
)
def test_a_failed_call_is_the_error_that_os_raises(name, arguments, kind, number):
    with pytest.raises(kind) as by_number:
        system_call(name, *arguments)
    with pytest.raises(kind) as by_os:
        getattr(os, name)(*arguments)
    assert type(by_number.value) is type(by_os.value)
    assert (by_number.value.errno, by_number.value.strerror) == (number, os.strerror(number))


def chdir_to_private(temp_workspace) -> None:
    temp_workspace.populate({"private": {}})
    os.chmod(temp_workspace / "private", 0)
    system_call("chdir", os.fsencode(temp_workspace / "private"))


@here
@pytest.mark.requires("dac")
def test_a_call_that_is_not_permitted_is_a_permission_error(temp_workspace):
    with pytest.raises(PermissionError, match="private"):
        chdir_to_private(temp_workspace)


@here
@pytest.mark.requires("fork")
@pytest.mark.requires_root(reason="becomes another user")
def test_a_call_that_is_not_permitted_to_others_is_a_permission_error(fork_runner):
    with pytest.raises(PermissionError, match="Operation not permitted"):
        fork_runner.run(system_call, "kill", os.getppid(), 0, user=65534).unwrap()


@here
def test_errno_is_that_of_the_call_and_not_of_an_earlier_one():
    ctypes.set_errno(errno.EPERM)
    with pytest.raises(FileNotFoundError):
        system_call("chdir", b"/no/such/place")
    ctypes.set_errno(errno.EPERM)
    assert system_call("getpid") == os.getpid()  # a success, whatever errno says


@here
@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64])
def test_a_number_that_does_not_fit_is_refused_and_not_cut(number):
    with pytest.raises(OverflowError, match=f"{number}: a number of at most"):
        system_call("close", number)


@here
def test_a_path_with_a_nul_is_refused():
    with pytest.raises(ValueError, match="a path without NUL"):
        system_call("chdir", b"/\0tmp")


@here
def test_a_call_that_is_not_in_the_table_is_refused():
    with pytest.raises(LookupError, match="'reboot': its number is not known, only"):
        system_call("reboot")


# The numbers of other machines are only looked up; a call of theirs would be another one here.


@MACHINES
@pytest.mark.skipif(ctypes.sizeof(ctypes.c_void_p) != 8, reason="they are 64-bit machines")
def test_the_number_is_that_of_the_machine(fake_platform, machine, numbers):
    fake_platform("linux", machine=machine)
    names = ("getpid", "close", "chdir", "kill")
    assert tuple(number_of(name) for name in names) == numbers


@pytest.mark.parametrize("machine", ["sparc64", "alpha", "mips64", "", "X86_64", "armv8l"])
def test_an_unknown_machine_is_refused_before_any_call(fake_platform, monkeypatch, machine):
    monkeypatch.setattr(module, "_call", lambda *_: pytest.fail("called"))
    with fake_platform("linux"):
        monkeypatch.setattr(module.platform, "machine", lambda: machine)
        with pytest.raises(UnknownArchitecture, match=f"-bit program on {machine}$"):
            system_call("getpid")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_32_bit_program_on_a_64_bit_kernel_is_refused(fake_platform, monkeypatch, machine):
    # Its kernel says x86_64, but its numbers are those of i386, or of x32.
    fake_platform("linux", machine=machine)
    monkeypatch.setattr(module, "_call", lambda *_: pytest.fail("called"))
    monkeypatch.setattr(module.ctypes, "sizeof", lambda _: 4)
    with pytest.raises(UnknownArchitecture, match=f"for a 32-bit program on {machine}"):
        system_call("getpid")


@pytest.mark.parametrize("system", ["macos", "freebsd", "windows"])
def test_another_system_is_refused_before_any_call(fake_platform, monkeypatch, system):
    monkeypatch.setattr(module, "_call", lambda *_: pytest.fail("called"))
    fake_platform(system)
    with pytest.raises(UnknownArchitecture, match=f"no fixed numbers on {sys.platform}"):
        system_call("getpid")


def test_the_script_refuses_there_with_status_1(fake_platform, capsys):
    fake_platform("linux", machine="sparc64")
    assert main([]) == 1
    assert re.fullmatch(
        r"system_call: the numbers of system calls are not known for a \d\d-bit program on "
        r"sparc64\n",
        capsys.readouterr().err,
    )


HEADERS = {
    "x86_64": ("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", ("x86_64", 64)),
    "i386": ("/usr/include/x86_64-linux-gnu/asm/unistd_32.h", ("i686", 32)),
    "generic": ("/usr/include/asm-generic/unistd.h", ("aarch64", 64)),
}


@pytest.mark.parametrize(("header", "key"), HEADERS.values(), ids=HEADERS)
def test_the_table_agrees_with_the_kernels_headers(header, key):
    if not os.path.exists(header):
        pytest.skip(f"there is no {header}: the headers of the kernel are not installed")
    found = re.findall(r"^#define __NR_(\w+)\s+(\d+)$", Path(header).read_text(), re.MULTILINE)
    official = {name: int(number) for name, number in found}
    assert {name: official[name] for name in NUMBERS[key]} == NUMBERS[key]


@here
def test_the_script_shows_each_step():
    done = subprocess.run(
        [sys.executable, module.__file__], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third, fourth = done.stdout.splitlines()
    assert first == f"getpid is system call {number_of('getpid')} on {os.uname().machine}"
    by_number, by_os = re.fullmatch(r"it returned (\d+); os.getpid\(\) says (\d+)", second).groups()
    assert by_number == by_os
    assert third == "close(-1,) failed: OSError: [Errno 9] Bad file descriptor"
    assert fourth == (
        "chdir(b'/no/such/place',) failed: "
        "FileNotFoundError: [Errno 2] No such file or directory: '/no/such/place'"
    )


def test_a_wrong_argument_is_status_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["reboot"])
    assert ended.value.code == 2
    assert "system_call: error: " in capsys.readouterr().err

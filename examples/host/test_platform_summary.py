"""Every system's facts are told on any machine, and no mistake is hidden (exercise D8)."""

from __future__ import annotations

import json
import platform
import struct
import subprocess
import sys
from typing import NoReturn

import platform_summary as module
import pytest
from platform_summary import distribution, lines, main, platform_summary, python_build


@pytest.mark.parametrize(
    ("faked", "system", "named", "libc"),
    [
        ("linux", "Linux", "Debian GNU/Linux 12 (bookworm)", "glibc 2.36"),
        ("macos", "Darwin", "macOS 14.4", None),
        ("windows", "Windows", "Windows 10 (10.0.19045)", None),
        ("freebsd", "FreeBSD", None, None),
    ],
)
def test_each_system_is_told_in_its_own_words(fake_platform, faked, system, named, libc):
    fake_platform(faked)
    summary = platform_summary()
    assert (summary.system, summary.distribution, summary.libc) == (system, named, libc)
    assert (summary.release, summary.machine) == (platform.release(), platform.machine())


def test_the_release_of_macos_is_not_that_of_its_kernel(fake_platform):
    fake_platform("macos", release="23.4.0")
    summary = platform_summary()
    assert (summary.release, summary.distribution) == ("23.4.0", "macOS 14.4")


@pytest.mark.parametrize(
    ("release", "named"),
    [({"PRETTY_NAME": "X 1"}, "X 1"), ({"NAME": "X", "PRETTY_NAME": ""}, "X"), ({}, "Linux")],
)
def test_the_distribution_by_what_os_release_has(fake_platform, monkeypatch, release, named):
    fake_platform("linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    assert distribution() == named


def fail_with(error):
    def fail() -> NoReturn:
        raise error

    return fail


def test_a_missing_os_release_is_unknown_and_a_mistake_is_not_hidden(fake_platform, monkeypatch):
    fake_platform("linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", fail_with(FileNotFoundError("none")))
    assert distribution() is None
    monkeypatch.setattr(platform, "freedesktop_os_release", fail_with(NameError("typo")))
    with pytest.raises(NameError, match="typo"):
        distribution()


def test_what_platform_does_not_know_is_none_and_said_to_be_unknown(fake_platform, monkeypatch):
    fake_platform("freebsd")
    unknown = platform.uname_result("", "", "", "", "")
    monkeypatch.setattr(platform, "uname", lambda: unknown)
    summary = platform_summary()
    assert (summary.system, summary.release, summary.node) == (sys.platform, None, None)
    assert "machine       unknown" in list(lines(summary))
    assert "C library     unknown" in list(lines(summary))


def test_the_build_of_this_python():
    build = python_build()
    assert build.version == sys.version.split()[0]
    assert build.bits == (64 if sys.maxsize > 2**32 else 32) == struct.calcsize("P") * 8
    assert build.compiler in sys.version
    assert build.implementation.lower() == sys.implementation.name


def test_as_a_process_it_tells_of_this_machine():
    done = subprocess.run(
        [sys.executable, module.__file__], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == list(lines(platform_summary()))


def test_json_holds_the_same_facts(capsys):
    assert main(["--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["system"] == platform.system()
    assert told["python"]["version"] == platform.python_version()


def test_a_wrong_option_is_status_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--wrong"])
    assert ended.value.code == 2
    assert "usage: platform_summary" in capsys.readouterr().err

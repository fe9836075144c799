"""Every branch of the answer is reached by faking the platform (exercise A1)."""

from __future__ import annotations

import subprocess
import sys

import pytest
import which_system as module
from which_system import main, which_system


@pytest.mark.parametrize(
    ("platform", "name", "os_name"),
    [
        ("windows", "Windows", "nt"),
        ("linux", "Linux", "posix"),
        ("macos", "macOS", "posix"),
        ("freebsd", "FreeBSD", "posix"),
        ("solaris", "SunOS", "posix"),
    ],
)
def test_each_system_is_named(fake_platform, platform, name, os_name):
    with fake_platform(platform):
        system = which_system()
    assert (system.name, system.os_name) == (name, os_name)


def test_a_system_that_platform_does_not_know_has_the_name_that_sys_gives_it(monkeypatch):
    monkeypatch.setattr(module.sys, "platform", "plan9")
    monkeypatch.setattr(module.platform, "system", lambda: "")
    assert which_system().name == "plan9"


def test_the_script_prints_the_name_alone(fake_platform, capsys):
    fake_platform("windows")
    assert main([]) == 0
    assert capsys.readouterr().out == "Windows\n"


def test_the_evidence_is_shown_when_asked_for(fake_platform, capsys):
    fake_platform("macos")
    assert main(["--verbose"]) == 0
    assert capsys.readouterr().out == (
        "macOS (sys.platform 'darwin', os.name 'posix', platform.system() 'Darwin')\n"
    )


def test_as_a_process_it_knows_this_machine():
    done = subprocess.run(
        [sys.executable, module.__file__], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{which_system().name}\n", "")


def test_a_wrong_option_is_status_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--wrong"])
    assert ended.value.code == 2
    assert "usage: which_system" in capsys.readouterr().err

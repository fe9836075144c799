"""Each system is asked in its own way, and silence is no error (exercise D9)."""

from __future__ import annotations

import platform
import sys
from types import ModuleType, SimpleNamespace

import processor_name as module
import pytest
from processor_name import processor_name

INTEL = "processor\t: 0\nmodel\t\t: 158\nmodel name\t: Example CPU @ 3.00GHz \nflags\t: a b\n\n"
RASPBERRY = "processor\t: 0\nBogoMIPS\t: 108.00\n\nHardware\t: X\nModel\t\t: Example Pi 4\n"
SILENT = "processor\t: 0\nBogoMIPS\t: 50.00\n"


@pytest.mark.parametrize(
    ("text", "name"),
    [(INTEL, "Example CPU @ 3.00GHz"), (INTEL * 2, "Example CPU @ 3.00GHz"),
     (RASPBERRY, "Example Pi 4"), ("cpu model : MIPS X\n", "MIPS X")],
)  # fmt: skip
def test_linux_is_asked_by_its_file(fake_platform, temp_workspace, text, name):
    fake_platform("linux")
    temp_workspace.populate({"cpuinfo": text})
    assert processor_name(str(temp_workspace / "cpuinfo")) == name


@pytest.mark.parametrize("content", [SILENT, "", None])
def test_a_file_that_does_not_tell_leaves_the_machine_type(fake_platform, temp_workspace, content):
    fake_platform("linux", machine="riscv64")
    if content is not None:
        temp_workspace.populate({"cpuinfo": content})
    assert processor_name(str(temp_workspace / "cpuinfo")) == "riscv64"


@pytest.mark.posix_only(reason="stands in for a command")
@pytest.mark.parametrize(
    ("system", "asked"), [("macos", "machdep.cpu.brand_string"), ("freebsd", "hw.model")]
)
def test_macos_and_bsd_are_asked_by_sysctl(fake_platform, fake_env, system, asked):
    sysctl = fake_env.stub_command("sysctl", stdout="Example M9 Ultra\n")
    fake_platform(system)
    assert processor_name() == "Example M9 Ultra"
    assert [call.argv for call in sysctl.calls] == [["sysctl", "-n", asked]]


@pytest.mark.posix_only(reason="stands in for a command")
@pytest.mark.parametrize(
    "answer", [{"exit_code": 1, "stderr": "unknown oid\n", "stdout": "half"}, {"stdout": "\n"}]
)
def test_a_sysctl_that_fails_leaves_what_platform_says(fake_platform, fake_env, answer):
    fake_env.stub_command("sysctl", **answer)
    fake_platform("macos")
    assert processor_name() == "arm"


@pytest.mark.posix_only(reason="stands in for a command")
def test_a_sysctl_that_hangs_is_ended(
    fake_platform, fake_env, monkeypatch, leak_check, signal_timeout
):
    fake_env.stub_command("sysctl", script="exec sleep 60")
    fake_platform("macos")
    monkeypatch.setattr(module, "_LIMIT", 0.2)
    with signal_timeout(20), leak_check():
        assert processor_name() == "arm"


def test_a_missing_sysctl_leaves_what_platform_says(fake_platform, fake_env):
    fake_env.set("PATH", str(fake_env.home))
    fake_platform("macos")
    assert processor_name() == "arm"


def registry(answer):
    """Make a registry that holds one key with one value."""

    class Key:
        def __enter__(self) -> Key:  # noqa: PYI034  # Self needs Python 3.11
            return self

        def __exit__(self, *_: object) -> None:
            closed.append(self)

    def query(_key, name) -> tuple[str, int]:
        assert name == "ProcessorNameString"
        if isinstance(answer, Exception):
            raise answer
        return answer, 1

    closed: list[Key] = []
    winreg = ModuleType("winreg")
    vars(winreg).update(
        HKEY_LOCAL_MACHINE=1, OpenKey=lambda *_: Key(), QueryValueEx=query, closed=closed
    )
    return winreg


def test_windows_is_asked_by_its_registry_and_wmic_is_not_started(
    fake_platform, fake_env, monkeypatch
):
    wmic = fake_env.stub_command("wmic", stdout="Name\nWrong\n")
    winreg = registry("Example CPU   ")
    monkeypatch.setitem(sys.modules, "winreg", winreg)
    fake_platform("windows")
    assert processor_name() == "Example CPU"
    assert len(winreg.closed) == 1
    assert wmic.calls == []


def test_a_registry_that_does_not_tell_leaves_what_platform_says(fake_platform, monkeypatch):
    monkeypatch.setitem(sys.modules, "winreg", registry(FileNotFoundError(2, "no such value")))
    fake_platform("windows")
    assert processor_name() == platform.processor()
    assert "GenuineIntel" in processor_name()


def test_a_pretended_windows_without_a_registry_is_no_error(fake_platform, monkeypatch):
    monkeypatch.setitem(sys.modules, "winreg", None)  # an import of it fails
    fake_platform("windows")
    assert processor_name() == platform.processor()


def test_nothing_known_is_none(fake_platform, monkeypatch, temp_workspace):
    fake_platform("linux")
    unknown = SimpleNamespace(processor=lambda: "", machine=lambda: "")
    monkeypatch.setattr(module, "platform", unknown)
    assert processor_name(str(temp_workspace / "missing")) is None

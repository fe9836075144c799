"""Another system for the code under test, this machine for everybody else."""

from __future__ import annotations

import asyncio
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from platform import platform as platform_bound_before
from platform import uname as uname_bound_before

import pytest

from pytest_syskit.tools.environment.fake_platform import FakePlatform, fake_platform
from pytest_syskit.tools.environment.platform_facts import platform_names

NAMES = platform_names()


def identity() -> dict[str, object]:
    return {
        "sys.platform": sys.platform,
        "os.name": os.name,
        "os.uname": getattr(os, "uname", None),
        "getwindowsversion": getattr(sys, "getwindowsversion", None),
        "get_platform": sysconfig.get_platform,
        "platform": dict(vars(platform)),
        "caches": [dict(platform._platform_cache), platform._uname_cache],
        "os of stdlib": (shutil.os, subprocess.os, tempfile._os, shutil.sys),
    }


@pytest.fixture(autouse=True)
def exact_afterwards():
    with fake_platform("linux"):
        pass  # imports what it imports, once
    platform.platform()  # fills the caches
    before = identity()
    yield
    assert identity() == before


@pytest.mark.parametrize("name", NAMES)
def test_all_answers_agree(name):
    with fake_platform(name) as faked:
        facts = faked.facts
        assert sys.platform == facts.sys_platform
        assert os.name == facts.os_name
        assert platform.system() == platform.uname().system == facts.system
        assert platform.release() == facts.release
        assert platform.version() == facts.version
        assert platform.machine() == facts.machine
        assert platform.processor() == facts.processor
        assert platform.libc_ver() == facts.libc
        assert bool(platform.mac_ver()[0]) == (name == "macos")
        assert bool(platform.win32_ver()[0]) == (name == "windows")
        assert hasattr(sys, "getwindowsversion") == (name == "windows")
        assert hasattr(os, "uname") == (name != "windows")
        if name != "windows":
            assert os.uname().sysname == platform.system()
            assert os.uname().nodename == platform.node()
        assert "{" not in facts.version + facts.build_platform


@pytest.mark.parametrize(
    ("name", "long", "build"),
    [
        ("windows", "Windows-10-10.0.19045-SP0", "win-amd64"),
        ("linux", "Linux-6.1.0-18-amd64-x86_64-with-glibc2.36", "linux-x86_64"),
        ("macos", "macOS-14.4-arm64-arm-64bit", "macosx-14.0-arm64"),
        ("freebsd", "FreeBSD-14.0-RELEASE-amd64-64bit-ELF", "freebsd-14.0-release-amd64"),
    ],
)
def test_the_long_names_are_those_of_such_a_machine(name, long, build):
    with fake_platform(name):
        assert platform.platform().startswith(long)  # from 3.13 macOS adds the linkage
        assert sysconfig.get_platform() == build


def test_windows_tells_its_build():
    with fake_platform("windows"):
        assert sys.getwindowsversion()[:3] == (10, 0, 19045)
        assert sys.getwindowsversion().build == 19045
        assert platform.win32_edition() == "Professional"


def test_only_linux_has_an_os_release():
    with fake_platform("linux"):
        assert platform.freedesktop_os_release()["ID"] == "debian"
    with fake_platform("macos"), pytest.raises(OSError, match="Darwin has no os-release"):
        platform.freedesktop_os_release()


def test_machine_and_release_can_be_chosen():
    with fake_platform("linux", machine="aarch64", release="5.4.0"):
        assert (platform.machine(), os.uname().release) == ("aarch64", "5.4.0")
        assert sysconfig.get_platform() == "linux-aarch64"
        assert platform.platform() == "Linux-5.4.0-aarch64-with-glibc2.36"


def test_functions_bound_before_answer_alike_and_forget_it():
    true = (platform_bound_before(), uname_bound_before())
    with fake_platform("windows"):
        assert platform_bound_before() == "Windows-10-10.0.19045-SP0"
        assert uname_bound_before().system == "Windows"
    assert (platform_bound_before(), uname_bound_before()) == true


@pytest.mark.parametrize("name", NAMES)
def test_the_standard_library_goes_on_working(name, tmp_path):
    with fake_platform(name):
        assert type(pathlib.Path("a")) is type(tmp_path)
        assert type(pathlib.PurePath("a/b")) is not pathlib.PureWindowsPath
        (tmp_path / "file").write_text("x")
        assert [path.name for path in tmp_path.iterdir()] == ["file"]
        shutil.copytree(tmp_path, tmp_path / "copy")
        shutil.rmtree(tmp_path / "copy")
        assert shutil.which("sh")
        with tempfile.NamedTemporaryFile() as stream, tempfile.TemporaryDirectory() as folder:
            assert os.path.exists(stream.name)
            assert os.path.isdir(folder)
        assert (
            subprocess.run(["sh", "-c", "echo x"], capture_output=True, check=True).stdout == b"x\n"
        )
        asyncio.run(asyncio.sleep(0))


def test_redirection_through_the_shielded_modules_reaches_the_true_ones(capsys):
    with fake_platform("windows"):
        shutil.sys.syskit_mark = 1
        assert sys.syskit_mark == 1
        assert "syskit_mark" in dir(shutil.sys)
        del shutil.sys.syskit_mark
        assert not hasattr(sys, "syskit_mark")
        sys.stdout.write("seen")
        assert capsys.readouterr().out == "seen"


def test_pretences_nest():
    with fake_platform("windows"):
        with fake_platform("macos"):
            assert (sys.platform, platform.system()) == ("darwin", "Darwin")
            assert pathlib.Path("/").exists()
        assert (sys.platform, os.name, platform.system()) == ("win32", "nt", "Windows")


def test_undone_when_the_block_fails():
    true = sys.platform
    with pytest.raises(ZeroDivisionError), fake_platform("windows"):
        _ = 1 / 0
    assert sys.platform == true


def test_foreign_writes_are_undone():
    true = sys.platform
    with fake_platform("windows"):
        sys.platform = "plan9"
        os.name = "other"
        os.uname = lambda: None
    assert sys.platform == true


def test_ending_out_of_order_is_refused_and_changes_nothing():
    outer, inner = fake_platform("windows"), fake_platform("macos")
    outer.start()
    inner.start()
    with pytest.raises(
        RuntimeError, match=r"'windows'\) cannot end while .*'macos'\), begun after"
    ):
        outer.stop()
    assert sys.platform == "darwin"
    inner.stop()
    outer.stop()
    outer.stop()


def test_starting_twice_is_refused():
    with fake_platform("windows") as faked, pytest.raises(RuntimeError, match="started before"):
        faked.start()


def test_calls_hold_until_the_end_of_the_test_or_of_a_block():
    true = sys.platform
    with FakePlatform() as fake:
        fake("macos")
        fake("freebsd")
        assert sys.platform == "freebsd14"
        with fake("windows"):
            assert sys.platform == "win32"
        assert sys.platform == "freebsd14"
    assert sys.platform == true


@pytest.mark.parametrize(("spelling", "system"), [("win32", "Windows"), ("darwin", "Darwin")])
def test_the_values_of_sys_platform_are_names_too(spelling, system):
    with fake_platform(spelling):
        assert platform.system() == system


def test_unknown_names_are_refused_with_the_choices():
    with pytest.raises(
        ValueError, match=r"fake_platform\('beos'\): it takes one of cygwin, freebsd, linux, "
    ):
        fake_platform("beos")
    with pytest.raises(TypeError, match=r"fake_platform\(None\): it takes one of"):
        fake_platform(None)
    with pytest.raises(ValueError, match=r"fake_platform\('linux'\): machine is ''; it takes text"):
        fake_platform("linux", machine="")
    with pytest.raises(ValueError, match="release is 5"):
        fake_platform("linux", release=5)


def test_a_failed_start_leaves_nothing(monkeypatch):
    true = sys.platform
    monkeypatch.setattr(
        "pytest_syskit.tools.environment.fake_platform._platform_module", lambda _: 1 / 0
    )
    with pytest.raises(ZeroDivisionError), fake_platform("windows"):
        pass
    assert sys.platform == true


def test_pytest_reports_a_failure_under_a_fake(pytester):
    pytester.makepyfile("""
        from pathlib import Path
        import sys
        import pytest
        from pytest_syskit.tools.environment.fake_platform import FakePlatform

        @pytest.fixture
        def fake():
            with FakePlatform() as fake:
                yield fake

        @pytest.mark.parametrize("name", ["windows", "macos"])
        def test_fails(fake, tmp_path, name):
            fake(name)
            Path(tmp_path, "a").mkdir()
            assert sys.platform == "plan9"

        def test_after(tmp_path):
            assert sys.platform not in ("win32",)
    """)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(["E *AssertionError: assert 'win32' == 'plan9'"])
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()

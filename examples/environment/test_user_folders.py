"""Each system's branch is taken on any machine (exercise D3)."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from environment_lookups import MissingVariable
from user_folders import UserFolders, search_path, user_folders


@pytest.mark.parametrize("system", ["linux", "freebsd"])
def test_xdg_directories_below_home_unless_others_are_chosen(fake_env, fake_platform, system):
    fake_platform(system)
    fake_env.set("HOME", "/home/ann")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        fake_env.unset(name)
    fake_env.set("XDG_CACHE_HOME", "/var/cache/ann")
    assert user_folders("editor") == UserFolders(
        PurePosixPath("/home/ann/.config/editor"),
        PurePosixPath("/home/ann/.local/share/editor"),
        PurePosixPath("/var/cache/ann/editor"),
    )


@pytest.mark.parametrize("ignored", ["", "relative/path", "."])
def test_an_xdg_variable_that_is_not_absolute_is_ignored(fake_env, fake_platform, ignored):
    fake_platform("linux")
    fake_env.set("HOME", "/home/ann")
    fake_env.set("XDG_CONFIG_HOME", ignored)
    assert user_folders("editor").settings == PurePosixPath("/home/ann/.config/editor")


def test_the_library_on_macos(fake_env, fake_platform):
    fake_platform("macos")
    fake_env.set("HOME", "/Users/ann")
    support = PurePosixPath("/Users/ann/Library/Application Support/editor")
    assert user_folders("editor") == UserFolders(
        support, support, PurePosixPath("/Users/ann/Library/Caches/editor")
    )


def test_appdata_on_windows_and_no_home(fake_env, fake_platform):
    fake_platform("windows")
    fake_env.unset("HOME")
    fake_env.set("APPDATA", "C:\\Users\\Ann\\AppData\\Roaming")
    fake_env.set("LOCALAPPDATA", "C:\\Users\\Ann\\AppData\\Local")
    folders = user_folders("editor")
    assert folders == UserFolders(
        PureWindowsPath("C:/Users/Ann/AppData/Roaming/editor"),
        PureWindowsPath("C:/Users/Ann/AppData/Local/editor"),
        PureWindowsPath("C:/Users/Ann/AppData/Local/editor/Cache"),
    )
    assert str(folders.cache) == "C:\\Users\\Ann\\AppData\\Local\\editor\\Cache"


@pytest.mark.parametrize(
    ("system", "missing"),
    [("linux", "HOME"), ("macos", "HOME"), ("windows", "APPDATA")],
)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_variable_is_named(fake_env, fake_platform, system, missing, value):
    fake_platform(system)
    for name in ("XDG_CONFIG_HOME", missing):
        fake_env.unset(name)
    if value is not None:
        fake_env.set(missing, value)
    with pytest.raises(MissingVariable, match=f"'{missing}' is not set"):
        user_folders("editor")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "C:", "a ", "a\0"])
def test_a_program_is_a_plain_name(name):
    with pytest.raises(ValueError, match="a plain name is expected"):
        user_folders(name)


def test_path_is_split_by_the_rules_of_the_system(fake_env, fake_platform):
    fake_env.set("PATH", "C:\\bin;D:\\tools;;C:\\bin")
    with fake_platform("windows"):
        assert search_path() == ["C:\\bin", "D:\\tools"]
    fake_env.set("PATH", "/bin:/opt/my tools::/bin:")
    with fake_platform("linux"):
        assert search_path() == ["/bin", "/opt/my tools"]


def test_no_path_is_no_directories(fake_env):
    fake_env.unset("PATH")
    assert search_path() == []

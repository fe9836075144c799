"""Which words hold on which system."""

from __future__ import annotations

import os
import sys

import pytest

from pytest_syskit.host import platforms


def words_on(monkeypatch, os_name, sys_platform):
    with monkeypatch.context() as pretend:  # undone before pytest looks at either
        pretend.setattr(os, "name", os_name)
        pretend.setattr(sys, "platform", sys_platform)
        return platforms.words_here(), platforms.title()


@pytest.mark.parametrize(
    ("os_name", "sys_platform", "words", "title"),
    [
        ("posix", "linux", {"posix", "linux"}, "Linux"),
        ("posix", "darwin", {"posix", "macos"}, "macOS"),
        ("nt", "win32", {"windows"}, "Windows"),
        ("posix", "cygwin", {"posix"}, "cygwin"),
        ("posix", "freebsd14", {"posix"}, "freebsd14"),
        ("posix", "android", {"posix"}, "android"),
        ("posix", "ios", {"posix"}, "ios"),
    ],
)
def test_each_system_has_its_words(monkeypatch, os_name, sys_platform, words, title):
    assert words_on(monkeypatch, os_name, sys_platform) == (words, title)


def test_some_word_holds_here_and_all_are_known():
    assert platforms.words_here()
    assert platforms.words_here() <= set(platforms.WORDS)

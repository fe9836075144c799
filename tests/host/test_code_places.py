"""Whose a frame is, whatever way its file is written."""

from __future__ import annotations

import json
import os
import sys
import sysconfig

from pytest_syskit.host import user_frames
from pytest_syskit.host.code_places import Places


def test_a_library_is_known_by_a_roundabout_path():
    stdlib = sysconfig.get_path("stdlib")
    roundabout = os.path.join(stdlib, "..", os.path.basename(stdlib), "module.py")
    code = compile("0", roundabout, "exec")
    places = Places(os.getcwd())
    assert places.whose(code) == places.whose(json.dumps.__code__)


def deep(depth):
    return deep(depth - 1) if depth else user_frames.lines_of(sys._getframe())


def test_a_recursion_is_told_by_its_innermost_lines():
    assert len(deep(300)) == 10
    assert set(deep(300)) == {deep(300)[0], deep(300)[-1]}


def test_the_innermost_line_comes_last_and_the_runner_is_left_out():
    def inner():
        return user_frames.lines_of(sys._getframe())

    here, within = "test_the_innermost_line_comes_last_and_the_runner_is_left_out", "inner"
    assert [line.rpartition(" in ")[2] for line in inner()] == [here, within]


def test_a_function_is_told_by_its_first_line():
    line = deep.__code__.co_firstlineno
    assert user_frames.place_of_function(deep).endswith(f"test_code_places.py:{line}")
    assert user_frames.place_of_function(len) == ""
    assert user_frames.place_of_function(json.dumps) == (
        f"json{os.sep}__init__.py:{json.dumps.__code__.co_firstlineno}"
    )

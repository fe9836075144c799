"""What ``sys`` says is collected, in this process and in others (exercise A2)."""
# ruff: noqa: ANN002, ANN003, ANN202  # arguments are passed on as they are

from __future__ import annotations

import codecs
import json
import platform
import struct
import subprocess
import sys

import interpreter_facts as module
from interpreter_facts import interpreter_facts

from pytest_syskit import Returned

PROGRAM = (
    "import sys, json, dataclasses; sys.path.insert(0, sys.argv.pop(1)); import interpreter_facts; "
    "print(json.dumps(dataclasses.asdict(interpreter_facts.interpreter_facts())))"
)


def facts_of_a_child(*arguments, **options):
    folder = module.__file__.rpartition("interpreter_facts")[0]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, folder, *arguments],
        capture_output=True, text=True, timeout=30, check=True, **options,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_version_and_implementation_agree_with_platform():
    facts = interpreter_facts()
    assert ".".join(map(str, facts.version)) == platform.python_version().partition("+")[0]
    assert facts.implementation == platform.python_implementation().lower()


def test_the_byte_order_is_that_of_numbers_in_memory():
    order = {b"\x01\x00": "little", b"\x00\x01": "big"}
    assert interpreter_facts().byteorder == order[struct.pack("=H", 1)]


def test_the_executable_runs_the_same_version():
    facts = interpreter_facts()
    program = "import sys; print(*sys.version_info[:3])"
    printed = subprocess.run(
        [facts.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert tuple(map(int, printed.stdout.split())) == facts.version


def test_arguments_and_encodings_are_those_of_the_process(fake_env):
    fake_env.set("PYTHONIOENCODING", "latin-1")
    facts = facts_of_a_child("one", "two words")
    assert facts["argv"] == ["-c", "one", "two words"]
    assert {codecs.lookup(name).name for name in facts["stream_encodings"]} == {"iso8859-1"}


def test_path_and_arguments_are_copies_that_later_changes_do_not_reach(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["script"])
    facts = interpreter_facts()
    monkeypatch.syspath_prepend("/nowhere")
    sys.argv.append("more")
    assert "/nowhere" not in facts.path
    assert "/nowhere" in interpreter_facts().path
    assert facts.argv == ("script",)


def test_the_recursion_limit_is_the_present_one(fork_runner):
    def limited():
        sys.setrecursionlimit(4321)
        return interpreter_facts().recursion_limit

    assert fork_runner.run(limited) == Returned(4321)


def test_the_platform_is_asked_at_the_call(fake_platform):
    with fake_platform("windows"):
        assert interpreter_facts().platform == "win32"


def test_missing_and_odd_streams_have_no_encoding(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stderr", object())
    stdin, _, stderr = interpreter_facts().stream_encodings
    assert (stdin, stderr) == (None, None)


def test_an_interpreter_that_cannot_tell_where_it_is_has_an_empty_path(monkeypatch):
    monkeypatch.setattr(sys, "executable", None)
    assert interpreter_facts().executable == ""

"""A block is a statement, a line for each resource, how to see more, and last the remedy."""

from __future__ import annotations

import pytest

from pytest_syskit.leaks.leak import Leak
from pytest_syskit.leaks.owner import Owner
from pytest_syskit.leaks.resource import Resource
from pytest_syskit.leaks.wording import block

TEST = Owner("test", "tests/test_server.py::test_accept")


def leak(fd=9, kind="fd", created_at=None, **detail):
    return Leak(Resource(kind, (fd,), f"fd {fd}  x", detail), TEST, "call", created_at=created_at)


def test_the_lines_that_made_a_resource_stand_under_it():
    lines = block(TEST, [leak(created_at=("a.py:1 in f", "a.py:2 in g"))])
    assert lines[1:4] == ["  fd 9  x", "      a.py:1 in f", "      a.py:2 in g"]


def test_one_line_before_the_remedy_says_how_to_see_them():
    *_, hint, remedy = block(TEST, [leak()], TEST.id)
    assert hint == f'  to see the line that made it: pytest --syskit-leak-trace "{TEST.id}"'
    assert remedy.startswith("  close it in the test")


@pytest.mark.parametrize(
    ("leaks", "told"),
    [
        ([leak(8), leak(9)], "close them in the test"),
        (
            [leak(9), leak(1, "process")],
            "close the file descriptor, and end the process and wait for it in the test",
        ),
        (
            [leak(8), leak(9), leak(1, "process"), leak(2, "process")],
            "close the file descriptors, and end the processes and wait for them in the test",
        ),
    ],
    ids=["one kind", "one of each", "two of each"],
)
def test_where_there_are_several_kinds_each_is_told_what_to_do_with(leaks, told):
    assert block(TEST, leaks)[-1].startswith(f"  {told}, or mark it ")


def test_several_resources_have_one_such_line():
    lines = block(TEST, [leak(8), leak(9), leak(1, "process")], TEST.id)
    (hint,) = [line for line in lines if "--syskit-leak-trace" in line]
    assert hint.startswith("  to see the lines that made them: ")


@pytest.mark.parametrize(
    "told",
    [leak(created_at=("a.py:1 in f",)), leak(kind="thread"), leak(0, change="closed")],
    ids=["traced", "another kind", "from before the tests"],
)
def test_nothing_is_said_where_a_trace_tells_nothing_more(told):
    assert not any("--syskit-leak-trace" in line for line in block(TEST, [told], TEST.id))


def test_a_run_that_is_traced_does_not_say_how_to_trace():
    assert not any("--syskit-leak-trace" in line for line in block(TEST, [leak()]))


@pytest.mark.parametrize(
    ("argument", "quoted"),
    [
        ("t.py::test_a[a b]", '"t.py::test_a[a b]"'),
        ("t.py::test_a[it's]", '"t.py::test_a[it\'s]"'),
        ("t.py::test_a[$HOME]", "'t.py::test_a[$HOME]'"),
        ('t.py::test_a["it\'s"]', "'t.py::test_a[\"it'\\''s\"]'"),
    ],
)
def test_an_id_is_quoted_for_the_shell(argument, quoted):
    assert block(TEST, [leak()], argument)[-2].endswith(f"--syskit-leak-trace {quoted}")

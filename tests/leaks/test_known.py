from __future__ import annotations

import random
import re

import pytest

from pytest_syskit.leaks import known
from pytest_syskit.leaks.known import KnownLeak, KnownLeaks, Unreadable
from pytest_syskit.leaks.leak import Leak
from pytest_syskit.leaks.owner import Owner
from pytest_syskit.leaks.plain_labels import PlainLabels
from pytest_syskit.leaks.resource import Resource

TEST = Owner("test", "tests/test_a.py::test_b")
NULL = KnownLeak("tests/test_a.py::test_b", "fd", "device  /dev/null (read)")
ZERO = KnownLeak("tests/test_a.py::test_b", "fd", "device  /dev/zero (read)")


def leak(fd, name="null", owner=TEST, kind="fd"):
    label = f"{kind} {fd}  device  /dev/{name} (read)"
    return Leak(Resource(kind, (fd,), label), owner, "call")


def verdicts(counts, leaks):
    return [x.verdict for x in KnownLeaks(counts, "known", PlainLabels()).excuse(leaks)]


def test_as_many_are_excused_as_are_known_and_the_rest_is_new():
    assert verdicts({NULL: 2}, [leak(5), leak(6), leak(7)]) == ["allowed", "allowed", "leak"]


def test_an_excused_leak_says_why():
    list_ = KnownLeaks({NULL: 1}, "in the baseline x", PlainLabels())
    (excused,) = list_.excuse([leak(5)])
    assert excused.reason == "in the baseline x"
    assert list_.excused(excused)
    assert not list_.excused(leak(5).allowed("meant"))


@pytest.mark.parametrize(
    "other", [leak(5, "zero"), leak(5, owner=Owner("test", "x::y")), leak(5, kind="file")]
)
def test_another_label_owner_or_kind_is_not_excused(other):
    assert verdicts({NULL: 1}, [other]) == ["leak"]


def test_each_life_of_an_owner_may_leave_as_much():
    list_ = KnownLeaks({NULL: 1}, "known", PlainLabels())
    assert [list_.excuse([leak(n)])[0].verdict for n in (5, 6)] == ["allowed", "allowed"]


def test_while_the_list_is_written_everything_is_excused():
    assert verdicts(None, [leak(5), leak(6, "zero")]) == ["allowed", "allowed"]


def test_what_a_mark_allows_is_neither_counted_nor_used_up():
    meant = leak(5).allowed("meant")
    assert verdicts({NULL: 1}, [meant, leak(6)]) == ["allowed", "allowed"]
    list_ = KnownLeaks({NULL: 1}, "known", PlainLabels())
    assert list_.tally(list_.excuse([meant, leak(6), leak(7)])) == {NULL: 2}


def test_a_fixture_is_named_without_its_line():
    where = Owner("fixture", "db[0: <Db object at 0x7f01>]", "session", "tests/conftest.py:12")
    moved = Owner("fixture", "db[0: <Db object at 0x7fab>]", "session", "tests/conftest.py:99")
    list_ = KnownLeaks({}, "known", PlainLabels())
    assert list_.name(where) == list_.name(moved)
    assert list_.name(where) == "fixture db[0: <Db object at #>] (session, tests/conftest.py)"
    assert KnownLeak(list_.name(where), "fd", "x").path == "tests/conftest.py"
    assert KnownLeak(list_.name(Owner("fixture", "a", "module")), "fd", "x").path == ""


def test_the_file_of_a_test_is_the_first_part_of_its_id():
    assert NULL.path == "tests/test_a.py"
    assert not NULL.is_fixture


# -- several lives, and what has gone -------------------------------------------------------------------


def test_of_several_lives_the_greatest_count_holds():
    assert known.most([{NULL: 1}, {NULL: 3, ZERO: 1}, {NULL: 2}]) == {NULL: 3, ZERO: 1}


def test_gone_is_what_was_looked_for_and_not_met():
    assert known.gone({NULL: 3, ZERO: 1}, {NULL: 1}, set()) == {NULL: 2, ZERO: 1}
    assert known.gone({NULL: 3, ZERO: 1}, {NULL: 1}, {ZERO}) == {NULL: 2}
    assert known.gone({NULL: 1}, {NULL: 5}, set()) == {}


def test_a_renewed_list_has_what_was_seen_and_what_may_still_be_there():
    assert known.renewed({NULL: 3, ZERO: 1}, {NULL: 1}, {NULL: 2, ZERO: 1}) == {NULL: 1}
    assert known.renewed({NULL: 3, ZERO: 1}, {NULL: 4}, {}) == {NULL: 4, ZERO: 1}


# -- the text ------------------------------------------------------------------------------------------

COUNTS = {
    KnownLeak("fixture db (session, tests/conftest.py)", "process", "redis-server *:#"): 1,
    KnownLeak("tests/test_a.py::test_b", "fd", "a  b"): 12,
    KnownLeak("tests/test_a.py::test_b", "process", "sleep #"): 1,
    KnownLeak("tests/test_b.py::test_b[x y]", "fd", "# no comment"): 2,
}


def test_the_text_is_sorted_and_has_one_line_for_each_count():
    shuffled = list(COUNTS.items())
    random.shuffle(shuffled)
    text = known.render(dict(shuffled))
    assert text == known.render(COUNTS)
    assert [line for line in text.splitlines() if not line.startswith("# ")] == [
        "",
        "fixture db (session, tests/conftest.py)",
        "    1 process  redis-server *:#",
        "",
        "tests/test_a.py::test_b",
        "    12 fd  a  b",
        "    1 process  sleep #",
        "",
        "tests/test_b.py::test_b[x y]",
        "    2 fd  # no comment",
    ]


def test_what_was_written_is_read_back():
    assert known.parse(known.render(COUNTS)) == COUNTS
    assert known.parse(known.render({})) == {}
    assert known.parse(known.render(COUNTS).replace("\n", "\r\n")) == COUNTS


def test_labels_and_ids_with_odd_characters_survive():
    odd = Leak(Resource("fd", (5,), "fd 5  /a\nb\u2028c (read) "), Owner("test", "a::b\nc"), "call")
    key = KnownLeaks({}, "known", PlainLabels()).key(odd)
    text = known.render({key: 1})
    assert (
        KnownLeaks(known.parse(text), "known", PlainLabels()).excuse([odd])[0].verdict == "allowed"
    )


def test_of_two_lines_that_say_the_same_the_greater_holds():
    text = known.render({NULL: 2}) + known.render({NULL: 5}).partition("\n\n")[2]
    assert known.parse(text) == {NULL: 5}


HEAD = known.render({}).splitlines()[0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1: '', where '# pytest-syskit baseline, format 1' was expected"),
        ('{"format": 1}', "line 1: '{\"format\": 1}'"),
        ("# pytest-syskit baseline, format x\n", "line 1"),
        ("# pytest-syskit baseline, format 2\n", "format 2, and this version reads 1"),
        (
            f"{HEAD}\n    1 fd  x\n",
            "line 2: '1 fd  x', where the owner of what follows was expected",
        ),
        (f"{HEAD}\na::b\n    fd  x\n", "line 3: 'fd  x', where COUNT KIND  LABEL was expected"),
        (f"{HEAD}\na::b\n    0 fd  x\n", "line 3: '0 fd  x'"),
        (f"{HEAD}\nhello\n", "line 2: 'hello' is no owner$"),
        (
            f"{HEAD}\n<<<<<<< HEAD\n",
            "line 2: '<<<<<<< HEAD' is no owner (a merge was left half-way)",
        ),
    ],
)
def test_another_text_is_refused_with_its_line(text, complaint):
    pattern = re.escape(complaint).replace(r"\$", "$")
    with pytest.raises(Unreadable, match=pattern):
        known.parse(text)

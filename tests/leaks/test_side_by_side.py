from __future__ import annotations

from pytest_syskit.leaks.leak import Leak
from pytest_syskit.leaks.owner import Owner
from pytest_syskit.leaks.plain_labels import PlainLabels
from pytest_syskit.leaks.repeats import Repeats
from pytest_syskit.leaks.resource import Resource
from pytest_syskit.leaks.side_by_side import lay_side_by_side
from pytest_syskit.leaks.wording import block, line

TEST = Owner("test", "a.py::test")


def leak(fd, name="x", phase="call", created_at=None, kind="fd", **detail):
    resource = Resource(kind, (fd,), f"{kind} {fd}  /{name} (read)", detail)
    return Leak(resource, TEST, phase, created_at=created_at)


def told(*runs):
    found = lay_side_by_side(runs, PlainLabels())
    return [(x.resource.label, str(x.repeats)) for x in found]


def test_every_time_the_first_time_only_and_sometimes_are_told_apart():
    assert told([leak(5), leak(6, "y")], [leak(7)], [leak(8), leak(9, "z")]) == [
        ("fd 5  /x (read)", "every time (3 of 3)"),
        ("fd 6  /y (read)", "the first time only (1 of 3)"),
        ("fd 9  /z (read)", "sometimes (1 of 3)"),
    ]


def test_of_several_with_one_label_only_the_surplus_is_first_use():
    assert told([leak(5), leak(6)], [leak(7)]) == [
        ("fd 5  /x (read)", "every time (2 of 2)"),
        ("fd 6  /x (read)", "the first time only (1 of 2)"),
    ]


def test_runs_that_left_nothing_count():
    assert told([leak(5)], [], []) == [("fd 5  /x (read)", "the first time only (1 of 3)")]
    assert told([], [leak(5)]) == [("fd 5  /x (read)", "sometimes (1 of 2)")]
    assert told([], []) == []


def test_a_single_run_tells_nothing():
    only = leak(5)
    assert lay_side_by_side([[only]], PlainLabels()) == [only]
    assert only.repeats is None


def test_another_phase_kind_or_line_of_code_is_another_thing():
    runs = [leak(5)], [leak(5, phase="setup")], [leak(5, kind="file")], [leak(5, created_at=("a",))]
    assert [times for _, times in told(*runs)] == [
        "the first time only (1 of 4)",
        *["sometimes (1 of 4)"] * 3,
    ]


def test_it_is_a_leak_if_it_was_one_in_any_run():
    runs = [leak(5).allowed("known")], [leak(6)]
    (joined,) = lay_side_by_side(runs, PlainLabels())
    assert joined.verdict == "leak"
    (joined,) = lay_side_by_side([[leak(5).allowed("known")], []], PlainLabels())
    assert joined.verdict == "allowed"


def test_the_json_form_says_when_and_is_read_back():
    (found,) = lay_side_by_side([[leak(5)], []], PlainLabels())
    assert found.record()["repeats"] == {"when": "first", "runs": [1], "of": 2}
    assert Leak.from_record(found.record()).repeats == Repeats((1,), 2)
    assert "repeats" not in leak(5).record()
    assert Leak.from_record(leak(5).record()).repeats is None


def test_a_line_says_how_often():
    (found,) = lay_side_by_side([[leak(5)], [leak(6)]], PlainLabels())
    assert line(found) == "fd 5  /x (read)  every time (2 of 2)"


def test_first_use_has_a_remedy_of_its_own():
    found = lay_side_by_side([[leak(5), leak(6, "y")], [leak(7)]], PlainLabels())
    *_, each, first = block(TEST, found)
    assert each.strip().startswith("close it in the test, or mark it")
    assert first.strip() == (
        "what comes the first time only (1 file descriptor) is the cost of a first use: make it once "
        'in a session fixture, or mark the test @pytest.mark.allow_leaks("fd", reason="…")'
    )


def test_a_value_that_shows_once_is_no_first_use():
    found = lay_side_by_side([[leak(5, kind="cwd")], []], PlainLabels())
    assert "first use" not in block(TEST, found)[-1]
    found = lay_side_by_side([[leak(5, change="closed")], []], PlainLabels())
    assert "first use" not in block(TEST, found)[-1]

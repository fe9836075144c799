from __future__ import annotations

import pytest

from pytest_syskit.leaks.rules import Allowance, IgnoreRule, matches

KINDS = ("process", "fd")


@pytest.mark.parametrize(
    "pattern", ["sleep", "sleep 3?", "*sleep*", r"sleep \d+", "30", "4711*sleep"]
)
def test_a_pattern_matches_anywhere_as_glob_or_as_regular_expression(pattern):
    assert matches(pattern, "process 4711  running  sleep 30")


@pytest.mark.parametrize("pattern", ["sleep 4", "*.log", r"^sleep", "[", "SLEEP"])
def test_a_pattern_that_does_not_occur_does_not_match(pattern):
    assert not matches(pattern, "process 4711  running  sleep 30")


def test_a_rule_has_kind_pattern_and_reason():
    rule = IgnoreRule.parse("fd: */cache.db   # opened once by the driver", KINDS)
    assert (rule.kind, rule.pattern, rule.reason) == (
        "fd",
        "*/cache.db",
        "opened once by the driver",
    )
    assert rule.covers("fd", "fd 5  file  /var/cache.db (rw)")
    assert not rule.covers("process", "/var/cache.db")


def test_a_star_stands_for_every_kind():
    assert IgnoreRule.parse("*:vendor  # theirs", KINDS).covers("process", "vendor --serve")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("fd:*.log", "reason is missing"),
        ("fd:*.log #  ", "reason is missing"),
        ("*.log # why", "kind:pattern"),
        ("fd: # why", "kind:pattern"),
        ("fds:*.log # why", "'fds' is no kind; take one of process, fd"),
    ],
)
def test_a_bad_rule_says_what_is_wrong(text, complaint):
    with pytest.raises(ValueError, match=complaint):
        IgnoreRule.parse(text, KINDS)


def test_an_allowance_without_kinds_covers_all():
    assert Allowance((), None, "r").covers("fd", "anything")


def test_an_allowance_is_held_to_its_kinds_and_its_pattern():
    allowance = Allowance(("fd",), "out.log", "r")
    assert allowance.covers("fd", "fd 3  file  /tmp/out.log (w)")
    assert not allowance.covers("fd", "fd 3  file  /tmp/other (w)")
    assert not allowance.covers("process", "out.log")


def test_an_allowance_reads_as_it_was_written():
    assert str(Allowance(("fd",), "x", "why")) == "allow_leaks('fd', match='x', reason='why')"

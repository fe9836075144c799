from __future__ import annotations

from pytest_syskit.leaks.resource import Resource
from pytest_syskit.leaks.settling import settle

A, B = Resource("x", ("a",)), Resource("x", ("b",))


def scripted(*snapshots):
    script = iter(snapshots)
    return lambda: frozenset(next(script))


def test_what_goes_during_a_step_is_no_longer_suspect():
    assert settle([A, B], scripted({A, B}, {B}), [lambda: None] * 2) == [B]


def test_no_step_is_taken_once_nobody_is_left():
    taken = []
    settle([A], scripted({A}, ()), [lambda: taken.append(1)] * 5)
    assert len(taken) == 2


def test_what_comes_back_stays_acquitted():
    assert settle([A], scripted((), {A}), [lambda: None] * 2) == []


def test_newcomers_are_not_judged():
    assert settle([A], scripted({A, B}), [lambda: None]) == [A]

"""Numbers for objects, whose addresses are used again."""

from __future__ import annotations

from pytest_syskit.host.state.identities import Identities


class Thing:
    pass


class Bare:
    __slots__ = ()


def test_an_object_keeps_its_number():
    identities, thing, other = Identities(), Thing(), Thing()
    assert [identities.number(each) for each in (thing, other, thing)] == [1, 2, 1]


def test_an_address_that_is_used_again_is_another_object():
    identities = Identities()
    numbers = set()
    for _ in range(50):
        thing = Thing()  # nearly always at the address of the one before
        numbers.add(identities.number(thing))
        del thing
    assert len(numbers) == 50


def test_an_object_is_found_by_its_number_while_it_lives():
    identities, thing = Identities(), Thing()
    number = identities.number(thing)
    assert identities.holder(number) is thing
    del thing
    assert identities.holder(number) is None
    assert identities.holder(4711) is None


def test_what_takes_no_weak_reference_is_kept():
    identities = Identities()
    number = identities.number(Bare())
    assert isinstance(identities.holder(number), Bare)


def test_what_has_gone_is_swept_out():
    identities = Identities()
    for _ in range(10):
        alive = [Thing() for _ in range(300)]
        numbers = [identities.number(each) for each in alive]
        assert identities.holder(numbers[-1]) is alive[-1]
    assert len(identities._known) < 1500

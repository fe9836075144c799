"""The book, over scripted snapshots: letters stand for resources."""

from __future__ import annotations

from pytest_syskit.leaks.ledger import Account, Ledger
from pytest_syskit.leaks.owner import Owner
from pytest_syskit.leaks.resource import Resource


def seen(letters: str) -> frozenset[Resource]:
    return frozenset(Resource("x", (letter,)) for letter in letters)


def account(name: str) -> Account:
    return Account(Owner("test", name))


def left(ledger: Ledger, whose: Account) -> str:
    return "".join(sorted(f"{r.key[0]}{phase[0]}" for r, phase in ledger.audit(whose).items()))


def test_what_appears_between_enter_and_leave_is_the_owners():
    ledger, test = Ledger(seen("a")), account("t")
    ledger.enter(test, "setup", seen("a"))
    ledger.turn(test, "call", seen("ab"))
    ledger.turn(test, "teardown", seen("abc"))
    ledger.leave(test, seen("abcd"))
    assert left(ledger, test) == "bsccdt"


def test_what_appears_before_enter_is_nobodys():
    ledger, test = Ledger(seen("")), account("t")
    ledger.enter(test, "setup", seen("a"))
    ledger.leave(test, seen("a"))
    assert left(ledger, test) == ""


def test_what_appears_between_two_tests_is_nobodys():
    ledger, first, second = Ledger(), account("1"), account("2")
    ledger.enter(first, "setup", seen(""))
    ledger.leave(first, seen(""))
    ledger.enter(second, "setup", seen("a"))
    ledger.leave(second, seen("a"))
    assert left(ledger, first) == left(ledger, second) == ""


def test_what_has_gone_is_forgotten():
    ledger, test = Ledger(), account("t")
    ledger.enter(test, "setup", seen(""))
    ledger.turn(test, "call", seen("a"))
    ledger.leave(test, seen(""))
    assert left(ledger, test) == ""


def test_inner_accounts_are_subtracted_from_outer_ones():
    ledger, test, outer, inner = Ledger(), account("t"), account("outer"), account("inner")
    ledger.enter(test, "setup", seen(""))
    ledger.enter(outer, "setup", seen("a"))
    ledger.enter(inner, "setup", seen("ab"))
    ledger.leave(inner, seen("abc"))
    ledger.leave(outer, seen("abcd"))
    ledger.leave(test, seen("abcde"))
    assert left(ledger, test) == "ases"
    assert left(ledger, outer) == "bsds"
    assert left(ledger, inner) == "cs"


def test_the_same_key_can_be_born_again_under_somebody_else():
    ledger, first, second = Ledger(), account("1"), account("2")
    ledger.enter(first, "call", seen(""))
    ledger.leave(first, seen("a"))
    ledger.enter(second, "call", seen(""))
    ledger.leave(second, seen("a"))
    assert left(ledger, first) == ""
    assert left(ledger, second) == "ac"


def test_an_inner_account_that_never_left_ends_with_the_outer_one():
    ledger, test, broken, following = Ledger(), account("t"), account("broken"), account("f")
    ledger.enter(test, "setup", seen(""))
    ledger.enter(broken, "setup", seen(""))
    ledger.leave(test, seen("a"))
    ledger.enter(following, "call", seen("a"))
    ledger.leave(following, seen("ab"))
    assert left(ledger, broken) == "as"
    assert left(ledger, following) == "bc"


def test_leaving_twice_changes_nothing():
    ledger, test = Ledger(), account("t")
    ledger.enter(test, "call", seen(""))
    ledger.leave(test, seen("a"))
    ledger.leave(test, seen("ab"))
    assert left(ledger, test) == "ac"


def test_two_lives_of_one_owner_are_two_accounts():
    ledger = Ledger()
    first, second = account("same"), account("same")
    ledger.enter(first, "setup", seen(""))
    ledger.leave(first, seen("a"))
    ledger.enter(second, "setup", seen("a"))
    ledger.leave(second, seen("ab"))
    assert left(ledger, first) == "as"
    assert left(ledger, second) == "bs"


def test_a_transfer_keeps_the_phase():
    ledger, test, fixture = Ledger(), account("t"), account("f")
    ledger.enter(test, "call", seen(""))
    ledger.leave(test, seen("a"))
    ledger.transfer(Resource("x", ("a",)), fixture)
    assert left(ledger, test) == ""
    assert left(ledger, fixture) == "ac"


def test_what_was_judged_is_struck_off():
    ledger, test = Ledger(), account("t")
    ledger.enter(test, "call", seen(""))
    ledger.leave(test, seen("a"))
    ledger.close(Resource("x", ("a",)))
    assert left(ledger, test) == ""

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


# -- values: a letter stands for a value of the one working directory, "." for the first one -------


def at(value: str) -> frozenset[Resource]:
    return frozenset() if value == "." else frozenset({Resource("cwd", ("cwd", value))})


def charged(ledger: Ledger, whose: Account) -> str:
    """Return the charges as ``value (phase) instead of what stood there before``."""
    return " ".join(
        f"{r.key[1]}{phase[0]}<{r.detail.get('before', '.')}"
        for r, phase in ledger.audit(whose).items()
    )


def fixture(name: str) -> Account:
    return Account(Owner("fixture", name, "module"))


def set_up(ledger: Ledger, whose: Account, value: str, found: str = ".") -> None:
    ledger.enter(whose, "setup", at(found))
    ledger.leave(whose, at(value))


def run(ledger: Ledger, whose: Account, *values: str) -> None:
    """Let a test find the first value, see the others one by one, and end at the last."""
    ledger.enter(whose, "call", at(values[0]))
    for value in values[1:-1]:
        ledger.turn(whose, "call", at(value))
    ledger.leave(whose, at(values[-1]))


def test_a_value_that_is_set_and_put_back_is_nobodys():
    ledger, test = Ledger(), account("t")
    run(ledger, test, ".", "x", ".")
    assert charged(ledger, test) == ""


def test_a_value_that_stays_is_charged_with_what_stood_there():
    ledger, test = Ledger(), account("t")
    run(ledger, test, ".", "x")
    assert charged(ledger, test) == "xc<."


def test_a_test_that_puts_the_fixtures_value_back_is_not_charged():
    ledger, wide, test = Ledger(), fixture("f"), account("t")
    set_up(ledger, wide, "x")
    run(ledger, test, "x", "y", "x")
    assert charged(ledger, test) == ""
    assert charged(ledger, wide) == "xs<."


def test_a_test_that_leaves_another_value_is_charged_and_the_fixture_is_not():
    ledger, wide, test = Ledger(), fixture("f"), account("t")
    set_up(ledger, wide, "x")
    run(ledger, test, "x", "y")
    assert charged(ledger, test) == "yc<x"
    assert charged(ledger, wide) == ""


def test_the_fixtures_value_is_the_fixtures_whoever_puts_it_back():
    ledger, wide, first, second = Ledger(), fixture("f"), account("1"), account("2")
    set_up(ledger, wide, "x")
    run(ledger, first, "x", "y")
    ledger.close(Resource("cwd", ("cwd", "y")))
    run(ledger, second, "y", "x")
    assert charged(ledger, second) == ""
    assert charged(ledger, wide) == "xs<."


def test_what_a_test_leaks_is_not_charged_to_one_that_leaves_it_as_it_found_it():
    ledger, first, second = Ledger(), account("1"), account("2")
    run(ledger, first, ".", "x")
    ledger.close(Resource("cwd", ("cwd", "x")))
    run(ledger, second, "x", "y", ".", "x")
    assert charged(ledger, second) == ""


def test_a_value_that_was_gone_between_two_tests_is_the_second_ones():
    ledger, first, second, third = Ledger(), account("1"), account("2"), account("3")
    run(ledger, first, ".", "x")
    ledger.close(Resource("cwd", ("cwd", "x")))
    run(ledger, second, "x", ".")
    run(ledger, third, ".", "x")
    assert charged(ledger, second) == ""
    assert charged(ledger, third) == "xc<."


def test_a_value_that_an_ended_account_had_put_back_is_charged_anew():
    ledger, first, second = Ledger(), account("1"), account("2")
    run(ledger, first, ".", "x", ".")
    run(ledger, second, ".", "x")
    assert charged(ledger, first) == ""
    assert charged(ledger, second) == "xc<."


def test_a_fixture_that_has_ended_owns_no_value_any_more():
    ledger, wide, test = Ledger(), fixture("f"), account("t")
    set_up(ledger, wide, "x")
    ledger.enter(wide, "teardown", at("x"))
    ledger.leave(wide, at("."))
    run(ledger, test, ".", "x")
    assert charged(ledger, wide) == ""
    assert charged(ledger, test) == "xc<."


def test_a_fixture_may_put_back_in_teardown_what_it_found():
    ledger, leaking, wide, test = Ledger(), account("1"), fixture("f"), account("t")
    run(ledger, leaking, ".", "x")
    ledger.close(Resource("cwd", ("cwd", "x")))
    set_up(ledger, wide, "y", found="x")
    run(ledger, test, "y", "z", "y")
    ledger.enter(wide, "teardown", at("y"))
    ledger.leave(wide, at("x"))
    assert charged(ledger, wide) == charged(ledger, test) == ""


def test_a_value_set_twice_by_one_owner_stands_for_what_was_there_first():
    ledger, wide, test = Ledger(), fixture("f"), account("t")
    set_up(ledger, wide, "x")
    run(ledger, test, "x", "y", "z")
    assert charged(ledger, test) == "zc<x"


def test_values_of_different_names_do_not_stand_for_each_other():
    ledger, test = Ledger(), account("t")
    one, other = Resource("env", ("A", "1")), Resource("env", ("B", "1"))
    ledger.enter(test, "call", frozenset({one}))
    ledger.leave(test, frozenset({other}))
    assert ledger.audit(test) == {other: "call"}
    assert "before" not in next(iter(ledger.audit(test))).detail


def test_the_book_does_not_grow_with_values_that_come_and_go():
    ledger = Ledger()
    for number in range(100):
        run(ledger, account(str(number)), ".", str(number), ".")
    assert len(ledger._away) == 0
    assert len(ledger._births) == 0


def test_a_thing_that_comes_back_is_another_one():
    ledger, wide, test = Ledger(), fixture("f"), account("t")
    ledger.enter(wide, "setup", seen(""))
    ledger.leave(wide, seen("a"))
    ledger.enter(test, "call", seen("a"))
    ledger.turn(test, "call", seen(""))
    ledger.leave(test, seen("a"))
    assert left(ledger, test) == "ac"
    assert left(ledger, wide) == ""

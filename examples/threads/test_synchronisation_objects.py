"""RLock, Condition, Semaphore and Event do what they are for (exercise C12)."""

from __future__ import annotations

import threading

import pytest
from careful_thread import CarefulThread, run_together
from synchronisation_objects import Account, Gate, HandOver, StartingSignal

pytestmark = pytest.mark.signal_timeout(30)

PATIENCE = 10

# RLock:


def test_the_holder_of_an_rlock_takes_it_again():
    account = Account(10)
    account.exchange(taken=4, given=1)
    assert account.balance == 7


def test_a_plain_lock_does_not_come_to_its_holder_again():
    lock, rlock = threading.Lock(), threading.RLock()
    with lock, rlock:
        assert rlock.acquire(blocking=False)
        rlock.release()
        assert not lock.acquire(blocking=False)


def test_an_rlock_is_free_only_after_as_many_releases():
    rlock, came = threading.RLock(), []

    def try_it() -> None:
        came.append(rlock.acquire(blocking=False))
        if came[-1]:
            rlock.release()

    with rlock:
        with rlock:
            pass
        run_together([CarefulThread(target=try_it)])  # released once of twice
    run_together([CarefulThread(target=try_it)])
    assert came == [False, True]


def test_nobody_sees_the_account_in_the_middle_of_an_exchange(monkeypatch):
    account, seen, looking = Account(10), [], threading.Event()
    deposit = account.deposit

    def look() -> None:
        looking.set()
        seen.append(account.balance)

    def deposit_and_be_looked_at(amount) -> None:
        deposit(amount)
        if amount < 0:  # in the middle
            looker.start()
            assert looking.wait(PATIENCE)

    looker = CarefulThread(target=look)
    monkeypatch.setattr(account, "deposit", deposit_and_be_looked_at)
    account.exchange(taken=10, given=10)
    looker.join()
    assert seen == [10]


def test_too_much_cannot_be_taken():
    account = Account(3)
    with pytest.raises(ValueError, match="4 is more than the 3 there is"):
        account.exchange(taken=4, given=9)
    assert account.balance == 3


# Condition:


def test_things_are_handed_over_in_order_one_at_a_time():
    place, taken = HandOver(), []

    def give_all() -> None:
        for thing in range(100):
            place.give(thing, PATIENCE)

    def take_all() -> None:
        taken.extend(place.take(PATIENCE) for _ in range(100))

    run_together([CarefulThread(target=give_all), CarefulThread(target=take_all)])
    assert taken == list(range(100))


def test_of_many_who_are_woken_one_takes_it_and_the_others_wait_on():
    place, taken = HandOver(), []

    def take() -> None:
        taken.append(place.take(PATIENCE))

    def give() -> None:
        for thing in range(8):
            place.give(thing, PATIENCE)

    takers = [CarefulThread(target=take) for _ in range(8)]
    run_together([*takers, CarefulThread(target=give)])
    assert sorted(taken) == list(range(8))


def test_none_is_a_thing_too():
    place = HandOver()
    place.give(None, PATIENCE)
    assert place.take(PATIENCE) is None


def test_a_hand_over_that_does_not_come_is_an_error():
    place = HandOver()
    with pytest.raises(TimeoutError, match=r"nothing was given within 0\.01 seconds"):
        place.take(0.01)
    place.give("spam", PATIENCE)
    with pytest.raises(TimeoutError, match=r"nothing was taken within 0\.01 seconds"):
        place.give("ham", 0.01)
    assert place.take(PATIENCE) == "spam"


# Semaphore:


def test_two_are_inside_at_once_and_a_third_is_not():
    gate, both, kept_out = Gate(2), threading.Barrier(2, timeout=PATIENCE), []

    def go_in() -> None:
        with gate.inside(PATIENCE):
            both.wait()  # passes only when two are inside
            with pytest.raises(TimeoutError), gate.inside(0):
                pytest.fail("went in")
            kept_out.append(1)
            both.wait()

    run_together([CarefulThread(target=go_in) for _ in range(10)])
    assert len(kept_out) == 10


def test_a_full_gate_is_an_error_after_the_time():
    gate = Gate(1)
    too_late = pytest.raises(TimeoutError, match=r"no place came free within 0\.01 seconds")
    with gate.inside(PATIENCE), too_late, gate.inside(0.01):
        pytest.fail("went in")
    with gate.inside(0.01):
        pass


def test_a_place_comes_free_after_an_error():
    gate = Gate(1)
    with pytest.raises(KeyError), gate.inside(PATIENCE):
        raise KeyError
    with gate.inside(0.01):
        pass


def test_a_bounded_semaphore_refuses_one_release_too_many_and_a_plain_one_does_not():
    plain, bounded = threading.Semaphore(1), threading.BoundedSemaphore(1)
    plain.release()
    assert [plain.acquire(blocking=False) for _ in range(3)] == [True, True, False]  # room for two
    with pytest.raises(ValueError, match="released too many times"):
        bounded.release()


def test_a_gate_without_room_is_refused():
    with pytest.raises(ValueError, match="room=0: at least 1"):
        Gate(0)


# Event:


def test_nobody_starts_before_the_signal_and_then_everybody_does():
    signal, ready, order = StartingSignal(), threading.Barrier(6, timeout=PATIENCE), []

    def run() -> None:
        ready.wait()
        signal.wait(PATIENCE)
        order.append("runner")

    def start() -> None:
        ready.wait()
        order.append("signal")
        signal.give()

    run_together([CarefulThread(target=start), *(CarefulThread(target=run) for _ in range(5))])
    assert order == ["signal", *["runner"] * 5]


def test_who_comes_after_the_signal_does_not_wait():
    signal = StartingSignal()
    signal.give()
    signal.wait(0)


def test_a_signal_that_is_not_given_is_an_error():
    with pytest.raises(TimeoutError, match=r"no starting signal within 0\.01 seconds"):
        StartingSignal().wait(0.01)

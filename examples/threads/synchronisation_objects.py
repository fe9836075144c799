"""Meet the other objects of ``threading``: RLock, Condition, Semaphore and Event, each at its work.

Exercise C12.

 RLock       its holder may take it again           a method that calls a locked method
 Condition   wait until something holds             a place for one thing, handed over
 Semaphore   so many at once and no more            a gate
 Event       all who wait are let go at once        a starting signal

Traps.  A plain Lock that its holder takes again never comes.  A condition is looked at in a loop:
who is woken may find that another was faster.  A Semaphore that is released once too often lets one
more in from then on; a BoundedSemaphore refuses.  And every wait here has a limit.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_EMPTY = object()


class Account:
    """Money under an RLock, for :meth:`exchange` holds it and calls methods that take it again."""

    def __init__(self, balance: int) -> None:
        self._balance = balance
        self._lock = threading.RLock()

    @property
    def balance(self) -> int:
        """What is there."""
        with self._lock:
            return self._balance

    def deposit(self, amount: int) -> None:
        """Add an amount; take some away if it is less than 0.

        Raises:
            ValueError: there would be less than nothing.
        """
        with self._lock:
            if self._balance + amount < 0:
                raise ValueError(f"{-amount} is more than the {self._balance} there is")
            self._balance += amount

    def exchange(self, taken: int, given: int) -> None:
        """Take and give in one step, so that nobody sees the account in between."""
        with self._lock:
            self.deposit(-taken)
            self.deposit(given)


class HandOver:
    """A place for one thing: who gives waits until it is free, who takes until it is filled."""

    def __init__(self) -> None:
        self._thing: object = _EMPTY
        self._changed = threading.Condition()

    def give(self, thing: object, timeout: float) -> None:
        """Put a thing there.

        Raises:
            TimeoutError: nobody has taken the one before in ``timeout`` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._thing is _EMPTY, timeout):
                raise TimeoutError(f"nothing was taken within {timeout:g} seconds")
            self._thing = thing
            self._changed.notify_all()

    def take(self, timeout: float) -> object:
        """Take the thing.

        Raises:
            TimeoutError: nobody has given any in ``timeout`` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._thing is not _EMPTY, timeout):
                raise TimeoutError(f"nothing was given within {timeout:g} seconds")
            thing, self._thing = self._thing, _EMPTY
            self._changed.notify_all()
            return thing


class Gate:
    """Lets in a number of threads at once.

    Args:
        room: how many.
    """

    def __init__(self, room: int) -> None:
        if room < 1:
            raise ValueError(f"room={room!r}: at least 1 is expected")
        self._places = threading.BoundedSemaphore(room)

    @contextmanager
    def inside(self, timeout: float) -> Iterator[None]:
        """Be inside for the length of a block.

        Raises:
            TimeoutError: no place came free in ``timeout`` seconds.
        """
        if not self._places.acquire(timeout=timeout):
            raise TimeoutError(f"no place came free within {timeout:g} seconds")
        try:
            yield
        finally:
            self._places.release()


class StartingSignal:
    """Holds all who wait until it is given; who comes later need not wait at all."""

    def __init__(self) -> None:
        self._given = threading.Event()

    def give(self) -> None:
        """Let everybody go."""
        self._given.set()

    def wait(self, timeout: float) -> None:
        """Wait for it.

        Raises:
            TimeoutError: it was not given in ``timeout`` seconds.
        """
        if not self._given.wait(timeout):
            raise TimeoutError(f"no starting signal within {timeout:g} seconds")

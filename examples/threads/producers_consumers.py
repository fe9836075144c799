"""Let two producers hand messages to two consumers through a queue, and lose none.

Exercise C11.  A script: ``python producers_consumers.py``.

 producer 0 ──put──▶ ┌───────┐ ──get──▶ consumer 0
 producer 1 ──put──▶ │ queue │ ──get──▶ consumer 1
                     └───────┘
 after the last message: one "no more" for each consumer, then wait for the consumers

The traps it avoids.  Consumers that ask again and again whether there is something; ``get`` sleeps
until there is.  And a program that ends when its producers have ended: daemon threads die with it,
and with them the message they just took.  The consumers here are daemons, so that a crash of the
main thread cannot leave the program hanging, but its normal end waits for them.
"""

from __future__ import annotations

import argparse
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from careful_thread import CarefulThread, run_together, wait_for_all

PRODUCERS = 2
CONSUMERS = 2
MESSAGES = 4  # of each producer
ROOM = 4  # messages that may wait: a fast producer waits for the consumers, not the memory


@dataclass(frozen=True, slots=True)
class Message:
    """What one producer hands over."""

    producer: int
    number: int

    def __str__(self) -> str:
        """Say it, as in ``producer 1, message 3``."""
        return f"producer {self.producer}, message {self.number}"


Consume: TypeAlias = "Callable[[int, Message], object]"
_Messages: TypeAlias = "queue.Queue[Message | None]"  # None: no more will come


class Consumer(CarefulThread):
    """A daemon thread that consumes messages until it is told that no more will come.

    An error does not stop it, or the queue would fill up and the producers hang; the first is kept.

    Args:
        number: which consumer it is.
        messages: where they come from.
        consume: called with the consumer's number and each message.
    """

    def __init__(self, number: int, messages: _Messages, consume: Consume) -> None:
        super().__init__(name=f"consumer {number}", daemon=True)
        self._number = number
        self._messages = messages
        self._consume = consume

    def work(self) -> None:
        """Consume, asleep while there is nothing."""
        while (message := self._messages.get()) is not None:
            try:
                self._consume(self._number, message)
            except Exception as error:  # noqa: BLE001  # kept for whoever waits
                self.error = self.error or error


def produce(number: int, count: int, messages: _Messages) -> None:
    """Be a producer: put some messages, asleep while there is no room."""
    for each in range(count):
        messages.put(Message(number, each))


def exchange(
    consume: Consume,
    producers: int = PRODUCERS,
    consumers: int = CONSUMERS,
    count: int = MESSAGES,
) -> None:
    """Produce and consume side by side; returns when every message has been consumed.

    Args:
        consume: called with the consumer's number and a message, by several threads at once.
        producers: how many.
        consumers: how many; at least one.
        count: messages of each producer.

    Raises:
        Exception: what ``consume`` raised first; the other messages have been consumed.
        ValueError: without consumers the producers would wait for ever.
    """
    if consumers < 1:
        raise ValueError(f"consumers={consumers!r}: at least one is expected")
    messages: _Messages = queue.Queue(ROOM)
    eating: list[CarefulThread] = []
    try:
        for number in range(consumers):
            consumer = Consumer(number, messages, consume)
            consumer.start()
            eating.append(consumer)
        run_together(
            [
                CarefulThread(target=produce, args=(number, count, messages))
                for number in range(producers)
            ]
        )
    finally:
        for _ in eating:
            messages.put(None)  # behind all messages, so each of them has been taken before
        wait_for_all(eating)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="producers_consumers", description="Hand messages from two threads to two others."
    )
    parser.add_argument("--count", type=int, default=MESSAGES, help="default: %(default)s each")
    wanted = parser.parse_args(argv)
    if wanted.count < 0:
        parser.error(f"--count {wanted.count}: 0 or more is expected")
    whole_line = threading.Lock()

    def show(consumer: int, message: Message) -> None:
        with whole_line:
            print(f"consumer {consumer} got {message}")

    exchange(show, count=wanted.count)
    print("Main thread exit")
    return 0


if __name__ == "__main__":
    sys.exit(main())

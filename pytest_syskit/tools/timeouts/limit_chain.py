"""Who shares a kernel timer: the limits that are armed, and the stranger below them.

    kernel timer ─▶ newest limit ─▶ outer limit ─▶ … ─▶ stranger (a handler and a timer we found)

The timer runs to the earliest of all deadlines; whoever is due farthest out gets the signal.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

from pytest_syskit.host.real import real
from pytest_syskit.host.signals.timers import CLOCK_NAMES, Handler, TimerClock, raw

SOONEST = 1e-6  # seconds: the kernel's unit; less would be 0, which disarms
LONGEST = 1e8  # seconds, three years: beyond it setitimer overflows where time_t has 32 bits


class Link(Protocol):
    """A limit, or the stranger at the end of the chain."""

    interval: float

    def next_due(self) -> float:
        """Return the earliest deadline from here outwards."""

    def prepare(self, now: float, frame: FrameType | None) -> Callable[..., Any] | None:
        """Take note of a signal; return what is to be done about it."""


class ChainLimit:
    """The part of a limit that others of its chain see."""

    clock: TimerClock
    interval: float
    outer: ChainLimit | Link
    open = False
    due = float("inf")
    expires = float("inf")  # when the kernel's timer does, which may be before anybody is due

    def fire(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal."""
        raise NotImplementedError

    def prepare(self, now: float, frame: FrameType | None) -> Callable[..., Any] | None:
        """Decide about a shot."""
        raise NotImplementedError

    def next_due(self) -> float:
        """Return the earliest deadline of this limit and all outer ones."""
        return min(self.due, self.outer.next_due())

    def set_timer(self, now: float) -> None:
        """Let the kernel's timer run to that deadline."""
        due, outer = self.due, self.outer.next_due()
        wait = min(due, outer) - now
        if not SOONEST < wait < LONGEST:
            wait = min(max(wait, SOONEST), LONGEST)
        self.expires = now + wait
        real.setitimer(self.clock.timer, wait, self.interval)


armed: dict[str, list[ChainLimit]] = {name: [] for name in CLOCK_NAMES}


def _forget_in_child() -> None:
    """A fork clears the kernel's timers (fork(2)): in the child, no limit of the parent counts."""
    for limits in armed.values():
        for limit in limits:
            limit.open = False
        limits.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)


def outermost_due(newest: ChainLimit, now: float) -> ChainLimit | Link:
    """Return who gets the signal; one that nobody waits for belongs to the stranger we found."""
    found: ChainLimit | None = None
    link: ChainLimit | Link = newest
    while isinstance(link, ChainLimit):
        if link.due <= now:
            found = link
        link = link.outer
    return link if found is None or link.next_due() <= now else found


def limit_of(handler: Handler) -> ChainLimit | None:
    """Return the limit whose method this handler is, armed or ended."""
    limit = getattr(handler, "__self__", None)
    return limit if isinstance(limit, ChainLimit) else None


def handler_of(link: Any) -> Handler:
    """Return the handler that a link stands for; an ended limit stands for its outer one.

    Code that replaced the handler of a limit may give it back when that limit is long over.
    """
    while isinstance(link, ChainLimit) and not link.open:
        link = link.outer
    handler: Handler = link.fire if isinstance(link, ChainLimit) else link.handler
    return handler


def installed(clock: TimerClock) -> Handler:
    """Return the handler of a clock's signal."""
    handler: Handler = raw.get_handler(clock.number)
    return handler

"""Giving a handler and a timer back to whoever had them before a limit."""

from __future__ import annotations

from pytest_syskit.host.real import real
from pytest_syskit.host.signals import timers
from pytest_syskit.host.signals.timers import Handler, raw

from .limit_chain import SOONEST, ChainLimit, armed, handler_of, installed, limit_of
from .stranger import NEVER


def hand_back(
    limit: ChainLimit, now: float, found: tuple[float, float], *, polite: bool, discard: bool
) -> Handler:
    """Put handler and timer back; return the handler that was there instead.

    Args:
        limit: the limit that ends.
        now: the time on its clock.
        found: remaining time and interval of the kernel's timer when it was stopped.
        polite: leave alone what the code inside has put in place of ours.
        discard: throw a pending signal away.
    """
    clock, limits = limit.clock, armed[limit.clock.name]
    if limits[-1] is not limit:
        return _step_out(limit, now)
    limits.pop()
    current = installed(clock)
    if polite and limit_of(current) is not limit:
        _make_way(limit, current, found)
        return current
    if discard:
        timers.discard_pending(clock.number)
    raw.set_handler(clock.number, handler_of(limit.outer))
    due = limit.outer.next_due()
    if due != NEVER:
        real.setitimer(clock.timer, max(due - now, SOONEST), limit.outer.interval)
    return current


def _make_way(limit: ChainLimit, current: Handler, found: tuple[float, float]) -> None:
    """Leave a stranger's handler and timer in place, but not a timer that is ours."""
    dead = limit_of(current)
    if dead is not None:
        raw.set_handler(limit.clock.number, handler_of(dead))
    if abs(found[1] - limit.interval) > SOONEST:
        real.setitimer(limit.clock.timer, *found)


def _step_out(limit: ChainLimit, now: float) -> Handler:
    """End before a newer limit does: it inherits our outer one."""
    limits = armed[limit.clock.name]
    limits.remove(limit)
    for newer in limits:
        if newer.outer is limit:
            newer.outer = limit.outer
    limits[-1].set_timer(now)
    return installed(limit.clock)

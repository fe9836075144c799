"""The engine below ``signal_timeout``: a limit that shares the kernel's timer with everybody else.

When a limit ends, handler and *remaining* time of its outer one are put back, less what has passed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from pytest_syskit.host.real import real
from pytest_syskit.host.signals import timers
from pytest_syskit.host.signals.timers import Handler, TimerClock, raw

from .debugger import debugger_active
from .disarmed import disarmed_by
from .limit_chain import (
    LONGEST,
    SOONEST,
    ChainLimit,
    armed,
    handler_of,
    installed,
    limit_of,
    outermost_due,
)
from .observer import Observer
from .place_in_code import place_in_code
from .stranger import NEVER, Stranger
from .timeout_shot import EveryLine, loop_runs, make_shot, running_task
from .timeout_verdict import Overrun

_RETRY = 0.001  # seconds until a signal that came inside our own code is looked at again
_PERSUASION = 3  # the shot from which on the code is not asked politely any more

# An exception in the code that arms and disarms would tear it; it comes a moment later instead.
_shielded = {
    __name__,
    "pytest_syskit.host.signals.timers",
    "pytest_syskit.tools.timeouts.limit_chain",
}


def shield(module: str) -> None:
    """Raise no shot in a frame of this module: it holds the entry and exit of a limit."""
    _shielded.add(module)


class TimeLimit(ChainLimit):
    """One armed limit.  Made, armed and disarmed in the main thread.

    Args:
        clock: the timer it runs on.
        seconds: the limit, in that clock's time.
        observe: called once in a helper thread while the code is still stuck, before the first
            shot; never waited for longer than a quarter second.
        announce: called once in the main thread, right before the first shot.
        boundary: see ``EveryLine``.
        polite: leave a handler and a timer alone that the code inside has put in place of ours;
            otherwise what was found is put back over them.
    """

    # Defaults live here rather than in __init__: a limit is armed for each test.
    mild = False
    shots = 0
    where: str | None = None
    last_shot: BaseException | None = None
    _observer: Observer | None = None
    _missed = False
    _every_line: EveryLine | None = None
    _paused_at: float | None = None
    _task: Any = None
    _hit: Any = None
    _cancelled = 0
    _deaf = 0.0

    def __init__(
        self,
        clock: TimerClock,
        seconds: float,
        *,
        observe: Callable[[], object] | None = None,
        announce: Callable[[TimeLimit], object] | None = None,
        boundary: str | None = None,
        polite: bool = False,
    ) -> None:
        self.clock = clock
        self.seconds = seconds
        # Seconds between shots.  A clean-up in "finally" gets a quarter of the limit, and never
        # less than what subprocess needs to end its child (0.25 s at worst, mostly far less).
        self.interval = min(max(seconds / 4, 0.2), 5.0)
        self._observe = observe
        self._announce = announce
        self._boundary = boundary
        self._polite = polite

    def __str__(self) -> str:
        return f"signal_timeout({self.seconds:g})"

    # -- beginning -----------------------------------------------------------------------------

    def arm(self, frame: FrameType | None) -> None:
        """Start the clock; ``frame`` is the one that holds the block, if it is on the stack."""
        clock = self.clock
        self._stop = (frame, frame.f_lineno if frame is not None else 0)
        if "asyncio" in sys.modules:
            self._task = running_task()
        handler = raw.set_handler(clock.number, self.fire)
        now = self._started = clock.now()
        self.due = now + self.seconds
        wait = min(max(self.seconds, SOONEST), LONGEST)
        self.expires = now + wait
        remaining, interval = real.setitimer(clock.timer, wait, self.interval)
        self._found_blocked = clock.number in raw.mask(timers.BLOCK, ())
        if self._found_blocked:  # left behind by an earlier test, or meant for other threads
            timers.unblock(clock.number)
        if self._missed and clock.now() < self.due:
            remaining = SOONEST  # the found timer's last signal came before setitimer stopped it
        outer = limit_of(handler)
        if outer is None or not outer.open:
            found = handler if outer is None else handler_of(outer)
            self.outer = Stranger(found, remaining, interval, now)
        else:
            self.outer = outer
        armed[clock.name].append(self)
        self.open = True
        if remaining:
            self.set_timer(now)

    def restart(self) -> bool:
        """Begin anew after ``rest()``; ``False`` when somebody has taken handler or timer since.

        The kernel's timer runs on to the old deadline: if the time is not over by then, the signal
        sets it to the new one.  A phase that follows a short one costs no system call that way.
        """
        clock = self.clock
        if raw.get_handler(clock.number) != self.fire or armed[clock.name][-1] is not self:
            return False
        if not 0 < real.getitimer(clock.timer)[0] <= self.seconds:
            return False  # stopped, or set to something later than the new deadline
        if self.shots:
            self.shots, self._deaf = 0, 0.0
            self.where = self.last_shot = self._observer = None
        now = self._started = clock.now()
        self.due = now + self.seconds
        return True

    # -- pauses --------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop the clock, for a debugger or for work that others pay for."""
        if self._paused_at is None and self.open:
            self._paused_at = self.clock.now()
            self.due = NEVER
            armed[self.clock.name][-1].set_timer(self._paused_at)

    def resume(self) -> None:
        """Let the clock go on where it stopped."""
        if self._paused_at is None or not self.open:
            return
        now = self.clock.now()
        self._started += now - self._paused_at
        self._paused_at = None
        self.due = self._started + self.seconds
        armed[self.clock.name][-1].set_timer(now)

    # -- the signal ----------------------------------------------------------------------------

    def fire(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal: give it to whoever is due, the outermost first."""
        if not self.open:
            self._missed = True
            return
        if frame is not None and frame.f_globals.get("__name__") in _shielded:
            real.setitimer(self.clock.timer, _RETRY, self.interval)
            return
        now = self.clock.now()
        if self.expires <= now < self.next_due():
            self.set_timer(now)  # it ran to the deadline before the last restart
            return
        act = outermost_due(self, now).prepare(now, frame)
        self.set_timer(now)
        if act is not None:
            act(number, frame)

    def prepare(self, now: float, frame: FrameType | None) -> Callable[..., Any] | None:
        """Decide about a shot: put it off, or return the function that raises it."""
        if debugger_active():
            # Nobody knows how long the prompt has been open, so the block gets its time again.
            self._started, self.due = now, now + self.seconds
            return None
        if self.shots == 0:
            self._deaf = max(self._deaf, now - self.due)
            if not self._seen():
                self.due = now + Observer.patience
                return None
            self.where = place_in_code(frame)
        self.shots += 1
        self.due = now + self.interval
        return self._shoot

    def _seen(self) -> bool:
        if self._observe is None:
            return True
        if self._observer is None:
            self._observer = Observer(self._observe)
        return self._observer.seen()

    def _shoot(self, _number: int, frame: FrameType | None) -> None:
        if self.shots == 1 and self._announce is not None:
            self._announce(self)
        elsewhere = self._task is not None and running_task() is not self._task
        if elsewhere and self.shots < _PERSUASION:
            self._task.get_loop().call_soon_threadsafe(self._cancel_task)  # wakes the loop, too
            return
        if self.shots >= _PERSUASION and frame is not None and not loop_runs():
            self._stop_tracing()
            self._every_line = EveryLine(frame, self._stop, self._boundary)
            self._every_line.start(lambda: make_shot(self, mild=self.mild))
        self._hit = running_task()
        # A loop stores what is mild in a task; the code had its chance to end in peace.
        self.last_shot = make_shot(self, mild=self.mild and self.shots < _PERSUASION)
        raise self.last_shot

    def _cancel_task(self) -> None:
        if self.open:
            self._task.cancel()
            self._cancelled += 1

    def _stop_tracing(self) -> None:
        if self._every_line is not None:
            self._every_line.stop()
            self._every_line = None

    # -- the end -------------------------------------------------------------------------------

    def rest(self) -> Overrun | None:
        """End the time, but stay armed for ``restart()``; whoever rests is never due."""
        now = self.clock.now()
        self.due = NEVER
        if now - self._started < self.seconds and not self.shots:
            return None
        if not self._over(now):
            return None
        hidden = timers.blocked(self.clock.number)
        remaining, _ = real.getitimer(self.clock.timer)
        return self._overrun(now, installed(self.clock), remaining, hidden=hidden)

    def _over(self, now: float) -> bool:
        paused = self._paused_at is not None
        return self.shots > 0 or (now - self._started >= self.seconds and not paused)

    def disarm(self) -> Overrun | None:
        """Put back what was found, and say whether the limit is over; ``None`` when it is not.

        Nothing is left pending.  In a forked child there is nothing to put back but the handler.
        """
        clock = self.clock
        if not self.open:
            if limit_of(installed(clock)) is self:
                raw.set_handler(clock.number, handler_of(self))
            return None
        resting = self.due == NEVER and self._paused_at is None
        self.open = False
        remaining, interval = real.setitimer(clock.timer, 0.0)
        now = clock.now()
        over = not resting and self._over(now)
        hidden = over and timers.blocked(clock.number)
        handler = self._hand_back(now, (remaining, interval), discard=hidden)
        if self._found_blocked:
            timers.block(clock.number)
        return self._overrun(now, handler, remaining, hidden=hidden) if over else None

    def _overrun(self, now: float, handler: Handler, remaining: float, *, hidden: bool) -> Overrun:
        if self.shots:
            self._stop_tracing()
            self._leave_tasks_clean()
        ours = limit_of(handler) is not None
        disarmed = disarmed_by(
            self.clock, handler, ours=ours, running=bool(remaining), hidden=hidden
        )
        return Overrun(
            seconds=self.seconds,
            clock=self.clock.name,
            elapsed=now - self._started,
            where=self.where,
            shots=self.shots,
            disarmed=None if self.shots else disarmed,
            deaf=self._deaf,
        )

    def _leave_tasks_clean(self) -> None:
        """Undo what a task was told on our behalf.

        ``asyncio.timeout`` and task groups look at the count of cancellations (3.11); a task that
        ended by a shot would log an exception "never retrieved".
        """
        for _ in range(self._cancelled if hasattr(self._task, "uncancel") else 0):
            self._task.uncancel()
        hit = self._hit
        if hit is not None and hit.done() and not hit.cancelled():
            hit.exception()

    def _hand_back(self, now: float, found: tuple[float, float], *, discard: bool) -> Handler:
        """Put handler and timer back; return the handler that was there instead."""
        clock, limits = self.clock, armed[self.clock.name]
        if limits[-1] is not self:
            return self._step_out(now)
        limits.pop()
        current = installed(clock)
        if self._polite and limit_of(current) is not self:
            self._make_way(current, found)
            return current
        if discard:
            timers.discard_pending(clock.number)
        raw.set_handler(clock.number, handler_of(self.outer))
        due = self.outer.next_due()
        if due != NEVER:
            real.setitimer(clock.timer, max(due - now, SOONEST), self.outer.interval)
        return current

    def _make_way(self, current: Handler, found: tuple[float, float]) -> None:
        """Leave a stranger's handler and timer in place, but not a timer that is ours."""
        dead = limit_of(current)
        if dead is not None:
            raw.set_handler(self.clock.number, handler_of(dead))
        if abs(found[1] - self.interval) > SOONEST:
            real.setitimer(self.clock.timer, *found)

    def _step_out(self, now: float) -> Handler:
        """End before a newer limit does: it inherits our outer one."""
        limits = armed[self.clock.name]
        limits.remove(self)
        for limit in limits:
            if limit.outer is self:
                limit.outer = self.outer
        limits[-1].set_timer(now)
        return installed(self.clock)

"""The engine below ``signal_timeout``: a limit that shares the kernel's timer with everybody else.

When a limit ends, handler and *remaining* time of its outer one are put back, less what has passed.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType

from pytest_syskit.host.real import real
from pytest_syskit.host.signals import timers
from pytest_syskit.host.signals.timers import Handler, TimerClock, raw

from .disarmed import disarmed_by
from .leaving_the_chain import hand_back
from .limit_chain import (
    LONGEST,
    SOONEST,
    armed,
    handler_of,
    installed,
    limit_of,
)
from .overrun import Overrun
from .running_loop import Cancellable
from .signalled_limit import SignalledLimit
from .stranger import NEVER, Stranger


class TimeLimit(SignalledLimit):
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

    def arm(self, frame: FrameType | None, task: Cancellable | None = None) -> None:
        """Start the clock; ``frame`` and ``task`` hold the block, if it is on the stack."""
        clock = self.clock
        self._stop = (frame, frame.f_lineno if frame is not None else 0)
        self._task = task
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
            self.where = self._observer = self._interruption = None
        self._paused_at = None  # a debugger that was quit, rather than left
        now = self._started = clock.now()
        self.due = now + self.seconds
        return True

    # -- pauses --------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stop the clock, for a debugger or for work that others pay for."""
        if self._paused_at is None and self.open and self.due != NEVER:
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

    @property
    def resting(self) -> bool:
        """Whether the limit is between two times, as opposed to a pause in one."""
        return self.due == NEVER and self._paused_at is None

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
        resting = self.resting
        self.open = False
        remaining, interval = real.setitimer(clock.timer, 0.0)
        now = clock.now()
        over = not resting and self._over(now)
        hidden = over and timers.blocked(clock.number)
        found = remaining, interval
        handler = hand_back(self, now, found, polite=self._polite, discard=hidden)
        if self._found_blocked:
            timers.block(clock.number)
        return self._overrun(now, handler, remaining, hidden=hidden) if over else None

    def _overrun(self, now: float, handler: Handler, remaining: float, *, hidden: bool) -> Overrun:
        if self._interruption is not None:
            self._interruption.end()
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

"""What a limit does when its signal comes: who is due, is it the moment, and then shoot."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Any

from pytest_syskit.host.real import real

from .debugger import debugger_active
from .interruption import Interruption
from .limit_chain import ChainLimit, outermost_due
from .observer import Observer
from .place_in_code import place_in_code
from .running_loop import Cancellable

_RETRY = 0.001  # seconds until a signal that came inside our own code is looked at again

# An exception in the code that arms and disarms would tear it; it comes a moment later instead.
_shielded = {
    __name__,
    "pytest_syskit.host.signals.timers",
    *(f"pytest_syskit.tools.timeouts.{name}"
      for name in ("time_limit", "limit_chain", "leaving_the_chain", "interruption",
                   "running_loop")),
}  # fmt: skip


def shield(module: str) -> None:
    """Raise no shot in a frame of this module: it holds the entry and exit of a limit."""
    _shielded.add(module)


class SignalledLimit(ChainLimit):
    """The part of a limit that runs in the signal handler."""

    seconds: float
    _started: float
    _task: Cancellable | None
    _stop: tuple[FrameType | None, int]
    _observe: Callable[[], object] | None
    _announce: Callable[[Any], object] | None
    _boundary: str | None
    # Defaults live here rather than in __init__: a limit is armed for each test.
    mild = False
    shots = 0
    where: str | None = None
    _observer: Observer | None = None
    _interruption: Interruption | None = None
    _missed = False
    _paused_at: float | None = None
    _deaf = 0.0

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
        if self._interruption is None:
            self._interruption = Interruption(self, self._task, self._stop, self._boundary)
        self._interruption.shoot(self.shots, frame, mild=self.mild)

    @property
    def last_shot(self) -> BaseException | None:
        """The newest exception that was raised in the code."""
        return None if self._interruption is None else self._interruption.last_shot

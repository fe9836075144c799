"""What the code inside a limit did to the limit itself."""

from __future__ import annotations

import signal

from pytest_syskit.host.signals.timers import Handler, TimerClock

_NAMES = {int(signal.SIG_DFL): "SIG_DFL", int(signal.SIG_IGN): "SIG_IGN"}


def disarmed_by(
    clock: TimerClock, handler: Handler, *, ours: bool, running: bool, hidden: bool
) -> str | None:
    """Say what kept a limit from firing, or ``None`` when nothing did.

    Args:
        clock: the limit's clock.
        handler: the handler of its signal when the block ended.
        ours: whether that handler is the limit's.
        running: whether the interval timer ran.
        hidden: whether the signal was blocked.
    """
    if hidden:
        return f"{clock.signal_name} is blocked in the main thread"
    if not ours:
        return f"the handler of {clock.signal_name} was replaced by {_name(handler)}"
    if not running:
        return "the interval timer was stopped, as by signal.alarm(0) or signal.setitimer(…, 0)"
    return None


def _name(handler: Handler) -> str:
    code = getattr(handler, "__code__", None)
    if code is not None:
        name = getattr(handler, "__qualname__", code.co_name)
        return f"{name} ({code.co_filename}:{code.co_firstlineno})"
    return _NAMES.get(handler, repr(handler)) if isinstance(handler, int) else repr(handler)

"""The verdict about a block that went over its limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .overrun import Overrun
from .timeout_shot import shots_in, trim

if TYPE_CHECKING:
    from .time_limit import TimeLimit

_OURS = frozenset(
    f"pytest_syskit.tools.timeouts.{name}"
    for name in ("time_limit", "signalled_limit", "signal_timeout", "timeout_shot", "interruption")
)
_DEAF = 0.1  # seconds; less is the ordinary delay of a busy machine


class SignalTimeout(TimeoutError):
    """A block took longer than its ``signal_timeout``; ``overrun`` tells how."""

    overrun: Overrun


def raise_overrun(
    limit: TimeLimit,
    overrun: Overrun,
    error: BaseException | None,
    text: str,
    kind: type[SignalTimeout] = SignalTimeout,
) -> None:
    """Raise the verdict about a limit that is over, unless ``error`` has a right to pass.

    What passes: the shot of an outer limit, a person's Ctrl-C, and the closing of a generator.

    Args:
        limit: the limit that is over.
        overrun: what its end found.
        error: what left the block, if anything did.
        text: who took longer than what, up to the number of seconds.
        kind: the class to raise.
    """
    __tracebackhide__ = True
    shots = list(shots_in(error))
    own = [shot for shot in shots if shot.limit is limit]
    if not own and (shots or isinstance(error, KeyboardInterrupt | GeneratorExit)):
        return
    timeout = kind(
        f"{text} {overrun.seconds:g} s{_story(overrun, heard=bool(own) or _cancelled(error))}"
    )
    timeout.overrun = overrun
    shot = own[0] if own else limit.last_shot or (error if _cancelled(error) else None)
    if shot is not None:  # also one that was caught knows the way to where the code hung
        timeout = timeout.with_traceback(trim(shot.__traceback__, _OURS))
    raise timeout from (None if _says_no_more(error, own) else error)


def _says_no_more(error: BaseException | None, own: Sequence[BaseException]) -> bool:
    """Say whether an error is the time-out itself, a cancelled task, or a group of these."""
    parts = getattr(error, "exceptions", None)  # of an ExceptionGroup, or its backport
    if parts is None:
        return error in own or _cancelled(error)
    return all(_says_no_more(part, own) for part in parts)


def _cancelled(error: BaseException | None) -> bool:
    """Say whether a task ended as it was asked to, in asyncio or in trio."""
    parts = getattr(error, "exceptions", None)  # of an ExceptionGroup, or its backport
    if parts:
        return all(map(_cancelled, parts))
    return type(error).__name__ in {"CancelledError", "Cancelled"}


def _story(overrun: Overrun, *, heard: bool) -> str:
    caught = overrun.shots - heard
    parts = [
        " of processor time" if overrun.clock == "cpu" else "",
        f"; it was at {overrun.where}" if overrun.where else "",
        f"; it caught the exception that ends it {caught} time{'s' * (caught != 1)}"
        if caught > 0 else "",
        f"; the limit was switched off inside: {overrun.disarmed}" if overrun.disarmed else "",
        f"; Python could not act for {overrun.deaf:.1f} s, as a C function held the interpreter"
        if overrun.deaf > _DEAF else "",
        "" if heard else f"; it ended after {overrun.elapsed:.3g} s",
    ]  # fmt: skip
    return "".join(parts)

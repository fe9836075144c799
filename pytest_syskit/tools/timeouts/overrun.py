"""How a block went over its limit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Overrun:
    """How a block went over its limit.

    Times are seconds of the limit's clock.  ``where`` is the place in the code at the first shot,
    ``shots`` counts how often the code was interrupted, ``disarmed`` says what switched the limit
    off inside the block, and ``deaf`` is how long Python could not act on the signal.
    """

    seconds: float
    clock: str
    elapsed: float
    where: str | None = None
    shots: int = 0
    disarmed: str | None = None
    deaf: float = 0.0

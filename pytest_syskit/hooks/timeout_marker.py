"""``signal_timeout``: how long a test may take."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from ..tools.timeouts.signal_timeout import checked_clock, checked_seconds
from .marker_arguments import Marker, WrongArguments, optional_reason
from .marks import marks_of

SCOPES = ("all", "call")


class Limit(NamedTuple):
    """The limit of each phase of a test, in seconds of a clock; scope ``call`` limits one phase."""

    seconds: float
    clock: str = "real"
    scope: str = "all"


def limit_of_test(item: pytest.Item, default: float) -> Limit | None:
    """Return the limit that holds for a test: its closest mark's, or the option's if above 0.

    Raises:
        WrongArguments: a mark that the check at collection did not see is wrong.
    """
    for mark in marks_of(item):
        if mark.name == SIGNAL_TIMEOUT.name:
            limit: Limit = SIGNAL_TIMEOUT.read(mark)
            return limit
    return Limit(default) if default > 0 else None


def _parse(
    seconds: object, clock: object = "real", scope: object = "all", *, reason: object = None
) -> Limit:
    optional_reason(reason)
    if scope not in SCOPES:
        raise WrongArguments(f"scope={scope!r}: takes one of {', '.join(SCOPES)}")
    try:
        return Limit(checked_seconds(seconds), checked_clock(clock), str(scope))
    except (TypeError, ValueError) as error:
        raise WrongArguments(str(error)) from None


SIGNAL_TIMEOUT = Marker("signal_timeout", _parse)
MARKERS = (SIGNAL_TIMEOUT,)

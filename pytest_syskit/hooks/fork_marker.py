"""``run_in_fork``: a whole test in a forked child of its own."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from ..tools.channels.deadline import checked_seconds
from .marker_arguments import Marker, WrongArguments, optional_reason
from .marks import marks_of


class Isolation(NamedTuple):
    """How a test is isolated: a limit in seconds for the whole of it, and the user to become."""

    timeout: float | None = None
    user: str | int | None = None


def isolation_of(item: pytest.Item, *, every_test: bool) -> Isolation | None:
    """Return how a test is to be isolated, or ``None`` if it runs as usual."""
    for mark in marks_of(item):
        if mark.name == RUN_IN_FORK.name:
            isolation: Isolation = RUN_IN_FORK.read(mark)
            return isolation
    return Isolation() if every_test else None


def _parse(timeout: object = None, user: object = None, *, reason: object = None) -> Isolation:
    optional_reason(reason)
    if user is not None and (isinstance(user, bool) or not isinstance(user, str | int)):
        raise WrongArguments(f"user={user!r}: takes the name or the id of a user")
    try:
        limit = None if timeout is None else checked_seconds(timeout)
    except (TypeError, ValueError) as error:
        raise WrongArguments(str(error)) from None
    return Isolation(limit, user)


RUN_IN_FORK = Marker("run_in_fork", _parse)
MARKERS = (RUN_IN_FORK,)

"""Give a block of code a time limit: whole, in fractions, one inside the other.

Exercise D27.  The work is done by ``signal_timeout`` of this project, a context manager on an
interval timer.  What a class of one's own around ``signal.alarm`` gets wrong: ``alarm`` knows whole
seconds only and takes ``0.5`` for "no alarm"; the handler of before stays away; an inner limit
switches the outer one off, because there is one timer for all; an alarm that fires late hits code
behind the block; and a plain ``except Exception`` in the block eats the interruption.

It works in the main thread, and interrupts Python code and system calls; see its documentation for
what it cannot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from pytest_syskit import SignalTimeout, signal_timeout

Value = TypeVar("Value")


def within(seconds: float, function: Callable[[], Value], default: Value) -> Value:
    """Return what a function returns, or the default if that takes longer than ``seconds``."""
    try:
        with signal_timeout(seconds):
            return function()
    except SignalTimeout:
        return default


@dataclass(frozen=True, slots=True)
class StepReport:
    """How long a step took, and whether it was cut off."""

    name: str
    seconds: float
    cut_off: bool


def run_steps(
    steps: Iterable[tuple[str, Callable[[], object]]], *, each: float, total: float
) -> list[StepReport]:
    """Run steps one after the other, with a limit for each and one for all of them together.

    A step that takes too long is cut off, and the next one begins.

    Raises:
        SignalTimeout: the limit for all was over; the steps that were still to come did not run.
    """
    reports = []
    with signal_timeout(total, name="all steps together"):
        for name, step in steps:
            began = time.monotonic()
            cut_off = _is_cut_off(step, each)
            reports.append(StepReport(name, time.monotonic() - began, cut_off))
    return reports


def _is_cut_off(step: Callable[[], object], seconds: float) -> bool:
    try:
        with signal_timeout(seconds):
            step()
    except SignalTimeout:  # ours alone: the outer limit's goes out at the outer block
        return True
    return False

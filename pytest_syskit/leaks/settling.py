"""Giving things that are already ending the moment they need.

Only suspicion comes here.  Each step is followed by a look; the cheap steps come first, and a poll
counts turns instead of asking a clock that the test may have frozen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .resource import Resource, Snapshot

Look = Callable[[], Snapshot]
Step = Callable[[], object]


def settle(suspects: Iterable[Resource], look: Look, steps: Iterable[Step]) -> list[Resource]:
    """Return the suspects that are still there after every step, in their order.

    Args:
        suspects: what seems to have been left behind.
        look: takes a fresh snapshot.
        steps: what may make a suspect go, such as collecting garbage or a short pause; no further
            step is taken once nobody is left.
    """
    left = list(suspects)
    for step in steps:
        if not left:
            break
        step()
        present = look()
        left = [resource for resource in left if resource in present]
    return left

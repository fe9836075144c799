"""What to run to see the lines of code that made an owner's leaks."""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..leaks.owner import Owner
from .settings import Settings

_NOTHING: Mapping[str, str] = {}


def to_trace(owner: Owner, settings: Settings, users: Mapping[str, str] = _NOTHING) -> str | None:
    """Return what to give to pytest; ``None`` in a run that is traced.

    Args:
        owner: a test, which is run alone, or a fixture, for which one of its tests is run.
        settings: those of this run.
        users: a test for each fixture, where the owner itself does not know one.
    """
    if settings.leak_trace:
        return None
    if owner.type == "test":
        return owner.id
    user = owner.user or users.get(str(owner))
    path = (owner.where or "").rpartition(":")[0]
    # A conftest.py has fixtures and no tests: those are in the files beside and below it.
    folder = os.path.dirname(path) or "." if os.path.basename(path) == "conftest.py" else path
    return user or folder or None

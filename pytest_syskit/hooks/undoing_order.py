"""Variables that two fixtures change are right in the end, whichever is undone first.

``monkeypatch`` puts back what it found when the test patched.  If it is older than ``fake_env`` it
is undone after it, and would bring back the values of a fake environment that has gone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest


def tell_monkeypatch(monkeypatch: pytest.MonkeyPatch, before: Mapping[str, str]) -> None:
    """Let ``monkeypatch`` know that the environment was ``before`` and is what it is now.

    So its ``undo()`` ends with the variables of before, also in the middle of a test.
    """
    now = dict(os.environ)
    for name in filter(None, before.keys() | now.keys()):  # Windows has variables without a name
        if before.get(name) != now.get(name):
            _change(monkeypatch, name, before.get(name), now.get(name))


def _change(
    monkeypatch: pytest.MonkeyPatch, name: str, before: str | None, now: str | None
) -> None:
    """Make a change that was made already once more, by the hand of ``monkeypatch``."""
    if before is None:
        del os.environ[name]
    else:
        os.environ[name] = before
    if now is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, now)

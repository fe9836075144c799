"""The kinds of leaks that detectors of other plugins find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ..leaks.kinds import KINDS

if TYPE_CHECKING:
    from ..leaks.resource import Detector

_DETECTORS = pytest.StashKey[list["Detector"]]()


def foreign_detectors(config: pytest.Config) -> list[Detector]:
    """Return the detectors of other plugins, who are asked once in a session."""
    found = config.stash.get(_DETECTORS, None)
    if found is None:
        answers = config.hook.pytest_syskit_detectors(config=config)
        found = [detector for answer in answers for detector in answer or ()]
        config.stash[_DETECTORS] = found
    return found


def kinds_known(config: pytest.Config, word: str) -> tuple[str, ...]:
    """Return the kinds among which a word must be; others are asked if it is none of ours."""
    if word in {*KINDS, "*"}:
        return KINDS
    return (*KINDS, *(detector.kind for detector in foreign_detectors(config)))

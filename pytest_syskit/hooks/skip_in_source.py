"""Why a module is to be skipped before its import, judged by the marks in its source."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from . import platform_markers
from .marker_arguments import Need, WrongArguments, complaint, shown
from .marker_reading import MARKERS
from .marker_texts import SKIPPING
from .pytestmark_source import WrittenMark, pytestmark_of


class Skip(NamedTuple):
    """Why a module is skipped, and the line that says so."""

    reason: str
    line: int


def skip_of(source: bytes, path: Path, config: pytest.Config, wrong: list[str]) -> Skip | None:
    """Return why a module is skipped as a whole, or ``None``; add complaints to ``wrong``."""
    return _judge(pytestmark_of(source, SKIPPING), shown(path, config), wrong)


def _judge(marks: tuple[WrittenMark, ...], file: str, wrong: list[str]) -> Skip | None:
    found: list[Skip] = []
    problems: list[str] = []
    for written in marks:
        try:
            need = MARKERS[written.mark.name].read(written.mark)
        except WrongArguments as problem:
            problems.append(complaint(f"{file}:{written.line}", written.mark, problem))
            need = _bare(written.mark.name)
        if need is not None and (reason := need.skip_reason()):
            found.append(Skip(reason, written.line))
    if not found:
        return None  # the import goes ahead, and wrong marks are seen on the tests
    wrong.extend(problems)
    return Skip("; ".join(dict.fromkeys(skip.reason for skip in found)), found[0].line)


def _bare(name: str) -> Need | None:
    """Return what a platform marker needs whatever its arguments, so that the import stays safe."""
    marker = MARKERS[name]
    need: Need | None = marker.parse() if marker in platform_markers.MARKERS else None
    return need

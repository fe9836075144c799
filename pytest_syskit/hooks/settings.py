"""What was asked for, read once when pytest is configured."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import pytest

from ..detectors.baseline import Baseline
from .options import OPTIONS, read_option

if TYPE_CHECKING:
    from ..leaks.known import KnownLeaks
    from ..leaks.rules import IgnoreRule
    from .known_leaks import KnownLeaksFile


class Settings(NamedTuple):
    """Every option's value after precedence; see INTERFACE for the meanings."""

    leaks: str
    leak_kinds: tuple[str, ...]
    leak_grace: float
    leak_ignore: tuple[IgnoreRule, ...]
    leak_trace: bool
    baseline: str
    baseline_write: bool
    repeat: int
    reap: str
    restore: str
    subreaper: bool
    report: tuple[str, ...]
    timeout: float
    fork: bool

    @property
    def page(self) -> bool:
        """Whether a report for people is asked for, which needs samples of the run."""
        return any(path.endswith(".html") for path in self.report)


SETTINGS = pytest.StashKey[Settings]()
BASELINE = pytest.StashKey[Baseline]()
KNOWN_LEAKS: pytest.StashKey[KnownLeaks] = pytest.StashKey()
KNOWN_LEAKS_FILE: pytest.StashKey[KnownLeaksFile] = pytest.StashKey()


def read_settings(config: pytest.Config) -> Settings:
    """Read and check all options (raises ``pytest.UsageError``)."""
    values = {o.name.replace("-", "_"): read_option(config, o) for o in OPTIONS}
    values["leak_ignore"] = tuple(_rule(config, text) for text in values["leak_ignore"])
    values["report"] = tuple(_report_path(config, path) for path in values["report"])
    return Settings(**values)


def _rule(config: pytest.Config, text: str) -> IgnoreRule:
    from ..leaks.rules import IgnoreRule  # noqa: PLC0415  # most runs have no rule
    from .foreign_kinds import kinds_known  # noqa: PLC0415  # see above

    try:
        return IgnoreRule.parse(text, kinds_known(config, text.partition(":")[0].strip()))
    except ValueError as error:
        raise pytest.UsageError(f"--syskit-leak-ignore: {text!r}: {error}") from None


def _report_path(config: pytest.Config, path: str) -> str:
    """Check before the run that the report can be written after it."""
    full = os.path.join(config.invocation_params.dir, path)
    folder = os.path.dirname(full)
    if not os.path.isdir(folder):
        raise pytest.UsageError(f"--syskit-report={path}: the directory {folder} does not exist")
    if os.path.isdir(full) or not os.access(full if os.path.exists(full) else folder, os.W_OK):
        raise pytest.UsageError(f"--syskit-report={path}: cannot be written")
    return full

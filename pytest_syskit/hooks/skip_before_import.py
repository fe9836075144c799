"""Skip a module for what its ``pytestmark`` says before importing it.

On Windows ``import fcntl`` at the top of a module fails, and pytest reads ``pytestmark`` only after
the import; so a marker could not keep such a module from breaking the run.  Here the marker is read
from the source, and a module that would be skipped as a whole is not imported at all.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from pytest_syskit.host import platforms

from .marker_texts import SKIPPING
from .markers import complaints

if TYPE_CHECKING:
    from .skip_in_source import Skip

_SKIPS = pytest.StashKey[dict[Path, "Skip | None"]]()


class SkippedModule(pytest.Module):
    """A module that is reported as skipped and never imported."""

    skip: Skip

    @property  # type: ignore[misc]  # nothing may set what was never imported
    def obj(self) -> ModuleType:
        """An empty module, for plugins that look into what they believe was imported."""
        return ModuleType(self.path.stem)

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        """Skip the module.

        Raises:
            pytest.skip.Exception: always.
        """
        pytest.skip(self.skip.reason, allow_module_level=True)


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> SkippedModule | None:
    """Put a skipped module in the place of one that this machine cannot run."""
    skip = _skip_of(module_path, parent.config)
    return None if skip is None else _skipped(module_path, parent, skip)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[Any], list[Any]]:
    """Keep other collectors of the file from importing it (``--doctest-modules`` has one)."""
    collectors = yield
    foreign = [one for one in collectors if isinstance(one, pytest.Module)]
    if not foreign or (skip := _skip_of(file_path, parent.config)) is None:
        return collectors
    rest = [one for one in collectors if not isinstance(one, pytest.Module)]
    ours = [one for one in foreign if isinstance(one, SkippedModule)]
    return [*rest, *(ours[:1] or [_skipped(file_path, parent, skip)])]


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Let the report of a skipped module name the line of its ``pytestmark``, not ours."""
    report = yield
    if isinstance(collector, SkippedModule) and report.outcome == "skipped":
        skip = collector.skip
        report.longrepr = (str(collector.path), skip.line, f"Skipped: {skip.reason}")
    return report


def _skipped(path: Path, parent: pytest.Collector, skip: Skip) -> SkippedModule:
    module: SkippedModule = SkippedModule.from_parent(parent, path=path)
    module.skip = skip
    return module


def _skip_of(path: Path, config: pytest.Config) -> Skip | None:
    """Return why a module is skipped, or ``None``; each file is read once."""
    known = config.stash.setdefault(_SKIPS, {})
    if path not in known:
        known[path] = _read(path, config)
    return known[path]


def _read(path: Path, config: pytest.Config) -> Skip | None:
    try:
        source = path.read_bytes()
    except OSError:
        return None  # gone or unreadable: for the import to report
    if b"pytestmark" not in source or not any(name in source for name in _worth_parsing()):
        return None
    from .skip_in_source import skip_of  # noqa: PLC0415  # most modules carry no such mark

    return skip_of(source, path, config, complaints(config))


def _worth_parsing() -> list[bytes]:
    """Name the markers that could skip something here."""
    hold = {f"{word}_only" for word in platforms.words_here()}
    return [name.encode() for name in SKIPPING - hold]

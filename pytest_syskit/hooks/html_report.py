"""The HTML report: one self-contained page for people.

Imported only when a page is asked for.
"""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Iterator
from pathlib import Path

import pytest

from .. import __version__
from ..host.real import real
from . import json_report
from .facts import Facts
from .html.page import Run, page
from .html.samples import Sampler, Timeline
from .last_report import Voice
from .settings import Settings

TIMELINE = "syskit-timeline"
SAMPLER = "syskit-sampler"


def collect(config: pytest.Config) -> None:
    """Prepare the process that reports to take in the samples of the tests."""
    config.pluginmanager.register(Timeline(), TIMELINE)


def sampler(config: pytest.Config) -> Voice:
    """Prepare a process that runs tests; return what takes a sample at a test's last report."""
    taker = Sampler(getattr(config, "workerinput", {}).get("workerid"))
    config.pluginmanager.register(taker, SAMPLER)
    return taker.hear


def write(
    path: str, facts: Facts, settings: Settings, stale: list[str], config: pytest.Config
) -> None:
    """Write the page to a file."""
    content = json_report.content(facts, settings, stale)
    timeline = config.pluginmanager.get_plugin(TIMELINE)
    series = timeline.series if isinstance(timeline, Timeline) else {}
    Path(path).write_text(page(content, series, _run(config)), encoding="utf-8")


def _run(config: pytest.Config) -> Run:
    now = dt.datetime.fromtimestamp(real.time(), dt.timezone.utc)
    return Run(config.rootpath.name, f"{now:%Y-%m-%d %H:%M} UTC", tuple(_versions()))


def _versions() -> Iterator[str]:
    yield f"pytest-syskit {__version__}"
    yield f"pytest {pytest.__version__}"
    yield f"{platform.python_implementation()} {platform.python_version()}"
    yield platform.platform()

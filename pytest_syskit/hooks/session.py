"""One session: what is read at its start, begun when its tests are known, and told at its end.

What only some sessions need is imported where it is needed: an empty run costs next to nothing.
"""
# ruff: noqa: PLC0415  # see above

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from ..detectors.baseline import Baseline
from . import specs
from .gathering import GATHERING, FromWorkers, Gathering
from .marks import marks_of
from .settings import BASELINE, SETTINGS, Settings, read_settings

_BEGUN = pytest.StashKey[bool]()


def add_hooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that others may implement."""
    pluginmanager.add_hookspecs(specs)


def configure(config: pytest.Config) -> None:
    """Read the settings; a wrong value ends the run before it begins."""
    config.stash[SETTINGS] = read_settings(config)
    config.stash[BASELINE] = Baseline()  # before test modules open anything of their own
    if not hasattr(config, "workerinput"):  # an xdist worker reports to its controller
        config.stash[GATHERING] = gathering = Gathering(config)
        if not _runs_tests(config):
            config.pluginmanager.register(FromWorkers(gathering), "syskit-from-workers")
        if config.stash[SETTINGS].page:
            from . import html_report

            html_report.collect(config)
    if config.stash[SETTINGS].baseline or config.stash[SETTINGS].baseline_write:
        from . import known_leaks

        known_leaks.start(config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> Any:
    """Begin to watch, now that every test and its marks are known."""
    result = yield
    config = session.config
    # Some collect twice: pytest-xdist with --looponfail.
    if session.items and _runs_tests(config) and not config.stash.get(_BEGUN, False):
        config.stash[_BEGUN] = True
        if "pyfakefs" in sys.modules:
            from .fake_files import load_before_fakes

            load_before_fakes(session.items)
        from . import watching

        marks = {mark.name for item in session.items for mark in marks_of(item)}
        settings = config.stash[SETTINGS]
        if settings.timeout or "signal_timeout" in marks:
            from . import timeouts

            _say(config, "tests have no limits", timeouts.start(session))
        if settings.repeat > 1:
            from .repeated_tests import RepeatedTests

            config.pluginmanager.register(RepeatedTests(config), "syskit-repeated-tests")
        if settings.fork or "run_in_fork" in marks:
            _isolate(config, every_test=settings.fork)
        policies = "leak_policy" in marks
        kinds = _kinds(session, settings, policies=policies)
        watching.start(config, kinds, watch=settings.leaks != "off" or policies)
    return result


def _kinds(session: pytest.Session, settings: Settings, *, policies: bool) -> list[str]:
    """Return the kinds to watch, those that single tests ask for included, in their usual order."""
    from ..leaks.kinds import KINDS
    from .leak_markers import kinds_asked_for

    named = kinds_asked_for(session.items) if policies else set()
    return [kind for kind in KINDS if kind in {*settings.leak_kinds, *named}]


def _say(config: pytest.Config, what: str, lack: str | None) -> None:
    """Tell what cannot be done here although it was asked for."""
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if lack is not None and reporter is not None:
        reporter.write_line(f"syskit: {what}, because {lack}")


def _isolate(config: pytest.Config, *, every_test: bool) -> None:
    """Run tests in forked children; a debugger needs the terminal, so it gets them here."""
    if config.getoption("usepdb", False) or config.getoption("trace", False):
        return
    from .forked_tests import ForkedTests

    config.pluginmanager.register(ForkedTests(config, every_test=every_test), "syskit-forked-tests")


def _runs_tests(config: pytest.Config) -> bool:
    """Say whether this process runs tests itself; an xdist controller does not."""
    if config.getoption("collectonly", False):
        return False
    distributed = config.getoption("dist", "no") != "no" and config.getoption("tx", None)
    return hasattr(config, "workerinput") or not distributed


def header(config: pytest.Config) -> str | None:
    """Return the header line, or ``None`` when nothing is watched."""
    settings = config.stash[SETTINGS]
    if settings.leaks == "off":
        return None
    from ..host import capabilities

    parts = [f"leaks: {settings.leaks} ({', '.join(settings.leak_kinds)})"]
    parts += [f"baseline {settings.baseline}"] if settings.baseline else []
    parts += [f"each test {settings.repeat} times"] if settings.repeat > 1 else []
    if (lack := capabilities.missing("proc")) is not None:
        parts.append(f"orphans not seen, because {lack}")
    if settings.subreaper:
        lack = capabilities.missing("subreaper")
        parts.append("orphans adopted" if lack is None else f"orphans not adopted, because {lack}")
    return "syskit: " + ", ".join(parts)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Any:
    """Write the reports, after every other plugin has added what it has to add."""
    result = yield
    if session.testsfailed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED  # a fixture's leak came to light last
    config = session.config
    settings, gathering = config.stash[SETTINGS], config.stash.get(GATHERING, None)
    if settings.report and gathering is not None:
        from . import json_report, summary

        stale = summary.stale_rules(gathering.facts, settings, config)
        for path in settings.report:
            if path.endswith(".html"):
                from . import html_report

                html_report.write(path, gathering.facts, settings, stale, config)
            else:
                json_report.write(path, gathering.facts, settings, stale)
    return result


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell the reader, and GitHub."""
    gathering = config.stash.get(GATHERING, None)
    if gathering is None:
        return  # a worker of xdist has a terminal reporter, too; its controller tells
    settings, facts = config.stash[SETTINGS], gathering.facts
    if not facts.says_something() and not settings.leak_ignore and not settings.baseline:
        return
    from . import annotations, summary

    summary.write(terminalreporter, facts, settings, config)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations.lines(facts, settings):
            terminalreporter.write_line(line)

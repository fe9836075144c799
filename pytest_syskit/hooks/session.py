"""One session: what is set up at its start, undone at its end, and told in between."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

import pytest

from ..detectors.baseline import Baseline
from ..detectors.descriptor import DescriptorDetector
from ..detectors.process import ProcessDetector
from ..detectors.watch import Watch
from ..host.adoption import Adoption
from ..host.parentage import NOTES
from ..leaks.ledger import Ledger
from ..leaks.resource import Detector
from . import annotations as github
from . import json_report, specs, summary, timeouts
from .accounts import Accounts
from .back_door import BackDoor
from .docket import Docket
from .escape_guard import EscapeGuard
from .facts import Facts
from .gathering import Gathering
from .judge import Judge
from .settings import SETTINGS, Settings, read_settings
from .verdicts import Verdicts

BASELINE = pytest.StashKey[Baseline]()
GATHERING = pytest.StashKey[Gathering]()


def add_hooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks that others may implement."""
    pluginmanager.add_hookspecs(specs)


def configure(config: pytest.Config) -> None:
    """Read the settings; a wrong value ends the run before it begins."""
    config.stash[SETTINGS] = read_settings(config)
    config.stash[BASELINE] = Baseline()  # before test modules open anything of their own
    if not is_worker(config):
        config.stash[GATHERING] = Gathering(config)
        config.pluginmanager.register(config.stash[GATHERING], "syskit-gathering")


def is_worker(config: pytest.Config) -> bool:
    """Say whether this process is an xdist worker."""
    return hasattr(config, "workerinput")


def runs_tests(config: pytest.Config) -> bool:
    """Say whether this process runs tests itself; an xdist controller does not."""
    distributed = config.getoption("dist", "no") != "no" and config.getoption("tx", None)
    return is_worker(config) or not distributed


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> Any:
    """Begin to watch, now that every test and its marks are known."""
    result = yield
    config, settings = session.config, session.config.stash[SETTINGS]
    if runs_tests(config) and not config.getoption("collectonly", False):
        NOTES.start()
        config.add_cleanup(NOTES.stop)
        if _is_wanted(session, settings):
            start_watching(config, settings)
        timeouts.start(session)
        start_guarding(config)  # last, so that it hears of reports first and reaps what escaped
    return result


def _is_wanted(session: pytest.Session, settings: Settings) -> bool:
    asked = settings.leaks != "off"
    return asked or any(item.get_closest_marker("leak_policy") for item in session.items)


def start_guarding(config: pytest.Config) -> None:
    """Set up the guards, which are on for everyone."""
    config.pluginmanager.register(BackDoor(config), "syskit-back-door")
    config.pluginmanager.register(EscapeGuard(partial(_deliver, config)), "syskit-escape-guard")


def start_watching(config: pytest.Config, settings: Settings) -> None:
    """Set up detectors, judge and accounts; everything is undone with the configuration."""
    _adopt(config, settings)
    processes = ProcessDetector()
    watch = Watch(_detectors(config, processes))
    judge = Judge(config, settings, watch)
    verdicts = Verdicts(settings, watch, judge, partial(_deliver, config))
    ledger = Ledger()
    docket = Docket(settings, watch, ledger, judge, verdicts)
    accounts = Accounts(settings, watch, ledger, docket, processes.tidy)
    config.pluginmanager.register(accounts, "syskit-accounts")


def _adopt(config: pytest.Config, settings: Settings) -> None:
    if settings.subreaper:
        adoption = Adoption()
        adoption.start()
        config.add_cleanup(adoption.stop)


def _detectors(config: pytest.Config, processes: ProcessDetector) -> list[Detector]:
    found: list[Detector] = [processes, DescriptorDetector(config.stash[BASELINE])]
    for foreign in config.hook.pytest_syskit_detectors(config=config):
        found += foreign or ()
    return found


def _deliver(config: pytest.Config, record: dict[str, Any]) -> None:
    """Hand over what comes after the last report; an xdist worker's output travels when it ends."""
    if not is_worker(config):
        config.stash[GATHERING].take(record)
        return
    output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]  # set by xdist
    facts = Facts()
    facts.add(output.get("syskit", {}))
    facts.add(record)
    output["syskit"] = facts.record()


def header(config: pytest.Config) -> str | None:
    """Return the header line, or ``None`` when nothing is watched."""
    settings = config.stash[SETTINGS]
    if settings.leaks == "off":
        return None
    parts = [f"leaks: {settings.leaks} ({', '.join(settings.leak_kinds)})"]
    lack = Adoption().lack
    if not settings.subreaper:
        parts.append("orphans not adopted (--no-syskit-subreaper)")
    elif lack is not None:
        parts.append(f"orphans not seen, because {lack}")
    return "syskit: " + ", ".join(parts)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Any:
    """Write the reports, after every other plugin has added what it has to add."""
    result = yield
    config = session.config
    if session.testsfailed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED  # a fixture's leak came to light last
    gathering = config.stash.get(GATHERING, None)
    if gathering is not None:
        settings = config.stash[SETTINGS]
        stale = summary.stale_rules(gathering.facts, settings) if is_full_run(config) else []
        for path in settings.report:
            json_report.write(path, gathering.facts, settings, stale)
    return result


def is_full_run(config: pytest.Config) -> bool:
    """Say whether all tests ran, so that a rule without a match is stale."""
    return summary.is_full_run(config, session_failed=False)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell the reader, and GitHub."""
    settings = config.stash[SETTINGS]
    facts = config.stash[GATHERING].facts
    summary.write(terminalreporter, facts, settings, full_run=is_full_run(config))
    if os.environ.get("GITHUB_ACTIONS") == "true":
        level = "error" if settings.leaks == "fail" else "warning"
        for line in github.lines(facts.leaks, level):
            terminalreporter.write_line(line)

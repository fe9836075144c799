"""What a session needs that runs tests: detectors, judge, accounts and guards.

Imported when there are tests to run, and then all at once: later, a test may have filled the table
of descriptors or replaced the file system, and nothing could be imported any more.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from ..detectors.descriptor import DescriptorDetector
from ..detectors.process import ProcessDetector
from ..detectors.watch import Watch
from ..host.processes import orphans
from ..host.processes.adoption import Adoption
from ..host.processes.orphans import OrphanSearch
from ..host.processes.parentage import NOTES
from ..leaks.ledger import Ledger
from ..leaks.resource import Detector
from .accounts import Accounts
from .back_door import BackDoor
from .docket import Docket
from .escape_guard import EscapeGuard
from .facts import Facts
from .gathering import GATHERING
from .judge import Judge
from .settings import BASELINE, SETTINGS, Settings
from .verdicts import Verdicts


def start(config: pytest.Config, *, watch: bool) -> None:
    """Set up the guards, which are on for everyone, and if wanted the leak detector."""
    NOTES.start()
    config.add_cleanup(NOTES.stop)
    if watch:
        _start_watching(config, config.stash[SETTINGS])
    # Registered last, the guards hear of reports first, and reap what escaped before it is judged.
    config.pluginmanager.register(BackDoor(config), "syskit-back-door")
    config.pluginmanager.register(EscapeGuard(partial(_deliver, config)), "syskit-escape-guard")


def _start_watching(config: pytest.Config, settings: Settings) -> None:
    if settings.subreaper:
        adoption = Adoption()
        adoption.start()
        config.add_cleanup(adoption.stop)
    processes = ProcessDetector(_orphan_search(config))
    watch = Watch(_detectors(config, processes))
    judge = Judge(config, settings, watch)
    verdicts = Verdicts(settings, watch, judge, partial(_deliver, config))
    ledger = Ledger()
    docket = Docket(settings, watch, ledger, judge, verdicts)
    accounts = Accounts(settings, watch, ledger, docket, processes.tidy)
    config.pluginmanager.register(accounts, "syskit-accounts")


def _orphan_search(config: pytest.Config) -> OrphanSearch | None:
    """Begin to look for orphans, where the system lets us."""
    if not orphans.available():
        return None
    search = OrphanSearch()
    search.start()
    config.add_cleanup(search.stop)
    return search


def _detectors(config: pytest.Config, processes: ProcessDetector) -> list[Detector]:
    found: list[Detector] = [processes, DescriptorDetector(config.stash[BASELINE])]
    for foreign in config.hook.pytest_syskit_detectors(config=config):
        found += foreign or ()
    return found


def _deliver(config: pytest.Config, record: dict[str, Any]) -> None:
    """Hand over what comes after the last report; an xdist worker's output travels when it ends."""
    gathering = config.stash.get(GATHERING, None)
    if gathering is not None:
        gathering.take(record)
        return
    output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]  # set by xdist
    facts = Facts()
    facts.add(output.get("syskit", {}))
    facts.add(record)
    output["syskit"] = facts.record()

"""What a session needs that runs tests: detectors, judge, accounts and guards.

Imported when there are tests to run, and then all at once: later, a test may have filled the table
of descriptors or replaced the file system, and nothing could be imported any more.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from ..detectors.descriptor import DescriptorDetector
from ..detectors.kinds import make
from ..detectors.process import ProcessDetector
from ..detectors.watch import Watch
from ..host.descriptors.descriptors import counts
from ..host.descriptors.held_listing import HeldListing
from ..host.descriptors.quick_stat import quick_fstat
from ..host.processes import children, orphans
from ..host.processes.adoption import Adoption
from ..host.processes.orphans import OrphanSearch
from ..host.processes.parentage import NOTES
from ..host.processes.quick_wait import quick_childless
from ..leaks.ledger import Ledger
from ..leaks.resource import Detector
from .accounts import Accounts
from .back_door import BackDoor
from .docket import Docket
from .escape_guard import EscapeGuard
from .facts import Facts
from .foreign_kinds import foreign_detectors
from .gathering import GATHERING
from .hook_guard import HookGuard
from .judge import Judge
from .last_report import LastReport, Voice
from .settings import BASELINE, SETTINGS, Settings
from .verdicts import Verdicts

# Whose hooks between two tests leave nothing behind.
_KNOWN = {pytest.Item.__module__.partition(".")[0], __name__.partition(".")[0]}


def start(config: pytest.Config, kinds: list[str], *, watch: bool) -> None:
    """Set up the guards, which are on for everyone, and if wanted the leak detector."""
    NOTES.start()
    config.add_cleanup(NOTES.stop)
    accounts = _accounts(config, config.stash[SETTINGS], kinds) if watch else None
    guard = EscapeGuard(partial(_deliver, config), accounts)
    BackDoor(config, guard.moment).close()
    voices: list[Voice] = [guard.hear]  # first: it reaps what escaped before it is judged
    if accounts is not None:
        voices.append(accounts.hear)
        config.pluginmanager.register(accounts, "syskit-accounts")
    if watch and config.stash[SETTINGS].page:
        from . import html_report  # noqa: PLC0415  # brings a whole page

        voices.append(html_report.sampler(config))  # last: a sample shows what the verdict left
    gathering = config.stash.get(GATHERING, None)
    if gathering is not None:
        voices.append(gathering.hear)
    config.pluginmanager.register(guard, "syskit-escape-guard")
    if HookGuard.is_needed(config):
        config.pluginmanager.register(HookGuard(guard), "syskit-hook-guard")
    stumble = accounts.stumble if accounts is not None else None
    config.pluginmanager.register(LastReport(voices, stumble), "syskit-last-report")


def _accounts(config: pytest.Config, settings: Settings, kinds: list[str]) -> Accounts:
    if settings.subreaper:
        adoption = Adoption()
        adoption.start()
        config.add_cleanup(adoption.stop)
    processes = _processes(config)
    watch = Watch(_detectors(config, processes, kinds))
    if settings.leak_trace:
        from . import leak_trace  # noqa: PLC0415  # slow, and only for who asks for it

        leak_trace.start(config, watch, partial(_deliver, config))
    judge = Judge(config, settings, watch)
    verdicts = _verdicts(config, watch, judge)
    ledger = Ledger()
    docket = Docket(settings, watch, ledger, judge, verdicts)
    others_act = _others_act(config)
    return Accounts(settings, watch, ledger, docket, processes.tidy, others_act=others_act)


def _others_act(config: pytest.Config) -> bool:
    """Say whether a plugin that is neither pytest's nor ours has a hook between two tests."""
    names = ("protocol", "logstart", "setup", "logreport", "logfinish")
    hooks = [getattr(config.hook, f"pytest_runtest_{name}") for name in names]
    functions = [each.function for hook in hooks for each in hook.get_hookimpls()]
    modules = [str(getattr(function, "__module__", None)) for function in functions]
    return not {module.partition(".")[0] for module in modules} <= _KNOWN


def _verdicts(config: pytest.Config, watch: Watch, judge: Judge) -> Verdicts:
    """Make what publishes the findings: at once, or when all runs of a test are over."""
    settings, deliver = config.stash[SETTINGS], partial(_deliver, config)
    repeated: Any = config.pluginmanager.get_plugin("syskit-repeated-tests")
    if repeated is None:
        return Verdicts(settings, watch, judge, deliver)
    from . import repeated_verdicts  # noqa: PLC0415  # few runs repeat their tests

    repeated.verdicts = repeated_verdicts.start(config, watch, judge, deliver)
    held: Verdicts = repeated.verdicts
    return held


def _orphan_search(config: pytest.Config) -> OrphanSearch | None:
    """Begin to look for orphans, where the system lets us."""
    if not orphans.available():
        return None
    search = OrphanSearch()
    search.start()
    config.add_cleanup(search.stop)
    return search


def _detectors(
    config: pytest.Config, processes: ProcessDetector, kinds: list[str]
) -> list[Detector]:
    found: list[Detector] = [processes, _descriptors(config)]
    found += [_begin(config, kind) for kind in kinds if kind not in ("process", "fd")]
    return [*found, *foreign_detectors(config)]


def _processes(config: pytest.Config) -> ProcessDetector:
    childless = quick_childless() if _is_quick(config) else children.none
    return ProcessDetector(_orphan_search(config), childless)


def _descriptors(config: pytest.Config) -> DescriptorDetector:
    heal = config.getoption("capture", "no") == "fd"
    listing = None
    if counts():
        listing = HeldListing(quick_fstat() if _is_quick(config) else None)
        config.add_cleanup(listing.close)
    return DescriptorDetector(config.stash[BASELINE], listing, outputs_heal=heal)


def _is_quick(config: pytest.Config) -> bool:
    """Say whether ctypes may be used; wherever it is, the trace has its doubts."""
    return not config.stash[SETTINGS].leak_trace


def _begin(config: pytest.Config, kind: str) -> Detector:
    """Make a detector that not every run has; one that notes more ends with the run."""
    detector: Any = make(kind)
    if hasattr(detector, "start"):
        detector.start()
        config.add_cleanup(detector.stop)
    made: Detector = detector
    return made


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

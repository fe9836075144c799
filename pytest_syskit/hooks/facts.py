"""What the process that runs the tests tells the one that reports.

Facts are plain JSON values.  They ride on a test's own report, as an attribute that pytest's
serialisation carries over process borders; what comes too late for a report is handed over at the
end of the session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..leaks.leak import Leak
    from ..leaks.owner import Owner

ATTRIBUTE = "syskit"
LISTS = (
    "leaks",
    "not_checked",
    "escaped_children",
    "unused_allowances",
    "errors",
    "error_reports",
    "tallies",
    "not_traced",
)


class Facts:
    """Findings on their way to the reader."""

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = {name: [] for name in LISTS}
        self.tests_checked = 0
        self.rule_hits: dict[str, int] = {}
        self.users: dict[str, str] = {}  # fixture -> a test that used it
        self.baseline: dict[str, Any] | None = None  # said at the end, by the reporting process

    def leak(self, leak: Leak) -> None:
        """Add a finding."""
        self.lists["leaks"].append(leak.record())

    def error(self, owner: Owner) -> None:
        """Add that an owner's leaks have an error report of their own."""
        self.lists["errors"].append(owner.record())

    def error_report(
        self, owner: Owner, statement: str, text: str, properties: list[tuple[str, object]]
    ) -> None:
        """Add the error of a fixture, which becomes a report where reports are shown."""
        error = {"owner": owner.record(), "statement": statement, "text": text}
        self.lists["error_reports"].append(error | {"properties": properties})

    def not_checked(self, owner: Owner, reason: str) -> None:
        """Add that an owner could not be judged, and why."""
        self.lists["not_checked"].append({"owner": owner.record(), "reason": reason})

    def unused_allowance(self, owner: Owner, allowance: str) -> None:
        """Add that a test was allowed to leave something and did not."""
        self.lists["unused_allowances"].append({"owner": owner.record(), "allowance": allowance})

    def escaped_child(self, owner: Owner, pid: int, how: str) -> None:
        """Add that a forked child tried to go on as a second pytest."""
        record = {"owner": owner.record(), "pid": pid, "how": how}
        self.lists["escaped_children"].append(record)

    def tally(self, owner: str, lines: list[tuple[str, str, int]]) -> None:
        """Add how much one life of an owner left: kind, plain label and number of each."""
        self.lists["tallies"].append({"owner": owner, "lines": lines})

    def not_traced(self, test: str, reason: str) -> None:
        """Add that not all events were told, of a test or (empty) of the run, and why."""
        self.lists["not_traced"].append({"test": test, "reason": reason})

    def record(self) -> dict[str, Any]:
        """Return the JSON form; empty lists are left out."""
        full: dict[str, Any] = {name: records for name, records in self.lists.items() if records}
        full |= {"users": self.users} if self.users else {}
        return {**full, "tests_checked": self.tests_checked, "rule_hits": self.rule_hits}

    def says_something(self) -> bool:
        """Say whether there is anything for a reader."""
        return any(self.lists.values())

    def add(self, record: dict[str, Any]) -> None:
        """Take in what another process found."""
        for name in LISTS:
            self.lists[name] += record.get(name, [])
        self.users |= record.get("users", {})
        self.tests_checked += record.get("tests_checked", 0)
        for rule, hits in record.get("rule_hits", {}).items():
            self.rule_hits[rule] = self.rule_hits.get(rule, 0) + hits

    @property
    def leaks(self) -> list[Leak]:
        """The findings as values."""
        from ..leaks.leak import Leak  # noqa: PLC0415  # most runs have no leak to tell of

        return [Leak.from_record(record) for record in self.lists["leaks"]]


_NOTHING: dict[str, Any] = {}
_CLEAN = {"tests_checked": 1}


def attach_clean(report: pytest.TestReport) -> None:
    """Let a report say that its test was checked and left nothing."""
    if not hasattr(report, ATTRIBUTE):  # a forked child may have had something to say
        setattr(report, ATTRIBUTE, _CLEAN)


def attach(report: pytest.TestReport, facts: Facts) -> None:
    """Let facts ride on a report, beside those that ride there already."""
    facts.add(attached(report))
    facts.tests_checked = min(facts.tests_checked, 1)
    setattr(report, ATTRIBUTE, facts.record())


def is_clean(record: dict[str, Any]) -> bool:
    """Say whether a record tells no more than that a test left nothing; at once in this process."""
    return record is _CLEAN


def says_something(record: dict[str, Any]) -> bool:
    """Say whether a record holds more than good news."""
    return any(name in record for name in LISTS)


def attached(report: pytest.TestReport) -> dict[str, Any]:
    """Return the facts that ride on a report; empty if there are none."""
    record: dict[str, Any] = getattr(report, ATTRIBUTE, _NOTHING)
    return record

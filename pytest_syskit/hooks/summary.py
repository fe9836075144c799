"""The terminal section: what was left behind, what was not checked, and which rules are stale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..leaks import wording
from ..leaks.leak import Leak
from ..leaks.owner import Owner
from .facts import Facts
from .settings import KNOWN_LEAKS_FILE, Settings
from .to_trace import to_trace

_NARROWING = ("keyword", "markexpr", "lf", "maxfail", "deselect", "collectonly")
_BLOCKS = 50  # owners shown: a longer section belongs in the JSON report


def stale_rules(facts: Facts, settings: Settings, config: pytest.Config) -> list[str]:
    """Return the ignore rules that matched nothing; none if not all tests were judged."""
    rules = settings.leak_ignore if settings.leaks != "off" and is_full_run(config) else ()
    return [rule.text for rule in rules if rule.text not in facts.rule_hits]


def lines(facts: Facts, settings: Settings, config: pytest.Config) -> list[str]:
    """Return the lines of the section; none when there is nothing to say."""
    return [
        *_leak_lines(facts, settings),
        *_not_checked_lines(facts.lists["not_checked"]),
        *_not_traced_lines(facts.lists["not_traced"]),
        *(
            f"unused: {_id(each)} has {each['allowance']} but left nothing of the kind; remove it"
            for each in facts.lists["unused_allowances"]
        ),
        *(
            f"stale: the rule {rule!r} of syskit_leak_ignore matched nothing; remove it"
            for rule in stale_rules(facts, settings, config)
        ),
        *(config.stash[KNOWN_LEAKS_FILE].lines(facts) if settings.baseline else ()),
    ]


def _untold(facts: Facts) -> list[Leak]:
    """Return the leaks that no error report tells of."""
    told = list(map(Owner.from_record, facts.lists["errors"]))
    return [leak for leak in facts.leaks if leak.verdict == "leak" and leak.owner not in told]


def _id(record: dict[str, Any]) -> str:
    return str(Owner.from_record(record["owner"]))


def _leak_lines(facts: Facts, settings: Settings) -> Iterator[str]:
    by_owner: dict[Owner, list[Leak]] = {}
    for leak in _untold(facts):
        by_owner.setdefault(leak.owner, []).append(leak)
    for owner, owned in list(by_owner.items())[:_BLOCKS]:
        yield from wording.block(owner, owned, to_trace(owner, settings, facts.users))
    if len(by_owner) > _BLOCKS:
        yield f"… and {len(by_owner) - _BLOCKS} more owners; --syskit-report=x.json has them all"


def _not_checked_lines(records: list[dict[str, Any]]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for record in records:
        reasons.setdefault(record["reason"], []).append(_id(record))
    for reason, owners in reasons.items():
        more = f" and {len(owners) - 1} more" if len(owners) > 1 else ""
        yield f"not checked: {owners[0]}{more}, because {reason}"


def _not_traced_lines(records: list[dict[str, Any]]) -> Iterator[str]:
    tests: dict[str, list[str]] = {}
    for record in records:
        tests.setdefault(record["reason"], []).append(record["test"])
    for reason, ids in tests.items():
        more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
        which = f": {ids[0]}{more}" if ids[0] else ""  # every worker says the same of the whole run
        yield f"not traced in full{which}, because {reason}"


def write(reporter: Any, facts: Facts, settings: Settings, config: pytest.Config) -> None:
    """Write the section to the terminal."""
    said = lines(facts, settings, config)
    if said:
        reporter.section("syskit: left behind", yellow=True)
        for line in said:
            reporter.write_line(printable(line))


def printable(text: str) -> str:
    """Replace what no terminal can show: undecodable bytes and control characters."""
    safe = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in safe)


def is_full_run(config: pytest.Config) -> bool:
    """Say whether all tests ran, so that a rule without a match is stale."""
    narrowed = any(config.getoption(name, None) for name in _NARROWING)
    return not narrowed and not any("::" in str(argument) for argument in config.args)

"""What else a reader should know: escaped children, who was not checked, what is of no use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ...host import capabilities
from ...leaks.owner import Owner
from .markup import Html, plural, tag
from .sections import Section, note, section

_SHOWN = 100  # entries of a list, as many as anybody reads; the JSON report has all of them


def remarks(content: Mapping[str, Any]) -> Iterator[Section]:
    """Yield a section for each list that is not empty."""
    if escaped := content["escaped_children"]:
        entries = [_escaped(each) for each in _first(escaped)]
        why = "Forked children that came back into pytest as if they were the parent."
        yield section("escaped", "Escaped children", note(why), _list(entries, len(escaped)))
    if baseline := content.get("baseline"):
        yield _baseline(baseline)
    if missed := content["not_checked"]:
        why = "Nothing is known about what these left behind."
        yield section("not-checked", "Not checked", note(why), *_by_reason(missed))
    if unused := content["unused_allowances"]:
        entries = [_owned(each, tag("code", each["allowance"])) for each in _first(unused)]
        why = "Tests that may leave something and left nothing of the kind. Remove the marks."
        yield section("unused", "Unused allowances", note(why), _list(entries, len(unused)))
    if stale := content["stale_rules"]:
        entries = [tag("li", tag("code", rule)) for rule in _first(stale)]
        why = "Rules of syskit_leak_ignore that matched nothing in a full run. Remove them."
        yield section("stale", "Stale rules", note(why), _list(entries, len(stale)))


def _baseline(baseline: Mapping[str, Any]) -> Section:
    """Say what an old project is known for, and what of it has gone."""
    entries = [_gone(each) for each in _first(baseline["gone"])]
    said = f"{plural(baseline['known'], 'leak')} of this run excused by {baseline['file']}. "
    said += "These have gone: drop them from the file. " if entries else ""
    said += "This run wrote the file." if baseline["written"] else ""
    return section("baseline", "Baseline", note(said), _list(entries, len(baseline["gone"])))


def _gone(record: Mapping[str, Any]) -> Html:
    times = f" ({record['count']} times)" if record["count"] > 1 else ""
    return tag("li", tag("b", record["owner"]), " ", tag("code", record["label"]), times)


def _first(entries: Sequence[Any]) -> Sequence[Any]:
    return entries[:_SHOWN]


def _list(entries: Sequence[Html], total: int) -> Html:
    more = tag("li", f"and {total - len(entries):,} more") if total > len(entries) else None
    return tag("ul", *entries, more, class_="plain")


def _owner(record: Mapping[str, Any]) -> str:
    return str(Owner.from_record(record["owner"]))


def _owned(record: Mapping[str, Any], what: str) -> Html:
    return tag("li", tag("b", _owner(record)), " ", what)


def _escaped(record: Mapping[str, Any]) -> Html:
    return _owned(record, f"let its child {record['pid']} come back: it {record['how']}")


def _by_reason(records: Iterable[Mapping[str, Any]]) -> Iterator[Html]:
    """Say each reason once, for it is often the machine's and then everybody's."""
    reasons: dict[str, list[str]] = {}
    for record in records:
        reasons.setdefault(record["reason"], []).append(_owner(record))
    for reason, owners in list(reasons.items())[:_SHOWN]:
        yield tag("h3", f"Because {reason}")
        yield _list([tag("li", owner) for owner in _first(owners)], len(owners))


def machine(content: Mapping[str, Any]) -> Section:
    """Return the table of what the reporting machine can and cannot do."""
    able = content["capabilities"]
    rows = [_capability(name, able[name]) for name in sorted(able, key=lambda n: (able[n], n))]
    head = tag("tr", *(tag("th", each, scope="col") for each in ("Word", "For", "Here")))
    table = tag("table", tag("thead", head), tag("tbody", *rows))
    frame = tag(
        "div", table, class_="scroll", tabindex="0", role="region", aria_label="Capabilities"
    )
    said = f"{sum(able.values())} of {plural(len(able), 'capability', 'capabilities')} are here"
    return section(
        "machine",
        "The machine",
        note("What the machine that wrote this page can do. Tests ask for it with requires(…)."),
        tag("details", tag("summary", said), frame),
    )


def _capability(name: str, able: bool) -> Html:
    answer = "yes" if able else f"no: {capabilities.missing(name)}"
    return tag(
        "tr",
        tag("th", name, scope="row"),
        tag("td", capabilities.purpose(name)),
        tag("td", answer, class_=None if able else "lacking"),
    )

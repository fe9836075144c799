"""The leaks: one article for each owner, one story for each thing that it left."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from ...leaks import wording
from ...leaks.leak import Leak
from ...leaks.owner import Owner
from .culprits import Culprits
from .markup import Html, join, plural, tag

_FRAMES = 8  # of a stack shown at once
_CODE = re.compile(r"""(@pytest\.mark\.\w+\(.*?reason="[^"]*"\)|'[^']+')""")
_TOLD = {"argv", "state", "pid", "fd", "mode"}  # shown in a form of their own, or by every label
_NAMES = {
    "what": "What",
    "target": "Leads to",
    "inheritable": "Inherited by children",
    "orphan": "Orphan",
    "age": "Age",
}


def stories(culprits: Culprits) -> Html:
    """Return the articles, and how much is not told."""
    parts = [_article(o, leaks, culprits.anchor(o)) for o, leaks in culprits.told.items()]
    if culprits.untold:
        rest = f"{plural(culprits.untold, 'more leak')}: a report that ends in .json has all."
        parts.append(tag("p", rest, class_="note untold"))
    return join(parts)


def _article(owner: Owner, leaks: Sequence[Leak], anchor: str | None) -> Html:
    guilty = [leak for leak in leaks if leak.verdict == "leak"]
    return tag(
        "article",
        tag("h3", *_name(owner), id=f"{anchor}-name"),
        tag("p", _statement(leaks, guilty), class_="statement"),
        tag("ul", *map(_story, leaks), class_="stories"),
        *map(_remedy, wording.remedies(owner, guilty) if guilty else ()),
        id=anchor,
        class_="owner",
        tabindex="-1",
        aria_labelledby=f"{anchor}-name",
        data_owner=owner.type,
    )


def _name(owner: Owner) -> Iterator[Html]:
    """Name an owner; the part that tells it from its neighbours stands out."""
    if owner.type == "fixture":
        place = f"{owner.scope} fixture" + (f", {owner.where}" if owner.where else "")
        yield tag("span", f"{place} ", class_="path")
        yield tag("span", owner.id)
        return
    name, bracket, parameters = owner.id.partition("[")  # parameters may hold colons too
    path, colons, name = name.rpartition("::")
    yield tag("span", path + colons, class_="path")
    yield tag("span", name + bracket + parameters)


def _statement(leaks: Sequence[Leak], guilty: Sequence[Leak]) -> str:
    if not guilty:
        return f"{wording.statement(leaks)}, which is allowed"
    allowed = len(leaks) - len(guilty)
    return wording.statement(guilty) + (f"; {allowed:,} more allowed" if allowed else "")


def _remedy(remedy: str) -> Html:
    parts = _CODE.split(remedy)
    said = [tag("code", each.strip("'")) if i % 2 else join([each]) for i, each in enumerate(parts)]
    return tag("p", tag("b", "What now: "), *said, class_="remedy")


def _story(leak: Leak) -> Html:
    detail = leak.resource.detail
    return tag(
        "li",
        tag(
            "p",
            tag("span", leak.resource.kind, class_="badge kind"),
            tag("span", leak.verdict, class_=f"badge verdict {leak.verdict}"),
            tag("span", str(detail["state"]), class_="badge") if "state" in detail else None,
            class_="badges",
        ),
        tag("p", leak.resource.label, class_="label"),
        tag("p", tag("b", "Allowed: "), leak.reason, class_="reason") if leak.reason else None,
        tag("dl", *_facts(leak), class_="facts"),
        _command(detail.get("argv"), leak.resource.label),
        *(_stack(_word(k), v) for k, v in detail.items() if k not in _TOLD and _is_list(v)),
        _stack("Made at", leak.created_at),
        class_="story",
        data_kind=leak.resource.kind,
        data_verdict=leak.verdict,
    )


def _facts(leak: Leak) -> Iterator[Html]:
    yield _fact("Phase", leak.phase)
    if leak.worker:
        yield _fact("Worker", leak.worker)
    if leak.repeats:
        yield _fact("Comes", str(leak.repeats))
    for key, value in leak.resource.detail.items():
        if key not in _TOLD and not _is_list(value) and _adds(value, leak.resource.label):
            yield _fact(_word(key), _value(key, value))


def _word(key: str) -> str:
    return _NAMES.get(key, key.replace("_", " ").capitalize())


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple)


def _adds(value: Any, label: str) -> bool:
    """Say whether a value tells more than the label does."""
    return bool(value) and not (isinstance(value, str) and value in label)


def _fact(name: str, value: str) -> Html:
    return tag("div", tag("dt", name), tag("dd", value))


def _value(key: str, value: Any) -> str:
    """Say a value of a detail as a person would."""
    if value is True:
        return "yes"
    return f"{value} s" if key == "age" else str(value)


def _command(argv: object, label: str) -> Html | None:
    """Show a command line whole, where the label had to cut it."""
    if not isinstance(argv, list | tuple) or not argv:
        return None
    command = shlex.join(map(str, argv))
    if label.endswith((command, argv[0])):
        return None
    return tag("div", tag("h4", "Command line"), tag("pre", command, class_="command"))


def _stack(title: str, lines: Sequence[object] | None) -> Html | None:
    """Show lines of code, innermost last and nearest to the eye."""
    if not lines:
        return None
    hidden, shown = lines[:-_FRAMES], lines[-_FRAMES:]
    outer = None
    if hidden:
        summary = tag("summary", plural(len(hidden), "outer frame"))
        outer = tag("details", summary, tag("ol", *(tag("li", str(each)) for each in hidden)))
    inner = tag("ol", *(tag("li", str(each)) for each in shown))
    return tag("div", tag("h4", title), outer, inner, class_="stack")

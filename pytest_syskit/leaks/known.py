"""Leaks that are known: a list of them with counts, its text form, and what it excuses.

The text is made to be read, compared and merged line by line: one block per owner, one line per
kind and plain label, everything sorted::

    tests/test_server.py::test_accept
        2 fd  pipe:[#] (read)
        1 process  sleep #

A count is for one life of its owner.  A session fixture under xdist lives once in each worker, a
module's fixture once in each module: each life may leave as much, and nothing has to be shared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from .leak import Leak
from .owner import Owner
from .plain_labels import PlainLabels, escape

FORMAT = 1
_TITLE = "# pytest-syskit baseline, format "
_HEAD = (
    f"{_TITLE}{FORMAT}\n"
    "# Leaks that are known: only others count.  A line is a number for one life of its owner, a\n"
    "# kind and a label, in which # stands for a number.  Lines may be removed by hand.\n"
)
_LINE = re.compile(r"\s+(?P<count>[1-9]\d*) (?P<kind>\S+)  (?P<label>.*\S)\s*")


class Unreadable(ValueError):
    """A text is no list of known leaks; the message says where and why."""


@dataclass(frozen=True, slots=True, order=True)
class KnownLeak:
    """What one line of the list speaks of: owner, kind and plain label."""

    owner: str
    kind: str
    label: str

    def __str__(self) -> str:
        return f"{self.owner}  {self.kind}  {self.label}"

    @property
    def path(self) -> str:
        """The file of the test, or of the fixture; empty for a fixture without one."""
        if self.is_fixture:
            return self.owner[:-1].rpartition(", ")[2] if ", " in self.owner else ""
        return self.owner.partition("::")[0]

    @property
    def is_fixture(self) -> bool:
        """Whether the owner is a fixture."""
        return self.owner.startswith("fixture ")


Counts = Mapping[KnownLeak, int]


def _owner_text(owner: Owner, plain: PlainLabels) -> str:
    """Name an owner so that the name survives edits of its file: without the line."""
    if owner.type == "test":
        return escape(owner.id)
    path = (owner.where or "").rpartition(":")[0]
    name = re.sub(r"0x[0-9a-fA-F]+", "#", owner.id)  # an object as parameter of a fixture
    place = f", {plain.placed(path)}" if path else ""
    return escape(f"fixture {name} ({owner.scope}{place})")


class KnownLeaks:
    """Excuses the leaks of one life after the other.

    Args:
        counts: what is known; ``None`` means whatever comes, as when the list is being written.
        reason: what an excused leak says of itself.
        plain: what makes labels comparable.
    """

    def __init__(self, counts: Counts | None, reason: str, plain: PlainLabels) -> None:
        self._counts = counts
        self._reason = reason
        self._plain = plain

    def key(self, leak: Leak) -> KnownLeak:
        """Return the line that speaks of a leak, whether the list has it or not."""
        resource = leak.resource
        label = self._plain.label(resource.kind, resource.label, resource.detail)
        return KnownLeak(self.name(leak.owner), resource.kind, label)

    def name(self, owner: Owner) -> str:
        """Return what the list calls an owner."""
        return _owner_text(owner, self._plain)

    def excuse(self, leaks: Iterable[Leak]) -> list[Leak]:
        """Return what one life left, with as many excused of each line as the list has of it."""
        left: Counter[KnownLeak] = Counter(self._counts or {})
        return [self._judged(leak, left) for leak in leaks]

    def _judged(self, leak: Leak, left: Counter[KnownLeak]) -> Leak:
        if leak.verdict != "leak":
            return leak
        if self._counts is not None:
            key = self.key(leak)
            if not left[key]:
                return leak
            left[key] -= 1
        return leak.allowed(self._reason)

    def excused(self, leak: Leak) -> bool:
        """Say whether it is the list that excuses a leak."""
        return leak.verdict == "allowed" and leak.reason == self._reason

    def tally(self, leaks: Iterable[Leak]) -> Counter[KnownLeak]:
        """Count what one life left that nothing but the list could excuse."""
        return Counter(map(self.key, (x for x in leaks if x.verdict == "leak" or self.excused(x))))


def most(counts: Iterable[Counts]) -> dict[KnownLeak, int]:
    """Join the counts of several lives: the most that any of them left."""
    joined: dict[KnownLeak, int] = {}
    for each in counts:
        for key, number in each.items():
            joined[key] = max(number, joined.get(key, 0))
    return joined


def gone(known: Counts, seen: Counts, open_: Collection[KnownLeak]) -> dict[KnownLeak, int]:
    """Return how many of each line are there no more, ``open_`` ones aside: nobody can know."""
    missing = {key: number - seen.get(key, 0) for key, number in known.items() if key not in open_}
    return {key: number for key, number in missing.items() if number > 0}


def renewed(known: Counts, seen: Counts, gone: Counts) -> dict[KnownLeak, int]:
    """Return the list as it is to be written: what was seen, and what may still be there."""
    kept = {key: number - gone.get(key, 0) for key, number in known.items()}
    return {key: number for key, number in most([kept, seen]).items() if number > 0}


def render(counts: Counts) -> str:
    """Return the text form."""
    lines: list[str] = []
    owner = None
    for key in sorted(counts):
        if key.owner != owner:
            owner = key.owner
            lines += ["", owner]
        lines.append(f"    {counts[key]} {key.kind}  {key.label}")
    return _HEAD + "".join(f"{line}\n" for line in lines)


def parse(text: str) -> dict[KnownLeak, int]:
    """Read the text form; of two lines that say the same, the greater count holds.

    Raises:
        Unreadable: the text is something else.
    """
    first, *rest = text.split("\n")
    version = first.rstrip().removeprefix(_TITLE)
    if not first.startswith(_TITLE) or not version.isdecimal():
        raise Unreadable(f"line 1: {first[:60]!r}, where {_TITLE + str(FORMAT)!r} was expected")
    if int(version) != FORMAT:
        raise Unreadable(f"line 1: it has format {version}, and this version reads {FORMAT}")
    return _parse_lines(rest)


def _parse_lines(lines: Iterable[str]) -> dict[KnownLeak, int]:
    counts: dict[KnownLeak, int] = {}
    owner = ""
    for number, line in enumerate(lines, 2):
        if not line.strip() or line.startswith("# "):
            continue
        if not line[0].isspace():
            owner = _owner(line.rstrip(), number)
            continue
        found = _LINE.fullmatch(line)
        if found is None or not owner:
            wanted = "COUNT KIND  LABEL" if owner else "the owner of what follows"
            raise Unreadable(f"line {number}: {line.strip()[:60]!r}, where {wanted} was expected")
        key = KnownLeak(owner, found["kind"], found["label"])
        counts[key] = max(int(found["count"]), counts.get(key, 0))
    return counts


def _owner(line: str, number: int) -> str:
    if "::" in line or line.startswith("fixture "):
        return line
    hint = " (a merge was left half-way)" if line[:7] in {"<<<<<<<", "=======", ">>>>>>>"} else ""
    raise Unreadable(f"line {number}: {line[:60]!r} is no owner{hint}")

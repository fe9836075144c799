"""What is meant to stay: patterns, standing rules and allowances."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase


def matches(pattern: str, label: str) -> bool:
    r"""Say whether a pattern occurs in a label.

    A pattern is a glob that may match anywhere in the label; what no glob finds is tried as a
    regular expression, so ``sleep``, ``*/out.log`` and ``sleep \d+`` all do what they seem to.
    """
    if fnmatchcase(label, f"*{pattern}*"):
        return True
    try:
        return re.search(pattern, label) is not None
    except re.error:
        return False  # a glob such as "*.log" is no regular expression


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """A standing rule of the project: ``kind:pattern  # reason``."""

    kind: str
    pattern: str
    reason: str
    text: str

    @classmethod
    def parse(cls, text: str, kinds: Iterable[str]) -> IgnoreRule:
        """Read a rule.

        Raises:
            ValueError: the text is no rule; the message says what is missing.
        """
        rule, mark, reason = text.partition("#")
        kind, colon, pattern = rule.strip().partition(":")
        if not colon or not pattern.strip():
            raise ValueError("a rule reads 'kind:pattern  # reason'")
        if kind.strip() not in {*kinds, "*"}:
            raise ValueError(f"{kind.strip()!r} is no kind; take one of {', '.join(kinds)} or *")
        if not mark or not reason.strip():
            raise ValueError("the reason is missing: add '  # why it is meant to stay'")
        return cls(kind.strip(), pattern.strip(), reason.strip(), text.strip())

    def covers(self, kind: str, label: str) -> bool:
        """Say whether the rule speaks of a resource."""
        return self.kind in {kind, "*"} and matches(self.pattern, label)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one test may leave: ``allow_leaks(*kinds, match=…, reason=…)``; no kinds means any."""

    kinds: tuple[str, ...]
    match: str | None
    reason: str

    def covers(self, kind: str, label: str) -> bool:
        """Say whether the allowance speaks of a resource."""
        named = not self.kinds or kind in self.kinds
        return named and (self.match is None or matches(self.match, label))

    def __str__(self) -> str:
        parts = [repr(kind) for kind in self.kinds]
        parts += [f"match={self.match!r}"] if self.match is not None else []
        return f"allow_leaks({', '.join([*parts, f'reason={self.reason!r}'])})"

"""Who left something behind, and where on the page that is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...leaks.leak import Leak
from ...leaks.owner import Owner

MOST = 5000  # stories told: about 5 MB of page; the JSON report has all of them


@dataclass(frozen=True, slots=True)
class Culprits:
    """The leaks of a run by owner.

    Attributes:
        leaks: owner -> its leaks; those first that are not allowed.
        told: the same, cut to what a page can hold.
        guilty: owner -> whether anything of it is not allowed.
    """

    leaks: Mapping[Owner, Sequence[Leak]]
    told: Mapping[Owner, Sequence[Leak]]
    guilty: Mapping[Owner, bool]
    _anchors: Mapping[Owner, str]

    @classmethod
    def of(cls, leaks: Iterable[Leak]) -> Culprits:
        """Group leaks by owner."""
        groups: dict[Owner, list[Leak]] = {}
        for leak in sorted(leaks, key=lambda leak: leak.verdict != "leak"):
            groups.setdefault(leak.owner, []).append(leak)
        told = _cut(groups)
        guilty = {owner: owned[0].verdict == "leak" for owner, owned in groups.items()}
        anchors = {owner: f"owner-{number}" for number, owner in enumerate(told, 1)}
        return cls(groups, told, guilty, anchors)

    def anchor(self, owner: Owner) -> str | None:
        """Return the id of an owner's article, if it has one."""
        return self._anchors.get(owner)

    def address(self, owner: Owner) -> str:
        """Return where a link about an owner leads."""
        return f"#{self.anchor(owner) or 'leaks'}"

    @property
    def untold(self) -> int:
        """How many leaks have no story."""
        return sum(map(len, self.leaks.values())) - sum(map(len, self.told.values()))


def _cut(groups: Mapping[Owner, Sequence[Leak]]) -> dict[Owner, Sequence[Leak]]:
    room, kept = MOST, {}
    for owner, leaks in groups.items():
        if room > 0:
            kept[owner] = leaks[:room]
            room -= len(leaks)
    return kept

"""How findings are said: who, what, which, and what to do now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .leak import Leak
from .owner import Owner

_LINES = 20  # resources listed per owner: more would hide the next owner
_NOUNS = {
    "process": ("process", "processes"),
    "fd": ("file descriptor", "file descriptors"),
    "thread": ("thread", "threads"),
}


def count(number: int, kind: str) -> str:
    """Say how many of a kind, as in ``2 file descriptors``."""
    one, many = _NOUNS.get(kind, (kind, f"{kind}s"))
    return f"{number} {one if number == 1 else many}"


def enumerate_kinds(leaks: Iterable[Leak]) -> str:
    """Say how many of each kind, as in ``1 process and 2 file descriptors``."""
    counted = Counter(leak.resource.kind for leak in leaks)
    parts = [count(number, kind) for kind, number in counted.items()]
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]])) if parts else "nothing"


def headline(owner: Owner, leaks: Sequence[Leak]) -> str:
    """Return the whole statement: who left how much of what."""
    return f"{owner} {statement(leaks)}"


def statement(leaks: Sequence[Leak]) -> str:
    """Say how much was left behind, and how much of what was there before was taken away."""
    left = [leak for leak in leaks if "change" not in leak.resource.detail]
    taken = [leak for leak in leaks if "change" in leak.resource.detail]
    acts = [f"left {enumerate_kinds(left)} behind"] if left else []
    before = (
        "that was open before the tests" if len(taken) == 1 else "that were open before the tests"
    )
    acts += [f"closed or replaced {enumerate_kinds(taken)} {before}"] if taken else []
    return " and ".join(acts)


def block(owner: Owner, leaks: Sequence[Leak]) -> list[str]:
    """Return the lines of one owner's report: statement, one line per resource, remedy."""
    lines = [headline(owner, leaks)]
    for leak in leaks[:_LINES]:
        lines.append(f"  {line(leak)}")
        lines += [f"      {frame}" for frame in leak.created_at or ()]
    if len(leaks) > _LINES:
        lines.append(f"  … and {len(leaks) - _LINES} more")
    return [*lines, f"  {remedy(owner, leaks)}"]


def line(leak: Leak) -> str:
    """Describe one leaked resource, with when it was made and why it may stay."""
    label = leak.resource.label
    if leak.resource.kind == "process" and "  " in label:
        facts, _, command = label.rpartition("  ")
        label = f"{facts}  started in {leak.phase} by  {command}"
    elif leak.phase != "call" and "change" not in leak.resource.detail:
        label = f"{label}  made in {leak.phase}"
    return f"{label}  allowed: {leak.reason}" if leak.verdict == "allowed" else label


def remedy(owner: Owner, leaks: Sequence[Leak]) -> str:
    """Say what to do now."""
    kinds = list(dict.fromkeys(leak.resource.kind for leak in leaks))
    if all("change" in leak.resource.detail for leak in leaks):
        return "work on a copy made by os.dup(), and put back what stood there"
    them = "it" if len(leaks) == 1 else "them"
    acts = [_act(kind, them) for kind in kinds]
    what = " and ".join(dict.fromkeys(acts))
    if owner.type == "fixture":
        rule = f"{kinds[0]}:PATTERN  # reason"
        return f"{what} when the fixture ends, or add the rule '{rule}' to syskit_leak_ignore"
    names = ", ".join(f'"{kind}"' for kind in kinds)
    mark = f'@pytest.mark.allow_leaks({names}, reason="…")'
    return f"{what} in the test, or mark it {mark} if it is meant"


def _act(kind: str, them: str) -> str:
    if kind == "process":
        return f"end {them} and wait for {them}"
    return f"close {them}" if kind == "fd" else f"undo {them}"

"""How findings are said: who, what, which, and what to do now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from .kinds import VALUES
from .leak import Leak
from .owner import Owner

_LINES = 20  # resources listed per owner: more would hide the next owner
_NOUNS = {
    "process": ("process", "processes"),
    "fd": ("file descriptor", "file descriptors"),
    "thread": ("thread", "threads"),
    "cwd": ("changed working directory", "changed working directories"),
    "umask": ("changed umask", "changed umasks"),
    "env": ("changed environment variable", "changed environment variables"),
    "signal": ("changed signal setting", "changed signal settings"),
    "timer": ("changed timer", "changed timers"),
}
_MADE = {"thread": "started"} | dict.fromkeys(VALUES, "set")  # how else a thing comes to be: made
# What to do about it; "them" stands for it or them, and beside other kinds first for the noun.
_ACTS = {
    "process": "end them and wait for them",
    "fd": "close them",
    "thread": "end them and join them",
    "cwd": "go back to the old directory (monkeypatch.chdir does)",
    "umask": "set the old umask again",
    "env": "put the variables back (monkeypatch.setenv does)",
    "signal": "put the signals back (signal_state does)",
    "timer": "stop the timer (signal.setitimer with 0)",
}


def count(number: int, kind: str) -> str:
    """Say how many of a kind, as in ``2 file descriptors``."""
    return f"{number} {_noun(kind, number)}"


def _noun(kind: str, number: int) -> str:
    one, many = _NOUNS.get(kind, (kind, f"{kind}s"))
    return one if number == 1 else many


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


def block(owner: Owner, leaks: Sequence[Leak], to_trace: str | None = None) -> list[str]:
    """Return the lines of one owner's report: statement, one line per resource, remedy.

    Args:
        owner: who left them.
        leaks: what was left.
        to_trace: what to run to see the lines of code that made them; ``None`` if that was done.
    """
    lines = [headline(owner, leaks)]
    for leak in leaks[:_LINES]:
        lines.append(f"  {line(leak)}")
        lines += [f"      {frame}" for frame in leak.created_at or ()]
    if len(leaks) > _LINES:
        lines.append(f"  … and {len(leaks) - _LINES} more")
    lines += [f"  {tracing(leaks, to_trace)}"] if to_trace and tracing(leaks, to_trace) else []
    return [*lines, *(f"  {text}" for text in remedies(owner, leaks))]


def tracing(leaks: Sequence[Leak], to_trace: str) -> str:
    """Say how to see the lines of code that made leaks; empty if that would tell nothing more."""
    made = [leak for leak in leaks if _is_traceable(leak)]
    what = "the line that made it" if len(made) == 1 else "the lines that made them"
    return f"to see {what}: pytest --syskit-leak-trace {_quoted(to_trace)}" if made else ""


def _is_traceable(leak: Leak) -> bool:
    made = leak.resource.kind in {"fd", "process"} and "change" not in leak.resource.detail
    return made and not leak.created_at


def _quoted(argument: str) -> str:
    """Quote an argument for a shell: ids of parametrised tests have brackets, blanks and worse."""
    if any(special in argument for special in '"$`\\!'):
        inner = argument.replace("'", "'\\''")
        return f"'{inner}'"
    return f'"{argument}"'


def line(leak: Leak) -> str:
    """Describe one leaked resource, with when it was made and why it may stay."""
    label = leak.resource.label
    if leak.resource.kind == "process" and "  " in label:
        facts, _, command = label.rpartition("  ")
        label = f"{facts}  started in {leak.phase} by  {command}"
    elif leak.phase != "call" and "change" not in leak.resource.detail:
        label = f"{label}  {_MADE.get(leak.resource.kind, 'made')} in {leak.phase}"
    label = f"{label}  {leak.repeats}" if leak.repeats else label
    return f"{label}  allowed: {leak.reason}" if leak.verdict == "allowed" else label


def remedies(owner: Owner, leaks: Sequence[Leak]) -> list[str]:
    """Say what to do now; what only the first use leaves has a remedy of its own."""
    first = [leak for leak in leaks if _is_first_use(leak)]
    every = [leak for leak in leaks if not _is_first_use(leak)]
    said = [remedy(owner, every)] if every else []
    if first:
        kinds = ", ".join(f'"{kind}"' for kind in dict.fromkeys(x.resource.kind for x in first))
        said.append(
            f"what comes the first time only ({enumerate_kinds(first)}) is the cost of a first "
            "use: make it once in a session fixture, or mark the test "
            f'@pytest.mark.allow_leaks({kinds}, reason="…")'
        )
    return said


def _is_first_use(leak: Leak) -> bool:
    """Say whether something is made once and kept; a value set twice is no different."""
    lasting = leak.resource.kind not in VALUES and "change" not in leak.resource.detail
    return lasting and leak.repeats is not None and leak.repeats.when == "first"


def remedy(owner: Owner, leaks: Sequence[Leak]) -> str:
    """Say what to do now."""
    kinds = Counter(leak.resource.kind for leak in leaks)
    if all("change" in leak.resource.detail for leak in leaks):
        return "work on a copy made by os.dup(), and put back what stood there"
    several = len(kinds) > 1
    acts = [_act(kind, number, named=several) for kind, number in kinds.items()]
    what = ", and ".join(filter(None, [", ".join(acts[:-1]), acts[-1]]))
    if owner.type == "fixture":
        rule = f"{next(iter(kinds))}:PATTERN  # reason"
        return f"{what} when the fixture ends, or add the rule '{rule}' to syskit_leak_ignore"
    names = ", ".join(f'"{kind}"' for kind in kinds)
    mark = f'@pytest.mark.allow_leaks({names}, reason="…")'
    return f"{what} in the test, or mark it {mark} if it is meant"


def _act(kind: str, number: int, *, named: bool) -> str:
    act = _ACTS.get(kind, "undo them")
    if named:
        act = act.replace("them", f"the {_noun(kind, number)}", 1)
    return act.replace("them", "it" if number == 1 else "them")

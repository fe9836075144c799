"""``leak_policy`` and ``allow_leaks``: what a test says about its own leaks."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import pytest

from pytest_syskit.leaks.kinds import KINDS
from pytest_syskit.leaks.rules import Allowance

from .foreign_kinds import kinds_known
from .marker_arguments import Marker, WrongArguments, optional_reason, texts
from .marks import marks_of
from .option_values import MODES, words_of


class Defaults(Protocol):
    """The options that hold where no mark says otherwise."""

    @property
    def leaks(self) -> str: ...  # noqa: D102  # --syskit-leaks
    @property
    def leak_kinds(self) -> tuple[str, ...]: ...  # noqa: D102  # --syskit-leak-kinds
    @property
    def leak_grace(self) -> float: ...  # noqa: D102  # --syskit-leak-grace


class Policy(NamedTuple):
    """What a leak of a test does: mode off, warn or fail; kinds looked for; grace in seconds."""

    mode: str
    kinds: tuple[str, ...]
    grace: float


class _Wish(NamedTuple):
    """A ``leak_policy`` mark as written; ``None`` leaves that part to the options."""

    mode: str
    kinds: tuple[str, ...] | None
    grace: float | None


# asked once per test, nearly always with the same answer: making one anew costs as much as the rest
_shared = functools.lru_cache(maxsize=16)(Policy)


def policy_of(node: pytest.Item | pytest.Collector, settings: Defaults) -> Policy:
    """Return the policy for a test: its closest ``leak_policy`` mark, completed from the options.

    The closest mark wins as a whole: what it leaves open comes from the options, not from a mark
    further out.

    Raises:
        WrongArguments: a mark that the check at collection did not see is wrong.
    """
    for mark in marks_of(node):
        if mark.name == "leak_policy":
            wish = LEAK_POLICY.read(mark)
            refuse_unknown_kinds(wish, node.config)
            return _complete(wish, settings)
    return _shared(settings.leaks, settings.leak_kinds, settings.leak_grace)


def has_leak_marks(node: pytest.Item | pytest.Collector) -> bool:
    """Say whether a test says anything about its leaks."""
    marks = marks_of(node)
    return bool(marks) and any(mark.name in ("leak_policy", "allow_leaks") for mark in marks)


def kinds_asked_for(nodes: Iterable[pytest.Item]) -> set[str]:
    """Return the kinds that ``leak_policy`` marks name.

    A mark that is wrong ends the run after the collection, with an error of its own; here it names
    none.
    """
    marks = (mark for node in nodes for mark in marks_of(node) if mark.name == "leak_policy")
    named: set[str] = set()
    for mark in marks:
        with contextlib.suppress(WrongArguments):
            named.update(LEAK_POLICY.read(mark).kinds or ())
    return named


def allowances_of(node: pytest.Item | pytest.Collector) -> list[Allowance]:
    """Return what every ``allow_leaks`` mark of a test allows, the closest first.

    Raises:
        WrongArguments: a mark that the check at collection did not see is wrong.
    """
    found = [ALLOW_LEAKS.read(mark) for mark in marks_of(node) if mark.name == "allow_leaks"]
    for allowance in found:
        refuse_unknown_kinds(allowance, node.config)
    return found


def refuse_unknown_kinds(meant: object, config: pytest.Config) -> None:
    """Raise ``WrongArguments`` if what a mark means names a kind that nobody finds."""
    if not isinstance(meant, _Wish | Allowance):
        return
    for word in meant.kinds or ():
        known = kinds_known(config, word)
        if word not in known:
            more = "none for any" if isinstance(meant, Allowance) else "all"
            raise WrongArguments(
                f"does not know the kind {word!r}; it takes {', '.join(known)}, or {more}"
            )


def _complete(wish: _Wish, settings: Defaults) -> Policy:
    kinds = settings.leak_kinds if wish.kinds is None else wish.kinds
    grace = settings.leak_grace if wish.grace is None else wish.grace
    return Policy(wish.mode, kinds, grace)


def _parse_policy(
    mode: object, kinds: object = None, grace: object = None, *, reason: object = None
) -> _Wish:
    optional_reason(reason)
    if mode not in MODES:
        raise WrongArguments(f"mode {mode!r}: takes one of {', '.join(MODES)}")
    return _Wish(str(mode), _kinds(kinds), _grace(grace))


def _kinds(kinds: object) -> tuple[str, ...] | None:
    if kinds is None:
        return None
    several = isinstance(kinds, Iterable) and not isinstance(kinds, str)
    words = words_of(tuple(kinds) if several else kinds)  # type: ignore[arg-type]  # see above
    if not words:
        raise WrongArguments(f"kinds={kinds!r}: takes at least one of {', '.join(KINDS)}, or all")
    return KINDS if "all" in words else tuple(dict.fromkeys(words))


def _grace(grace: object) -> float | None:
    if grace is None:
        return None
    if (
        isinstance(grace, bool)
        or not isinstance(grace, int | float)
        or not 0 <= grace < float("inf")
    ):
        raise WrongArguments(f"grace={grace!r}: takes a number of seconds, 0 or more")
    return float(grace)


def _parse_allowance(*kinds: object, match: object = None, reason: object = None) -> Allowance:
    if reason is None:
        raise WrongArguments('has no reason; add reason="why these are meant to stay"')
    if match is not None and not (isinstance(match, str) and match):
        raise WrongArguments(f"match={match!r}: takes a pattern on the label, as a text")
    return Allowance(_allowed(kinds), match, str(optional_reason(reason)))


def _allowed(kinds: tuple[object, ...]) -> tuple[str, ...]:
    words = texts(kinds, "kind", KINDS[0]) if kinds else ()
    return tuple(dict.fromkeys(words))


LEAK_POLICY = Marker("leak_policy", _parse_policy)
ALLOW_LEAKS = Marker("allow_leaks", _parse_allowance)
MARKERS = (LEAK_POLICY, ALLOW_LEAKS)

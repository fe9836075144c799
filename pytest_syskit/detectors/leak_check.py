"""A leak detector for one block of code; works without pytest."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from types import TracebackType

from ..host.processes import waiting_room
from ..host.real import real
from ..leaks.kinds import KINDS
from ..leaks.resource import Resource, Snapshot
from ..leaks.rules import matches
from ..leaks.settling import settle
from .kinds import make
from .watch import Watch

_DEFAULT = ("process", "fd")
_PAUSE = 0.02  # seconds between looks, as in the plugin's own grace


class LeaksFound(AssertionError):
    """A block left something behind; ``resources`` says what."""

    def __init__(self, text: str, resources: list[Resource]) -> None:
        super().__init__(text)
        self.resources = resources


class LeakCheck:
    """The running check; see :func:`leak_check`.

    Attributes:
        left: what the block left behind, described; known when the block has ended.
    """

    def __init__(
        self, kinds: tuple[str, ...], expect: str | None, match: str | None, grace: float
    ) -> None:
        self.left: list[Resource] = []
        self._expect = expect
        self._match = match
        self._grace = grace
        self._watch = Watch([make(kind) for kind in kinds])
        self._before: Snapshot = frozenset()

    def __enter__(self) -> LeakCheck:  # noqa: PYI034  # typing.Self is newer than 3.10
        self._before = self._watch.look(closely=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            return  # its own failure comes first, and its traceback keeps things alive
        suspects = self._look() - self._before
        left = settle(suspects, self._look, self._steps(list(suspects)))
        self.left = sorted(
            map(self._watch.describe, left), key=lambda each: (each.kind, each.label)
        )
        self._judge()

    def _look(self) -> Snapshot:
        return self._watch.look(closely=True)

    def _steps(self, suspects: list[Resource]) -> Iterator[Callable[[], object]]:
        yield lambda: None
        yield gc.collect
        if waiting_room.may_still_end(suspects):
            for _ in range(round(self._grace / _PAUSE)):
                yield lambda: real.sleep(_PAUSE)

    def _judge(self) -> None:
        expected = [each for each in self.left if self._is_expected(each)]
        others = [each for each in self.left if each not in expected]
        if others:
            raise LeaksFound(_text("the block left behind:", others), others)
        if self._expect is not None and not expected:
            wanted = f"{self._expect} {self._match!r}" if self._match else self._expect
            raise LeaksFound(
                f"the block was expected to leave behind: {wanted}; it left nothing", []
            )

    def _is_expected(self, resource: Resource) -> bool:
        fits = self._match is None or matches(self._match, resource.label)
        return resource.kind == self._expect and fits


def leak_check(
    *kinds: str, expect: str | None = None, match: str | None = None, grace: float = 0.2
) -> LeakCheck:
    """Check that a block of code leaves no process and no descriptor behind, or what is named.

    Example::

        with leak_check():
            run_the_server_once()

        with leak_check(expect="fd", match="server.log") as check:
            open_the_log()
        assert len(check.left) == 1

        with leak_check("cwd", "env", "thread"):
            configure()

    Args:
        kinds: what to look for: ``"process"``, ``"fd"``, ``"thread"``, ``"cwd"``, ``"umask"``,
            ``"env"``, ``"signal"``, ``"timer"``; none named means the first two.
        expect: the kind of leak that the block must cause; others still fail.
        match: a pattern that the label of the expected leak must fit.
        grace: seconds that something which is already ending may take.

    Raises:
        LeaksFound: the block left something, or did not leave what was expected.  Not raised over
            an exception of the block itself.
        ValueError: a kind that does not exist.

    What other threads open and close meanwhile is taken for the block's, if it stays.
    """
    wanted = kinds or _DEFAULT
    for kind in (*wanted, *([expect] if expect is not None else [])):
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of leak; take one of {', '.join(KINDS)}")
    if not 0 <= grace < float("inf"):
        raise ValueError(f"grace={grace!r}: takes a number of seconds, 0 or more")
    if expect is not None and expect not in wanted:
        wanted = (*wanted, expect)
    return LeakCheck(wanted, expect, match, grace)


def _text(headline: str, resources: list[Resource]) -> str:
    return "\n  ".join([headline, *(each.label for each in resources)])

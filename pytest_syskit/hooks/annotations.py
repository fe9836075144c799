"""GitHub annotations: each owner's leak shown beside its line in the pull request.

Format of workflow commands: docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from collections.abc import Iterator

from ..leaks import wording
from ..leaks.leak import Leak
from ..leaks.owner import Owner
from .facts import Facts
from .settings import Settings
from .to_trace import to_trace


def lines(facts: Facts, settings: Settings) -> Iterator[str]:
    """Return one annotation per owner."""
    level = "error" if settings.leaks == "fail" else "warning"
    by_owner: dict[Owner, list[Leak]] = {}
    for leak in facts.leaks:
        if leak.verdict == "leak":
            by_owner.setdefault(leak.owner, []).append(leak)
    for owner, owned in by_owner.items():
        path, _, line = (owner.where or owner.id.partition("::")[0] + ":1").rpartition(":")
        hint = to_trace(owner, settings, facts.users)
        text = _escape("\n".join(wording.block(owner, owned, hint)))
        yield f"::{level} file={_escape_value(path)},line={line},title=syskit leak::{text}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_value(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")

"""The working directory."""

from __future__ import annotations

from typing import Any

from ..host.state.working_directory import WorkingDirectory
from .state import StateDetector


class CwdDetector(StateDetector):
    """Finds a working directory that is not the first one, removed ones included."""

    kind = "cwd"

    def __init__(self) -> None:
        super().__init__(WorkingDirectory())

    def tell(self, name: str, before: Any, now: Any) -> tuple[str, dict[str, Any]]:
        """Return both paths."""
        return f"{name}  {now} (was {before})", {"before": before, "after": now}

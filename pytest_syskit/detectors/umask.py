"""The umask: which permissions new files do not get."""

from __future__ import annotations

from typing import Any

from ..host.state.file_mask import FileMask
from .state import StateDetector


class UmaskDetector(StateDetector):
    """Finds a umask that is not the first one.

    Where it can be read only by setting it, it is not observable while other threads run.
    """

    kind = "umask"

    def __init__(self) -> None:
        super().__init__(FileMask())

    def tell(self, name: str, before: Any, now: Any) -> tuple[str, dict[str, Any]]:
        """Return both masks, as a shell shows them."""
        was, after = f"{before:04o}", f"{now:04o}"
        return f"{name}  {after} (was {was})", {"before": was, "after": after}

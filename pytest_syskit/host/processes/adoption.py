"""Becoming the parent of orphans."""

from __future__ import annotations

from .. import capabilities, libc


class Adoption:
    """Adopts orphaned descendants between :meth:`start` and :meth:`stop`, where the kernel can."""

    def __init__(self) -> None:
        self.lack: str | None = capabilities.missing("subreaper")
        self._restore = False

    def start(self) -> None:
        """Become a subreaper, unless we are one or cannot be one."""
        if self.lack is None and not libc.is_subreaper():
            libc.set_subreaper(True)
            self._restore = True

    def stop(self) -> None:
        """Be what we were before."""
        if self._restore:
            libc.set_subreaper(False)
            self._restore = False

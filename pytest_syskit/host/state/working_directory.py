"""The working directory, also when it has been removed."""

from __future__ import annotations

from ..real import real

NAME = "cwd"
REMOVED = " (removed)"  # follows the last path of a directory that is gone
_LINUX_MARK = " (deleted)"  # fs/dcache.c, d_path


class WorkingDirectory:
    """One value, the path; true whatever fake file system a test puts over it."""

    def __init__(self) -> None:
        self._known: str | None = None

    def stands(self, _closely: bool) -> bool:
        """Say whether the directory is still the one that was read last."""
        try:
            path: str = real.getcwd()
        except OSError:
            return False  # removed: reading it says which
        return path == self._known

    def read(self) -> dict[str, str | None]:
        """Return the path (raises ``OSError`` when nothing can be said)."""
        self._known = _path()
        return {NAME: self._known}

    def write(self, _name: str, path: str | None) -> None:
        """Go to a directory (raises ``OSError``)."""
        if path is not None:
            real.chdir(path)


def _path() -> str:
    try:
        path: str = real.getcwd()
    except FileNotFoundError:
        return _last_path() + REMOVED
    return path


def _last_path() -> str:
    """Return where a directory was that has been removed, which only Linux tells."""
    try:
        link: str = real.readlink("/proc/self/cwd")
    except OSError:
        return "a directory"
    return link.removesuffix(_LINUX_MARK)

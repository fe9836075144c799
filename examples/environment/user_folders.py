"""Say where the programs of a user keep settings, caches and data, on each system.

Exercise D3, the branches by system::

              Linux, BSD …                      macOS                          Windows
    settings  $XDG_CONFIG_HOME or ~/.config     ~/Library/Application Support  %APPDATA%
    data      $XDG_DATA_HOME or ~/.local/share  ~/Library/Application Support  %LOCALAPPDATA%
    cache     $XDG_CACHE_HOME or ~/.cache       ~/Library/Caches               Cache in the latter

Sources: the XDG Base Directory specification, Apple's File System Programming Guide, Microsoft's
list of known folders.  The traps it avoids: ``HOME`` taken for granted on Windows; a relative
``XDG_…``, which the specification tells to ignore; an empty variable taken for a directory; the
system asked at import, before a test can say which it is to be; PATH split at the wrong separator.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath, PureWindowsPath

from environment_lookups import MissingVariable


@dataclass(frozen=True, slots=True)
class UserFolders:
    """Where one program keeps what it writes; the directories need not exist."""

    settings: PurePath
    data: PurePath
    cache: PurePath


def user_folders(program: str) -> UserFolders:
    """Return the folders of a program, by the rules of the system that runs it.

    Raises:
        MissingVariable: the variable that tells the user's home is missing or empty; names it.
        ValueError: ``program`` is no plain name.
    """
    if not program or program != program.strip(". ") or set(program) & set("/\\:\0"):
        raise ValueError(f"program={program!r}: a plain name is expected, such as 'editor'")
    if sys.platform == "win32":
        return _on_windows(program)
    if sys.platform == "darwin":
        return _on_macos(program)
    return _by_xdg(program)


def _on_windows(program: str) -> UserFolders:
    roaming = PureWindowsPath(_required("APPDATA"), program)
    local = PureWindowsPath(_required("LOCALAPPDATA"), program)
    return UserFolders(roaming, local, local / "Cache")


def _on_macos(program: str) -> UserFolders:
    library = PurePosixPath(_required("HOME"), "Library")
    support = library / "Application Support" / program
    return UserFolders(support, support, library / "Caches" / program)


def _by_xdg(program: str) -> UserFolders:
    return UserFolders(
        _xdg("XDG_CONFIG_HOME", ".config") / program,
        _xdg("XDG_DATA_HOME", ".local/share") / program,
        _xdg("XDG_CACHE_HOME", ".cache") / program,
    )


def _xdg(name: str, default: str) -> PurePosixPath:
    chosen = PurePosixPath(os.environ.get(name, ""))
    return chosen if chosen.is_absolute() else PurePosixPath(_required("HOME"), default)


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise MissingVariable(name)
    return value


def search_path() -> list[str]:
    """Return the directories of PATH in order, each once.

    An empty entry means the working directory (POSIX) or nothing (Windows); it is left out, for
    neither is a place to take programs from.
    """
    separator = ";" if sys.platform == "win32" else ":"
    return [entry for entry in dict.fromkeys(os.environ.get("PATH", "").split(separator)) if entry]

"""Say which operating system this is: Windows, Linux, macOS, or another one by its name.

Exercise A1.  A script: ``python which_system.py``.  Three sources are asked, from the most exact to
the most general: ``sys.platform``, ``platform.system()`` and ``os.name``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass

# Cygwin is a POSIX world of its own on Windows, so it is not in the list.
_NAMES = {"win32": "Windows", "linux": "Linux", "darwin": "macOS"}


@dataclass(frozen=True, slots=True)
class SystemName:
    """The answer, and the three facts it rests on."""

    name: str
    sys_platform: str
    os_name: str
    kernel: str

    def __str__(self) -> str:
        """Write the answer with its evidence."""
        return (
            f"{self.name} (sys.platform {self.sys_platform!r}, os.name {self.os_name!r}, "
            f"platform.system() {self.kernel!r})"
        )


def which_system() -> SystemName:
    """Ask the three sources, now: nothing is remembered from the import."""
    kernel = platform.system()
    name = _NAMES.get(sys.platform) or kernel or sys.platform
    return SystemName(name, sys.platform, os.name, kernel)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(prog="which_system", description="Say which system this is.")
    parser.add_argument("--verbose", action="store_true", help="show what the answer rests on")
    wanted = parser.parse_args(argv)
    system = which_system()
    print(system if wanted.verbose else system.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())

r"""Name the processor, from whatever this system has to say about it.

Exercise D9, the part that no library has: ``platform.processor()`` is empty on most Linux systems
and says ``i386`` or ``arm`` on macOS.

::

    Linux      /proc/cpuinfo: "model name", "Model" or "cpu model"; not there on every hardware
    macOS      sysctl -n machdep.cpu.brand_string
    BSD        sysctl -n hw.model
    Windows    the registry: …\CentralProcessor\0, ProcessorNameString; else the environment
    otherwise  what the platform module says

The traps it avoids: ``wmic``, which Windows has no more; a command that hangs, is missing, or
complains in the place of an answer; text cut at fixed columns.
"""

from __future__ import annotations

import platform
import re
import subprocess
import sys

CPUINFO = "/proc/cpuinfo"
_NAME_LINE = re.compile(r"^(?:model name|cpu model|Model)\s*:\s*(\S.*)$", re.MULTILINE)
_REGISTRY = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
_LIMIT = 5.0  # seconds; sysctl reads one value from the kernel


def processor_name(cpuinfo: str = CPUINFO) -> str | None:
    """Return the name of the first processor, or ``None`` if nothing tells.

    Args:
        cpuinfo: the file to read on Linux.
    """
    return _of_this_system(cpuinfo) or platform.processor() or platform.machine() or None


def _of_this_system(cpuinfo: str) -> str | None:
    if sys.platform.startswith("linux"):
        return _from_cpuinfo(cpuinfo)
    if sys.platform == "win32":
        return _from_registry()
    if sys.platform == "darwin":
        return _from_sysctl("machdep.cpu.brand_string")
    return _from_sysctl("hw.model")


def _from_cpuinfo(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            found = _NAME_LINE.search(file.read())
    except OSError:  # /proc is not mounted, as in some containers
        return None
    return found[1].strip() if found else None


def _from_sysctl(name: str) -> str | None:
    try:
        done = subprocess.run(
            ["sysctl", "-n", name],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_LIMIT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):  # missing; refused; or took too long
        return None
    return done.stdout.strip() or None


def _from_registry() -> str | None:
    try:
        import winreg  # noqa: PLC0415  # Windows only
    except ImportError:  # a Windows that a test pretends
        return None
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, _REGISTRY) as key:
            return str(winreg.QueryValueEx(key, "ProcessorNameString")[0]).strip() or None
    except OSError:  # the key is made at start-up by some drivers only
        return None

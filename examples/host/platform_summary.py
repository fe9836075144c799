"""Summarise the platform: system, distribution, C library, and how this Python was built.

Exercise D8.  A script: ``python platform_summary.py [--json]``.

The traps it avoids: a bare ``except`` around the distribution, which also hides a mistake in the
program; ``platform.linux_distribution``, which is gone; a kernel's version taken for the system's
(macOS 14 has Darwin 23); 32 bits of a Python on a machine of 64; empty texts, which is how
``platform`` says "unknown", shown as facts.
"""

from __future__ import annotations

import argparse
import json
import platform
import struct
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class PythonBuild:
    """How the interpreter was made.

    Attributes:
        implementation: ``CPython``, ``PyPy``, …
        version: such as ``3.13.0``.
        build: number or tag, and date, of the build.
        compiler: what compiled it.
        bits: of a pointer; the machine may have more.
        target: the platform it was built for.
    """

    implementation: str
    version: str
    build: tuple[str, str]
    compiler: str
    bits: int
    target: str


@dataclass(frozen=True, slots=True)
class PlatformSummary:
    """The machine and its system; ``None`` is what is unknown or does not exist there.

    Attributes:
        system: ``Linux``, ``Darwin``, ``Windows``, …
        release: of the kernel.
        version: of the kernel, with its build.
        machine: the type of the hardware.
        node: the host's name.
        distribution: the system's name and version as people know them.
        libc: the C library and its version, as the interpreter was linked with it.
        python: how the interpreter was made.
    """

    system: str
    release: str | None
    version: str | None
    machine: str | None
    node: str | None
    distribution: str | None
    libc: str | None
    python: PythonBuild


def platform_summary() -> PlatformSummary:
    """Ask the platform, now."""
    found = platform.uname()
    return PlatformSummary(
        system=found.system or sys.platform,
        release=found.release or None,
        version=found.version or None,
        machine=found.machine or None,
        node=found.node or None,
        distribution=distribution(),
        libc=" ".join(filter(None, platform.libc_ver())) or None,
        python=python_build(),
    )


def python_build() -> PythonBuild:
    """Say how the running interpreter was made."""
    return PythonBuild(
        implementation=platform.python_implementation(),
        version=platform.python_version(),
        build=platform.python_build(),
        compiler=platform.python_compiler(),
        bits=struct.calcsize("P") * 8,
        target=sysconfig.get_platform(),
    )


def distribution() -> str | None:
    """Name the system as people do, or ``None`` where nothing tells."""
    if release := platform.mac_ver()[0]:
        return f"macOS {release}"
    if release := platform.win32_ver()[0]:
        return f"Windows {release} ({platform.win32_ver()[1]})"
    try:
        return _pretty(platform.freedesktop_os_release())
    except OSError:  # no os-release: a BSD, or a container with little in it
        return None


def _pretty(release: Mapping[str, str]) -> str:
    # PRETTY_NAME and NAME have defaults by the specification of os-release.
    return release.get("PRETTY_NAME") or release.get("NAME") or "Linux"


def lines(summary: PlatformSummary) -> Iterator[str]:
    """Yield the summary for people, one fact a line; what is unknown is said to be."""
    python = summary.python
    yield f"system        {summary.system} {summary.release or ''}".rstrip()
    yield f"version       {summary.version or 'unknown'}"
    yield f"machine       {summary.machine or 'unknown'}"
    yield f"node          {summary.node or 'unknown'}"
    yield f"distribution  {summary.distribution or 'unknown'}"
    yield f"C library     {summary.libc or 'unknown'}"
    yield f"Python        {python.implementation} {python.version}, {python.bits} bits"
    yield f"build         {', '.join(filter(None, python.build))}; {python.compiler}"
    yield f"built for     {python.target}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; returns the exit status."""
    parser = argparse.ArgumentParser(prog="platform_summary", description="Summarise the platform.")
    parser.add_argument("--json", action="store_true", help="for programs instead of people")
    as_json = parser.parse_args(argv).json
    summary = platform_summary()
    print(json.dumps(asdict(summary), indent=2) if as_json else "\n".join(lines(summary)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What machines of other systems say about themselves: one consistent example of each.

Sources: the ``platform`` and ``sys`` documentation, and output of ``uname -a`` on such machines.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class PlatformFacts:
    """The answers of one machine, with ``{release}`` and ``{machine}`` where they belong."""

    name: str
    sys_platform: str
    system: str
    release: str
    machine: str
    version: str
    build_platform: str
    """What ``sysconfig.get_platform()`` says."""
    processor: str = ""
    os_name: str = "posix"
    linkage: str = "ELF"
    """The executable format, as ``platform.architecture()`` names it."""
    libc: tuple[str, str] = ("", "")
    mac_release: str = ""
    windows_build: tuple[int, int, int] | None = None
    os_release: dict[str, str] = field(default_factory=dict)
    """The content of os-release; empty where there is no such file."""

    def filled(self) -> PlatformFacts:
        """Return the facts with release and machine in the texts that mention them."""
        words = {"release": self.release, "machine": self.machine.lower()}
        return replace(
            self,
            version=self.version.format(**words),
            build_platform=self.build_platform.format(**words).lower(),
        )


_DEBIAN = {
    "NAME": "Debian GNU/Linux",
    "ID": "debian",
    "VERSION_ID": "12",
    "VERSION_CODENAME": "bookworm",
    "PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)",
}

_MACHINES = (
    PlatformFacts("windows", "win32", "Windows", "10", "AMD64", "10.0.19045", "win-{machine}",
                  processor="Intel64 Family 6 Model 158 Stepping 10, GenuineIntel", os_name="nt",
                  linkage="WindowsPE", windows_build=(10, 0, 19045)),
    PlatformFacts("linux", "linux", "Linux", "6.1.0-18-amd64", "x86_64",
                  "#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1", "linux-{machine}",
                  libc=("glibc", "2.36"), os_release=_DEBIAN),
    PlatformFacts("macos", "darwin", "Darwin", "23.4.0", "arm64", "Darwin Kernel Version {release}",
                  "macosx-14.0-{machine}", processor="arm", linkage="", mac_release="14.4"),
    PlatformFacts("freebsd", "freebsd14", "FreeBSD", "14.0-RELEASE", "amd64",
                  "FreeBSD {release} GENERIC", "freebsd-{release}-{machine}", processor="amd64"),
    PlatformFacts("openbsd", "openbsd7", "OpenBSD", "7.4", "amd64", "GENERIC.MP#1397",
                  "openbsd-{release}-{machine}", processor="amd64"),
    PlatformFacts("netbsd", "netbsd10", "NetBSD", "10.0", "amd64", "NetBSD {release} (GENERIC)",
                  "netbsd-{release}-{machine}", processor="x86_64"),
    PlatformFacts("solaris", "sunos5", "SunOS", "5.11", "i86pc", "11.4.0.15.0",
                  "solaris-2.11-i86pc", processor="i386"),
    PlatformFacts("cygwin", "cygwin", "CYGWIN_NT-10.0-19045", "3.4.10-1.x86_64", "x86_64",
                  "2023-11-29 12:12 UTC", "cygwin-3.4.10-{machine}", linkage="WindowsPE"),
)  # fmt: skip
_BY_NAME = {facts.name: facts for facts in _MACHINES}
_OTHER_NAMES = {facts.sys_platform: facts.name for facts in _MACHINES}


def platform_names() -> list[str]:
    """List the systems that can be faked."""
    return sorted(_BY_NAME)


def find_facts(name: str, machine: str | None, release: str | None) -> PlatformFacts:
    """Return the facts of a system, by its name or by what ``sys.platform`` is there.

    Raises:
        TypeError, ValueError: no such system; the message lists those there are.
    """
    facts = _BY_NAME.get(_OTHER_NAMES.get(name, name)) if isinstance(name, str) else None
    if facts is None:
        error = ValueError if isinstance(name, str) else TypeError
        raise error(f"fake_platform({name!r}): it takes one of {', '.join(platform_names())}")
    for what, value in (("machine", machine), ("release", release)):
        if value is not None and (not isinstance(value, str) or not value):
            raise ValueError(f"fake_platform({name!r}): {what} is {value!r}; it takes text")
    return replace(
        facts, machine=machine or facts.machine, release=release or facts.release
    ).filled()

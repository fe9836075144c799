"""Let code under test believe that it runs on another system.

    code under test ──▶ sys, os, platform, sysconfig: the fake
    stdlib, pytest  ──▶ their own `sys` and `os`, swapped for truthful ones: this machine

So ``pathlib``, ``tempfile``, ``subprocess`` and pytest go on working while ``os.name`` says "nt".
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from types import ModuleType, TracebackType
from typing import Any, NamedTuple, NoReturn

from .platform_facts import PlatformFacts, find_facts
from .truthful_modules import shields

_ABSENT = object()
_FAKED: dict[ModuleType, tuple[str, ...]] = {os: ("name", "uname"), sys: ("platform",)}
# They choose their system when they are imported, so they come first; costs once about 0.1 s.
_IMPORTED_FIRST = (
    "asyncio",
    "concurrent.futures",
    "ctypes.util",
    "getpass",
    "http.server",
    "logging.handlers",
    "multiprocessing.connection",
    "multiprocessing.managers",
    "multiprocessing.pool",
    "pathlib",
    "shutil",
    "subprocess",
    "tarfile",
    "tempfile",
    "urllib.request",
    "uuid",
    "zipfile",
)


def fake_platform(
    name: str, *, machine: str | None = None, release: str | None = None
) -> FakedPlatform:
    """Pretend, for the length of a ``with`` block, to be on another system.

    ``sys.platform``, ``os.name``, ``os.uname`` (gone on Windows), ``sys.getwindowsversion`` (there
    on Windows), ``sysconfig.get_platform`` and the functions of ``platform`` about the system then
    agree with each other.  The host name stays.

        >>> import sys, platform
        >>> with fake_platform("windows"):
        ...     sys.platform, platform.system(), platform.platform()
        ('win32', 'Windows', 'Windows-10-10.0.19045-SP0')

    What it cannot do: ``os.sep``, ``os.path`` and ``pathlib.Path`` stay this machine's (ask
    ``ntpath`` and ``PureWindowsPath`` for another's), no function of the other system appears in
    ``os`` or becomes importable, and none of this one's disappears.  The standard library and
    pytest act as on the true machine.  Names bound before (``from sys import platform``), decisions
    taken at import, and child processes see the true machine too.

    Args:
        name: windows, linux, macos, freebsd, openbsd, netbsd, solaris or cygwin; also the value of
            ``sys.platform`` there.
        machine: another hardware name, such as ``"arm64"``.
        release: another release of the system's kernel.

    Raises:
        ValueError: the name is unknown; lists those that are not.
    """
    return FakedPlatform(find_facts(name, machine, release))


class FakedPlatform:
    """One pretence: a context manager that can also be started and stopped by hand."""

    _started: list[FakedPlatform] = []  # noqa: RUF012  # the process has one platform: shared on purpose

    def __init__(self, facts: PlatformFacts) -> None:
        self.facts = facts
        self._undo: list[tuple[ModuleType, str, object]] = []

    def __enter__(self) -> FakedPlatform:  # noqa: PYI034  # Self needs Python 3.11
        if self not in self._started:
            self.start()
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to pretend (``RuntimeError`` if it has begun)."""
        if self in self._started:
            raise RuntimeError(f"fake_platform({self.facts.name!r}) has been started before")
        for name in _IMPORTED_FIRST:
            with suppress(ImportError):  # a Python built without it
                importlib.import_module(name)
        self._started.append(self)
        try:
            for owner, name, value in [*shields(_FAKED, __name__), *_pretences(self.facts)]:
                self._swap(owner, name, value)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it; once is enough, twice is fine.

        Raises:
            RuntimeError: another pretence, begun later, still holds; nothing was ended.
        """
        if self not in self._started:
            return
        if (last := self._started[-1]) is not self:
            raise RuntimeError(
                f"fake_platform({self.facts.name!r}) cannot end while fake_platform("
                f"{last.facts.name!r}), begun after it, still holds; end that one first"
            )
        self._started.pop()
        while self._undo:
            _put(*self._undo.pop())

    def _swap(self, owner: ModuleType, name: str, value: object) -> None:
        self._undo.append((owner, name, vars(owner).get(name, _ABSENT)))
        _put(owner, name, value)


class FakePlatform:
    """Fake the platform by calls that hold until the end of a test.

    >>> with FakePlatform() as fake:
    ...     _ = fake("macos")  # from here on
    ...     with fake("linux"):  # or for a block
    ...         pass
    ...     sys.platform
    'darwin'
    """

    def __init__(self) -> None:
        self._started: list[FakedPlatform] = []

    def __enter__(self) -> FakePlatform:  # noqa: PYI034  # Self needs Python 3.11
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._started:
            self._started.pop().stop()

    def __call__(
        self, name: str, *, machine: str | None = None, release: str | None = None
    ) -> FakedPlatform:
        """Pretend from now on; see ``fake_platform``.  As a ``with`` block: until its end."""
        faked = fake_platform(name, machine=machine, release=release)
        faked.start()
        self._started.append(faked)
        return faked


def _put(owner: ModuleType, name: str, value: object) -> None:
    if value is not _ABSENT:
        setattr(owner, name, value)
    elif name in vars(owner):
        delattr(owner, name)


class _WindowsVersion(NamedTuple):
    """What ``sys.getwindowsversion()`` returns, the part that is a tuple."""

    major: int
    minor: int
    build: int
    platform: int = 2  # VER_PLATFORM_WIN32_NT, the only one Python runs on
    service_pack: str = ""


def _pretences(facts: PlatformFacts) -> Iterator[tuple[ModuleType, str, object]]:
    """Yield what each module must say.  ``platform.system()`` and friends ask ``uname``."""
    windows = facts.windows_build
    yield sys, "platform", facts.sys_platform
    yield os, "name", facts.os_name
    yield os, "uname", _ABSENT if windows else _always(_os_uname(facts))
    version = _WindowsVersion(*windows) if windows else None
    yield sys, "getwindowsversion", _always(version) if version else _ABSENT
    yield sysconfig, "get_platform", _always(facts.build_platform)
    yield from ((platform, name, value) for name, value in _platform_module(facts).items())


def _platform_module(facts: PlatformFacts) -> dict[str, object]:
    uname = _uname(facts)
    answers: dict[str, object] = {
        "uname": _always(uname),
        "architecture": _always(("64bit", facts.linkage)),
        "libc_ver": _always(facts.libc),
        "mac_ver": _always(
            (facts.mac_release, ("", "", ""), facts.machine if facts.mac_release else "")
        ),
        "win32_ver": _always(_win32_ver(facts)),
        "win32_edition": _always("Professional" if facts.windows_build else None),
        "win32_is_iot": _always(False),
        "freedesktop_os_release": _os_release(facts),
    }
    # Functions imported by name before remember their first answer in these; later they may not
    # remember ours.
    caches: dict[str, object] = {"_uname_cache": uname, "_platform_cache": {}}
    return answers | {name: value for name, value in caches.items() if name in vars(platform)}


def _uname(facts: PlatformFacts) -> platform.uname_result:
    """Build the tuple of ``platform.uname()``; the processor is looked up late, so set it."""
    result = platform.uname_result(
        facts.system, platform.node(), facts.release, facts.version, facts.machine
    )
    vars(result)["processor"] = facts.processor
    return result


def _os_uname(facts: PlatformFacts) -> object:
    kind: Any = getattr(os, "uname_result", tuple)  # Windows has no such type
    return kind((facts.system, platform.node(), facts.release, facts.version, facts.machine))


def _win32_ver(facts: PlatformFacts) -> tuple[str, str, str, str]:
    if not facts.windows_build:
        return ("", "", "", "")
    return (facts.release, ".".join(map(str, facts.windows_build)), "SP0", "Multiprocessor Free")


def _always(answer: object) -> Any:
    def answers(*_args: object, **_kwargs: object) -> object:
        return answer

    return answers


def _os_release(facts: PlatformFacts) -> Any:
    def refuses() -> NoReturn:
        raise OSError(f"unable to read files: {facts.system} has no os-release")

    return (lambda: dict(facts.os_release)) if facts.os_release else refuses

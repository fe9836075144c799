"""Swap the environment of this process for a known one, and back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_syskit.host.files.c_environment import c_environment
from pytest_syskit.host.real import real

from ..workspace.private_directory import make_private_directory
from ..workspace.remove_tree import remove_after
from .environment_variable import follow
from .stub_command import StubFolder
from .stub_plan import system_path

SURVIVORS = (
    "PYTEST_CURRENT_TEST",  # pytest removes it after each phase, and code asks whether it is tested
    "PYTEST_VERSION",  # how code is told to ask whether it runs under pytest
    "PYTEST_XDIST_*",  # names the worker
    "COVERAGE_*",  # coverage of children
    "COV_*",  # the same, by pytest-cov
    "SYSKIT_*",  # our own options
    "LD_LIBRARY_PATH",  # without these a Python that is not installed system-wide may not start
    "DYLD_LIBRARY_PATH",
    "SYSTEMROOT",  # without these Windows starts no program, or not by the names that people use
    "SYSTEMDRIVE",
    "WINDIR",
    "COMSPEC",
    "PATHEXT",
)
"""Variables (patterns) that stay: whoever runs the tests needs them, in this process or a child."""

_NOT_OURS = ("PYTEST_CURRENT_TEST",)  # changes while we are active; never put back
_FOLDERS = {
    "HOME": "home",
    "TMPDIR": "tmp",
    "XDG_CONFIG_HOME": "home/.config",
    "XDG_CACHE_HOME": "home/.cache",
    "XDG_DATA_HOME": "home/.local/share",
    "XDG_STATE_HOME": "home/.local/state",
    "XDG_RUNTIME_DIR": "run",
}
_TREE = (
    "home",
    "home/.config",
    "home/.cache",
    "home/.local",
    "home/.local/share",
    "home/.local/state",
    "tmp",
    "run",
)  # parents first
# Windows' names for such places, set where the machine has them.
_OTHER_NAMES = {
    "USERPROFILE": "home",
    "APPDATA": "home/.config",
    "LOCALAPPDATA": "home/.local/share",
    "TEMP": "tmp",
    "TMP": "tmp",
}
_VALUES = {"LANG": "C.UTF-8", "TZ": "UTC"}


class HermeticEnvironment:
    """One stay in a fake environment: what was before, and the private directory."""

    def __init__(self) -> None:
        self._pid = real.getpid()
        self._environ, self._environb = os.environ, getattr(os, "environb", None)
        self._before = dict(os.environ)
        self._c_only = {
            name: value
            for name, value in c_environment().items()
            if os.fsdecode(name) not in self._before
        }
        self._tempdir = tempfile.tempdir
        self.root = make_private_directory(tempfile.gettempdir(), "syskit-env-")
        self.path_before = self._before.get("PATH", "")
        try:
            self._make_folders()
        except BaseException as error:
            remove_after(self.root, error)
            raise

    def _make_folders(self) -> None:
        for folder in _TREE:
            real.mkdir(os.path.join(self.root, folder))
            real.chmod(os.path.join(self.root, folder), 0o700)  # whatever the umask is
        # Only root can become somebody else, who must then reach the stubs and nothing more.
        shared = hasattr(os, "geteuid") and os.geteuid() == 0
        self.stubs = StubFolder(Path(self.root, "stubs"), shared=shared)
        if shared:
            real.chmod(self.root, 0o711)

    def replace_all(self, keep: tuple[str, ...], extra: Mapping[str, str]) -> None:
        """Make the environment what a FakeEnv promises."""
        before = self._before
        staying = {name for name in before if _matches(name, (*SURVIVORS, *keep)) or not name}
        for name in set(before) - staying:
            del os.environ[name]
        for c_name in self._c_only:
            if not _matches(os.fsdecode(c_name), (*SURVIVORS, *keep)):
                os.unsetenv(c_name)
        places = {name: folder for name, folder in _OTHER_NAMES.items() if name in before}
        values = {name: os.path.join(self.root, at) for name, at in {**_FOLDERS, **places}.items()}
        values.update(_VALUES)
        path = self.path_before if "PATH" in staying and self.path_before else system_path()
        os.environ.update({name: values[name] for name in values if name not in staying})
        os.environ["PATH"] = os.pathsep.join([os.fspath(self.stubs.bin), path])
        os.environ.update(extra)
        follow()

    def end(self, error: BaseException | None) -> None:
        """Put the environment back, then remove the private directory."""
        self._restore()
        if real.getpid() != self._pid:
            return  # a forked child leaves through here: the directory is its parent's
        try:
            self.stubs.log.keep()
        finally:
            remove_after(self.root, error)

    def _restore(self) -> None:
        os.environ = self._environ  # noqa: B003  # code under test may have put a dict there
        if self._environb is not None:
            os.environb = self._environb
        for name in [*os.environ]:
            if name and name not in self._before and name not in _NOT_OURS:
                del os.environ[name]
        for name, value in self._before.items():
            if name and name not in _NOT_OURS:
                os.environ[name] = value  # also those that look right: os.putenv does not show
        self._restore_c_level()
        follow(self._tempdir)

    def _restore_c_level(self) -> None:
        """Put back what ``os.environ`` never held, and remove what it does not hold."""
        for name in c_environment().keys() - self._c_only.keys():
            if os.fsdecode(name) not in os.environ:
                os.unsetenv(name)
        for name, value in self._c_only.items():
            os.putenv(name, value)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)

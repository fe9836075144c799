"""A known environment instead of the one that the tests were started in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from .environment_variable import check_value, check_variable, write_variable
from .hermetic_environment import HermeticEnvironment
from .stub_command import Call, StubCommand
from .stub_guard import UnexpectedCommand, commands_on, guard_plan, link_allowed, unexpected_text
from .stub_plan import check_name, make_plan, system_path

if TYPE_CHECKING:
    from .stub_plan import OneOrMany


class FakeEnv(Mapping[str, str]):
    """Give the process, and every child it starts, a hermetic environment.

    HOME, TMPDIR and the XDG directories exist inside a private directory, PATH is a private ``bin``
    for stubs and then the system's standard path (``CS_PATH``), LANG is ``C.UTF-8``, TZ is ``UTC``;
    all else is gone but for ``hermetic_environment.SURVIVORS``.  ``os.environ`` is changed in
    place, so C code and children see the same; ``tempfile`` and the time zone follow.  On exit the
    variables are exactly those of before, whoever wrote them meanwhile, except PYTEST_CURRENT_TEST,
    which is pytest's to change.  Environments nest, and end innermost first.

    It does not call ``setlocale``.  What remembers a directory for the whole process must do so
    before: multiprocessing its temporary directory, pytest the base of ``tmp_path``.

    Reads like a mapping of the variables as they are now:

        >>> with FakeEnv(extra={"PORT": "8080"}) as env:
        ...     env["TZ"], env["PORT"], "SHELL" in env
        ('UTC', '8080', False)

    Args:
        keep: names or patterns (``LC_*``) of variables that keep the values they have; with
            ``"PATH"`` the path of before follows the private ``bin``.
        extra: variables to set besides.
    """

    def __init__(
        self,
        *,
        keep: Iterable[str] = (),
        extra: Mapping[str, str | os.PathLike[str]] | None = None,
    ) -> None:
        if isinstance(keep, str):
            raise TypeError(f"keep takes names of variables, such as ({keep!r},), not one text")
        self._keep = tuple(check_variable("keep", name) for name in keep)
        self._extra = {
            check_variable("extra", name): check_value("extra", name, value)
            for name, value in (extra or {}).items()
        }
        self._session: HermeticEnvironment | None = None
        self._used = False
        self._guard: StubCommand | None = None
        self._stubs: dict[str, StubCommand] = {}

    def __enter__(self) -> FakeEnv:  # noqa: PYI034  # Self needs Python 3.11
        if self._used:
            raise RuntimeError("this FakeEnv was entered before; make a new one for each `with`")
        self._used = True
        self._session = session = HermeticEnvironment()
        try:
            session.replace_all(self._keep, self._extra)
        except BaseException as error:
            self._end(error)
            raise
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end(error)
        if error is None:
            self.check_commands()

    def _end(self, error: BaseException | None) -> None:
        session, self._session = self._active, None
        session.end(error)

    @property
    def _active(self) -> HermeticEnvironment:
        if self._session is None:
            raise RuntimeError("this FakeEnv is not active: use it as `with FakeEnv() as env:`")
        return self._session

    @property
    def path(self) -> Path:
        """The private directory that holds home, temporary files and stubs."""
        return Path(self._active.root)

    @property
    def home(self) -> Path:
        """The home directory made for this environment, whatever HOME says now."""
        return self.path / "home"

    @property
    def bin(self) -> Path:
        """The directory of the stubs, first on PATH."""
        return self.path / "stubs" / "bin"

    def __getitem__(self, name: str) -> str:
        return os.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)

    def set(self, name: str, value: str | os.PathLike[str]) -> None:
        """Set a variable (``ValueError`` for a name or value that no environment can hold)."""
        _ = self._active  # refuses outside of the `with`
        write_variable(check_variable("set", name), check_value("set", name, value))

    def unset(self, name: str) -> None:
        """Remove a variable; one that is not there is no error."""
        _ = self._active  # refuses outside of the `with`
        if check_variable("unset", name) in os.environ:
            write_variable(name, None)

    def prepend_path(self, directory: str | os.PathLike[str]) -> None:
        """Put a directory at the front of PATH, before the stubs; it need not exist yet."""
        front = os.path.abspath(directory)
        if os.pathsep in front:
            raise ValueError(f"prepend_path({front!r}): PATH cannot hold a {os.pathsep!r}")
        rest = os.environ.get("PATH")
        self.set("PATH", os.pathsep.join([front, rest] if rest else [front]))

    def stub_command(
        self,
        name: str,
        *,
        stdout: OneOrMany = b"",
        stderr: OneOrMany = b"",
        exit_code: OneOrMany = 0,
        script: str | None = None,
        delay: OneOrMany = 0,
        signal: OneOrMany = None,
        stdin_patience: float | None = 1.0,
    ) -> StubCommand:
        r"""Put a stand-in for a command on PATH; it records each call, whoever makes it.

        Each of stdout, stderr, exit_code, delay and signal is a value, or a sequence with a value
        for each call, of which the last one repeats.  The stand-in records the call, reads stdin,
        waits, writes, and ends.  Stubbing a name again replaces its part.

            >>> import subprocess
            >>> with FakeEnv() as env:
            ...     ping = env.stub_command("ping", stdout="pong\n", exit_code=[0, 1])
            ...     result = subprocess.run(["ping", "-c", "1"], stdin=subprocess.DEVNULL)
            >>> ping.calls[0].argv
            ['ping', '-c', '1']

        It cannot replace a program that is called by its full path.  A caller who gave up root
        needs to reach the Python that runs the tests.

        Args:
            name: the command, without directories.
            stdout: text (UTF-8) or bytes to write.
            stderr: the same for the other stream.
            exit_code: 0 to 255.
            script: text for ``sh -c``, which takes over after the output, with the real arguments
                and the stdin that was read; it ends with its own status.
            delay: seconds before the output.
            signal: the signal to die by instead of ending, e.g. ``signal.SIGSEGV``.
            stdin_patience: seconds of silence after which an open stdin is read no further; None
                leaves stdin alone.  A terminal is never read, a file without moving its offset, at
                most 8 MiB and 30 seconds from anything else.

        Raises:
            TypeError, ValueError: an argument is not what it should be; names it.
            NotImplementedError: this machine runs no ``#!`` programs.
        """
        plan = make_plan(
            check_name(name),
            stdout=stdout,
            stderr=stderr,
            exit_code=exit_code,
            delay=delay,
            signal=signal,
            script=script,
            stdin_patience=stdin_patience,
        )
        self._stubs[name] = stub = self._active.stubs.install(name, plan)
        return stub

    def forbid_others(self, allow: Iterable[str] = ()) -> None:
        """Leave only stubs on PATH, and commands named in ``allow``.

        Every other command of this machine is replaced by a guard that records the call and says
        so with exit status 127; ``check_commands()`` and the end of the environment raise for it.
        ``shutil.which`` finds the guards.  A command that the machine does not have fails as ever,
        in its caller's words; and a program called by its full path runs.

        Raises:
            FileNotFoundError: the machine has no command of a name in ``allow``.
        """
        if isinstance(allow, str):
            raise TypeError(f"allow takes names of commands, such as ({allow!r},), not one text")
        session = self._active
        everywhere = os.pathsep.join([session.path_before, system_path()])
        link_allowed(self.bin, list(allow), everywhere)
        names = sorted(commands_on(everywhere))
        folder = self.path / "stubs" / "guards"
        self._guard = session.stubs.install_guard(folder, names, guard_plan())
        self.set("PATH", os.pathsep.join([os.fspath(self.bin), os.fspath(folder)]))

    @property
    def unexpected_calls(self) -> list[Call]:
        """The calls that guards recorded since ``forbid_others()``."""
        return [] if self._guard is None else self._guard.calls

    def check_commands(self) -> None:
        """Raise for calls of commands that ``forbid_others`` forbids.

        Raises:
            UnexpectedCommand: an ``AssertionError`` that lists them and what is stubbed.
        """
        if calls := self.unexpected_calls:
            raise UnexpectedCommand(unexpected_text(calls, sorted(self._stubs)))

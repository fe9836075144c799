"""Executable stand-ins for commands, and the log of their calls.

caller (shell, subprocess, exec, any language)
   │ exec "ping"                                    test
   ▼                                                 │
bin/ping (stub_script.py) ── locked append ──▶ log ──┘ StubCommand.calls
"""

from __future__ import annotations

import ast
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pytest_syskit.host.real import read_file, real

from .stub_plan import Plan, check_name, create_file, find_shell, quoted, render, write_executable

_POLL = 0.01  # seconds between looks at the log: starting a stand-in takes about twice as long
_WHOLE_LOG = 1 << 32  # bytes; more calls than any test makes


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a stub, as its process saw it.

    Text is decoded the way ``os`` does it: ``os.fsencode`` gives back the exact bytes.
    """

    argv: list[str]
    """The command's name and its arguments (the name as stubbed, by whatever path it was found)."""
    stdin: bytes
    """What was read from stdin."""
    stdin_state: Literal["reading", "whole", "cut short", "unread"]
    """``reading`` while it still goes on, ``cut short`` at silence or the limit, ``unread`` for a
    terminal or on request."""
    env: dict[str, str]
    """The environment that the caller passed."""
    cwd: str
    """The working directory; empty when it had been removed."""
    pid: int
    parent_pid: int


class CallLog:
    """The file into which every stand-in of one environment writes a line for each event."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._kept: bytes | None = None

    def keep(self) -> None:
        """Hold on to what the file says, before it goes away with its directory."""
        try:
            self._kept = read_file(self.path, _WHOLE_LOG)
        except FileNotFoundError:
            self._kept = b""  # code under test removed it: nothing is known of any call

    def calls(self, stub: int) -> list[Call]:
        """List the calls of one stub in the order in which they began."""
        text = read_file(self.path, _WHOLE_LOG) if self._kept is None else self._kept
        found: dict[int, Call] = {}
        for line in text.splitlines(keepends=True):
            entry = _parse(line)
            if entry and entry[1] == stub:
                _enter(found, entry)
        return list(found.values())


def _parse(line: bytes) -> tuple[Any, ...]:
    """Read one line; a line cut off by the death of its writer is empty."""
    try:
        return tuple(ast.literal_eval(line.decode("ascii"))) if line.endswith(b"\n") else ()
    except (SyntaxError, ValueError):
        return ()  # killed in the midst of writing, and closed by the next writer


def _enter(found: dict[int, Call], entry: tuple[Any, ...]) -> None:
    kind, _, turn, *rest = entry
    if kind == "call":
        arguments, environment, cwd, pid, parent_pid = rest
        env = {os.fsdecode(name): os.fsdecode(value) for name, value in environment.items()}
        argv = list(map(os.fsdecode, arguments))
        found[turn] = Call(argv, b"", "reading", env, os.fsdecode(cwd), pid, parent_pid)
    elif turn in found:
        found[turn] = replace(found[turn], stdin=rest[0], stdin_state=rest[1])


class StubCommand:
    """A stand-in on PATH and the record of its calls, whoever makes them.

    Calls are recorded whole and in the order in which they began, also when several processes
    call at once.  They can be read while the stand-in runs and after the environment has ended.
    """

    def __init__(self, name: str, path: Path, number: int, log: CallLog) -> None:
        self.name = name
        self.path = path
        self._number = number
        self._log = log

    def __repr__(self) -> str:
        return f"<StubCommand {self.name!r} at {os.fspath(self.path)!r}>"

    @property
    def calls(self) -> list[Call]:
        """The calls so far, read anew each time."""
        return self._log.calls(self._number)

    def wait_for_calls(self, count: int = 1, timeout: float = 5.0) -> list[Call]:
        """Wait until ``count`` calls were made and their stdin was read; return all of them.

        Raises:
            TimeoutError: ``timeout`` seconds went by; the message lists the calls there were.
        """
        end = real.monotonic() + timeout
        while True:
            calls = self.calls
            if sum(call.stdin_state != "reading" for call in calls) >= count:
                return calls
            if real.monotonic() >= end:
                raise TimeoutError(self._too_few(calls, count, timeout))
            real.sleep(_POLL)

    def _too_few(self, calls: list[Call], count: int, timeout: float) -> str:
        made = "".join(f"\n  {quoted(call.argv)}  ({call.stdin_state})" for call in calls)
        return (
            f"{self.name!r} was called {len(calls)} of {count} times within {timeout:g} s"
            f"{made}\nthe stand-in is {os.fspath(self.path)!r}: does the caller search PATH?"
        )


class StubFolder:
    """The directory where stand-ins live together with their log.

    With ``shared`` also processes of other users may run them, for tests that give up root.
    """

    def __init__(self, folder: Path, *, shared: bool) -> None:
        self.bin = folder / "bin"
        self._folder, self._shared, self._number = folder, shared, 0
        self._spool = folder / "spool"
        self._make_folder(folder)
        self._make_folder(self.bin)
        self._make_folder(self._spool)
        if shared:
            real.chmod(self._spool, 0o1733)  # anyone adds, nobody lists or removes another's
        self.log = CallLog(self._make_record("log"))

    def _make_folder(self, path: Path) -> None:
        real.mkdir(path)
        real.chmod(path, 0o711 if self._shared else 0o700)

    def _make_record(self, name: str) -> str:
        path = os.fspath(self._folder / name)
        create_file(path, 0o666 if self._shared else 0o600)
        return path

    def install(self, name: str, plan: Plan) -> StubCommand:
        """Put a stand-in into ``bin``, in place of one of the same name."""
        path = self.bin / check_name(name)
        return self._write(name, path, plan, fixed_name=name)

    def install_guard(self, folder: Path, names: list[str], plan: Plan) -> StubCommand:
        """Make one stand-in answer to many names, each of which it records as called."""
        program = self._folder / "guard"
        guard = self._write("guard", program, plan, fixed_name=None)
        self._make_folder(folder)
        for name in names:
            _also_named(os.fspath(program), os.path.join(folder, name))
        return guard

    def _write(self, name: str, path: Path, plan: Plan, fixed_name: str | None) -> StubCommand:
        self._number += 1
        turns = self._make_record(f"turns-{self._number}")
        files = {
            "log": self.log.path,
            "turns": turns,
            "spool": os.fspath(self._spool),
            "shell": find_shell(),
        }
        configuration = {"stub": self._number, "name": fixed_name, "files": files, **asdict(plan)}
        mode = 0o755 if self._shared else 0o700
        draft = os.fspath(self._folder / "draft")
        write_executable(os.fspath(path), render(configuration), mode, draft)
        return StubCommand(name, path, self._number, self.log)


def _also_named(program: str, path: str) -> None:
    """Give a program a second name: a hard link, which is made 30 times faster than a soft one."""
    try:
        real.link(program, path)
    except OSError:
        real.symlink(program, path)  # a file system without hard links, or no more of them

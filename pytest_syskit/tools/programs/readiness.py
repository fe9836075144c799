r"""When a started program is ready: the ``ready=`` of a process factory.

=========================  ===================================================================
``"listening on \d+"``     a regular expression, found anywhere in what it wrote (``^`` and ``$``
                           match at line ends; ``re.escape`` a text that has special characters)
``re.compile(...)``        the same with flags of your own
``8080``                   somebody listens on this TCP port of this machine
``("127.0.0.1", 8080)``    a connection to this address succeeds (the program sees it come and go)
``Path("server.sock")``    the path exists; if it is a UNIX socket, it takes connections
a callable                 it returns something true; ``OSError`` means "not yet".  It is called
                           with the program if it takes an argument, and must not block
``[..., ...]``             all of them (a list: a tuple is an address)
=========================  ===================================================================
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable
from typing import Any, Protocol

from .ready_addresses import AddressAnswers, PathReady, PortListens, checked_port


class Watched(Protocol):
    """What a condition may look at; ``StartedProcess`` is one."""

    @property
    def stdout(self) -> str:
        """Everything written to standard output so far."""

    @property
    def stderr(self) -> str:
        """Everything written to standard error so far."""


class Condition(Protocol):
    """One thing that must hold before a program counts as ready."""

    def refuse_early(self) -> None:
        """Raise ``ProcessNotStarted`` when it holds before the start: then it tells nothing."""

    def holds(self, program: Watched) -> bool:
        """Look once, without blocking."""

    def lack(self) -> str:
        """Say what is missing, as a sentence without its full stop."""


def conditions(ready: object) -> list[Condition]:
    """Turn a ``ready=`` into conditions (``TypeError`` or ``ValueError`` for what is none)."""
    if ready is None:
        return []
    if isinstance(ready, list):
        return [condition for each in ready for condition in conditions(each)]
    return [_condition(ready)]


def _condition(ready: object) -> Condition:
    if isinstance(ready, (str, re.Pattern)):
        return Wrote(compiled(ready))
    if isinstance(ready, os.PathLike):
        return PathReady(os.fspath(ready))
    if isinstance(ready, int) and not isinstance(ready, bool):
        return PortListens(checked_port(ready))
    if isinstance(ready, tuple) and [type(part) for part in ready] == [str, int]:
        return AddressAnswers(ready[0], checked_port(ready[1]))
    if callable(ready):
        return Holds(ready)
    raise TypeError(
        "ready must be a regular expression, a TCP port, a (host, port) tuple, a path object, "
        f"a callable or a list of these, got {ready!r}"
    )


def compiled(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    """Return a pattern for text (``TypeError`` for bytes, ``ValueError`` for a broken one)."""
    if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
        return pattern
    if not isinstance(pattern, str):
        raise TypeError(f"a pattern must be a str or a compiled str pattern, got {pattern!r}")
    try:
        return re.compile(pattern, re.MULTILINE)
    except re.error as error:
        raise ValueError(
            f"{pattern!r} is no regular expression: {error}; re.escape() makes one of plain text"
        ) from error


class Wrote:
    """The program wrote something that matches."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def refuse_early(self) -> None:
        """Accept: a program that does not run has written nothing."""

    def holds(self, program: Watched) -> bool:
        """Search both streams."""
        return any(self._pattern.search(text) for text in (program.stdout, program.stderr))

    def lack(self) -> str:
        """Name the pattern."""
        return f"nothing it wrote matches {self._pattern.pattern!r}"


class Holds:
    """A callable returns something true."""

    def __init__(self, question: Callable[..., Any]) -> None:
        self._question = question
        self._takes_program = not _callable_with_nothing(question)
        self._outcome = "was never asked"

    def refuse_early(self) -> None:
        """Accept: what it asks may need the program."""

    def holds(self, program: Watched) -> bool:
        """Ask once."""
        return bool(self.answer(program))

    def answer(self, program: Watched) -> Any:
        """Ask once, and return the answer; ``None`` when it is an ``OSError``."""
        try:
            answer = self._question(program) if self._takes_program else self._question()
        except OSError as error:  # what clients raise while a server is not up yet
            self._outcome = f"raised {error!r}"
            return None
        self._outcome = f"returned {answer!r}"
        return answer

    def lack(self) -> str:
        """Name the callable and its last outcome."""
        name = getattr(self._question, "__qualname__", repr(self._question))
        return f"{name} {self._outcome}"


def _callable_with_nothing(question: Callable[..., Any]) -> bool:
    try:
        inspect.signature(question).bind()
    except TypeError:
        return False
    except ValueError:
        return True  # built in, and does not tell its signature
    return True

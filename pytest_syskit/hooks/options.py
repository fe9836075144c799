"""The options: one table, from which command line, ini keys and environment variables follow."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import pytest

from ..leaks.kinds import KINDS
from .option_values import (
    MODES,
    REAPING,
    Refused,
    kinds,
    lines,
    one_of,
    path,
    report_paths,
    seconds,
    switch,
    times,
)

if TYPE_CHECKING:
    from typing import TypeAlias

    IniType: TypeAlias = Literal["string", "args", "linelist", "bool", "float", "int"]


class Option(NamedTuple):
    """One option in its three spellings: ``--syskit-x-y``, ``syskit_x_y``, ``SYSKIT_X_Y``."""

    name: str
    ini: IniType
    default: object
    help: str
    parse: Callable[[Any], object]
    metavar: str = "VALUE"
    flag: bool = False
    negatable: bool = False
    many: bool = False

    @property
    def key(self) -> str:
        """The ini key and the command line's destination."""
        return "syskit_" + self.name.replace("-", "_")

    @property
    def switch(self) -> str:
        """The spelling on the command line."""
        return "--syskit-" + self.name

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.key.upper()


OPTIONS = (
    Option(
        "leaks",
        "string",
        "warn",
        "what a leak does: off, warn (default) or fail",
        one_of(*MODES),
        "off|warn|fail",
    ),
    Option(
        "leak-kinds",
        "args",
        ("process", "fd"),
        f"kinds of leaks to detect: {', '.join(KINDS)}, or all",
        kinds,
        "KIND,…",
    ),
    Option(
        "leak-grace",
        "float",
        0.2,
        "seconds that something which is already ending may take (default 0.2)",
        seconds,
        "SECONDS",
    ),
    Option(
        "leak-ignore",
        "linelist",
        (),
        "'kind:pattern  # reason' of resources that are meant to stay; repeatable",
        lines,
        "RULE",
        many=True,
    ),
    Option(
        "leak-trace",
        "bool",
        False,
        "slower: show the lines of code that made each leaked descriptor and process",
        switch,
        flag=True,
    ),
    Option(
        "baseline",
        "string",
        "",
        "a file of known leaks: they are allowed, and only others count",
        path,
        "FILE",
    ),
    Option(
        "baseline-write",
        "bool",
        False,
        "write the leaks of this run to the file of --syskit-baseline",
        switch,
        flag=True,
    ),
    Option(
        "repeat",
        "int",
        1,
        "run each test N times, and tell first-use cost from leaks of every use",
        times,
        "N",
    ),
    Option(
        "reap",
        "string",
        "never",
        "leaked: end leaked processes after the verdict (default: never)",
        one_of(*REAPING),
        "never|leaked",
    ),
    Option(
        "restore",
        "string",
        "never",
        "leaked: put back cwd, umask, env, signals and timers after the verdict (default: never)",
        one_of(*REAPING),
        "never|leaked",
    ),
    Option(
        "subreaper",
        "bool",
        False,
        "adopt orphans, so that those with an emptied environment are seen too (Linux)",
        switch,
        flag=True,
        negatable=True,
    ),
    Option(
        "report",
        "args",
        (),
        "write a report to PATH (.json for programs, .html for people); repeatable",
        report_paths,
        "PATH",
        many=True,
    ),
    Option(
        "timeout",
        "float",
        0.0,
        "limit for every test, in seconds (default: none)",
        seconds,
        "SECONDS",
    ),
    Option("fork", "bool", False, "run every test in a forked child of its own", switch, flag=True),
)


def add_options(parser: pytest.Parser) -> None:
    """Declare every option on the command line and as an ini key."""
    group = parser.getgroup("syskit", "testing system code (pytest-syskit)")
    for option in OPTIONS:
        parser.addini(option.key, option.help, type=option.ini, default=None)
        if option.flag:
            group.addoption(
                option.switch,
                dest=option.key,
                action="store_const",
                const=True,
                default=None,
                help=option.help,
            )
        else:
            group.addoption(
                option.switch,
                dest=option.key,
                metavar=option.metavar,
                default=None,
                action="append" if option.many else "store",
                help=option.help,
            )
        if option.negatable:
            group.addoption(
                f"--no-syskit-{option.name}",
                dest=option.key,
                action="store_const",
                const=False,
                default=None,
                help=f"switch off --syskit-{option.name}",
            )
    group.addoption(
        "--syskit-info",
        action="store_true",
        default=False,
        help="print what this machine can and cannot do, then exit",
    )


def read_option(config: pytest.Config, option: Option) -> Any:
    """Return an option's value: command line, then environment, then ini, then default.

    An option that may be repeated gathers the values of all three.

    Raises:
        pytest.UsageError: a source gave a value that the option does not take.
    """
    found = [
        _parse(option, source, value)
        for source, value in (
            (option.switch, config.getoption(option.key)),
            (f"environment variable {option.variable}", os.environ.get(option.variable)),
            (f"ini key {option.key}", _ini(config, option)),
        )
        if value is not None
    ]
    if option.many:
        return tuple(dict.fromkeys(item for values in found for item in values))
    return found[0] if found else option.default


def _ini(config: pytest.Config, option: Option) -> object:
    try:
        return config.getini(option.key)
    except (TypeError, ValueError, pytest.UsageError) as error:  # which, depends on pytest
        takes = f"{option.switch} takes {option.metavar}"
        raise pytest.UsageError(f"ini key {option.key}: {error}; {takes}") from None


def _parse(option: Option, source: str, value: object) -> Any:
    try:
        return option.parse(value)
    except Refused as refused:
        shown = value
        if option.many and isinstance(value, list):
            shown = next((each for each in value if _is_refused(option, each)), value)
        raise pytest.UsageError(f"{source}={shown!r}: {option.switch} {refused}") from None


def _is_refused(option: Option, value: object) -> bool:
    try:
        option.parse([value])
    except Refused:
        return True
    return False

"""Send a signal to other processes, by pid or by name, and say what came of it (script).

Exercise D28.  ``python signal_process.py --signal TERM 4711`` or ``--name sleep`` or
``--command 'worker --queue mail'``.

Traps: a name is compared with names, not with command lines, or the search would find itself (its
own command line bears what it looks for) and the shell or ``sudo`` that started it: these are
always left out.  A pid that was noted a while ago may be somebody else's by now, so a target is a
pid *and* a start time; on Linux a descriptor holds on to the process between the look and the
signal.  0 and negative pids mean groups, and ``-1`` everybody: they are refused.
"""

from __future__ import annotations

import argparse
import enum
import os
import re
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import psutil


class Outcome(enum.Enum):
    """What came of sending a signal; the value says it in words."""

    SENT = "sent"
    MISSING = "no such process"
    DENIED = "permission denied"
    REUSED = "another process has this number by now"


class Target(NamedTuple):
    """A process that cannot be mistaken for a later one.

    Attributes:
        pid: its number.
        started: when it was started, as psutil tells it.
    """

    pid: int
    started: float


def target_of(pid: int) -> Target | None:
    """Return a running process; ``None`` if there is none, or if it has ended (a zombie).

    Raises:
        ValueError: the number is no pid of one process.
    """
    if pid <= 0:
        raise ValueError(f"{pid} is no process: 0 and below mean groups of them")
    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        return None if ended else Target(pid, process.create_time())
    except psutil.NoSuchProcess:
        return None


def send(target: Target, number: int) -> Outcome:
    """Send a signal to a process, and to no other one."""
    try:
        return _send_held(target, number)
    except ProcessLookupError:
        return Outcome.MISSING
    except PermissionError:
        return Outcome.DENIED


def _send_held(target: Target, number: int) -> Outcome:
    try:
        held = os.pidfd_open(target.pid)
    except (AttributeError, NotImplementedError):  # not Linux
        return _send_if_same(target, lambda: os.kill(target.pid, number))
    try:
        return _send_if_same(target, lambda: signal.pidfd_send_signal(held, number))
    finally:
        os.close(held)


def _send_if_same(target: Target, act: Callable[[], object]) -> Outcome:
    now = target_of(target.pid)
    if now is None:
        return Outcome.MISSING
    if now != target:
        return Outcome.REUSED
    act()
    return Outcome.SENT


def named(name: str) -> list[Target]:
    """Return the processes whose name is exactly this one."""
    return _others(lambda process: process.name() == name)


def commanded(pattern: str) -> list[Target]:
    """Return the processes in whose command line, joined by blanks, a pattern is found."""
    wanted = re.compile(pattern)
    return _others(lambda process: wanted.search(" ".join(process.cmdline())) is not None)


def _others(fits: Callable[[psutil.Process], bool]) -> list[Target]:
    """Return fitting processes other than this one and those above it."""
    me = psutil.Process()
    left_out = {me.pid, *(each.pid for each in me.parents())}
    return [
        target
        for process in psutil.process_iter()
        if process.pid not in left_out and (target := _target_if(process, fits)) is not None
    ]


def _target_if(process: psutil.Process, fits: Callable[[psutil.Process], bool]) -> Target | None:
    try:
        return target_of(process.pid) if fits(process) else None
    except (psutil.Error, ValueError):  # it ended, is not ours to look at, or is the kernel's
        return None


def signal_number(text: str) -> int:
    """Return the number of ``TERM``, ``SIGTERM`` or ``15`` (``ValueError`` for what is none)."""
    if text.isdecimal():
        return signal.Signals(int(text)).value
    name = text.upper().removeprefix("SIG")
    try:
        return signal.Signals[f"SIG{name}"].value
    except KeyError:
        raise ValueError(f"{text!r} is no signal") from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; return its exit status: 0 if every signal was sent, else 1."""
    parser = argparse.ArgumentParser(prog="signal_process", description=__doc__.splitlines()[0])
    parser.add_argument("pids", nargs="*", type=int, metavar="PID")
    parser.add_argument("--name", help="every process of exactly this name")
    parser.add_argument("--command", help="every process whose command line fits this pattern")
    parser.add_argument("--signal", default="TERM", help="name or number (default: TERM)")
    options = parser.parse_args(argv)
    try:
        number = signal_number(options.signal)
        found = [(pid, target_of(pid)) for pid in options.pids]
        found += [(each.pid, each) for each in named(options.name)] if options.name else []
        found += (
            [(each.pid, each) for each in commanded(options.command)] if options.command else []
        )
    except (ValueError, re.error) as error:
        parser.error(str(error))
    if not found:
        print(f"{parser.prog}: no process found", file=sys.stderr)
        return 1
    return max(_tell(parser.prog, pid, target, number) for pid, target in found)


def _tell(program: str, pid: int, target: Target | None, number: int) -> int:
    outcome = Outcome.MISSING if target is None else send(target, number)
    if outcome is Outcome.SENT:
        print(f"{pid}: {outcome.value}")
        return 0
    print(f"{program}: {pid}: {outcome.value}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())

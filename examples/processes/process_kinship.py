"""Show where a process stands: its pid, parent, group, session, and the terminal it belongs to.

Exercise B2.  Three traps.  The leader of a group cannot begin a session, so a child does.  A
process that is not in the foreground is stopped by SIGTTOU when it moves the foreground, unless it
blocks that signal.  And standard input is not the controlling terminal: it may be a file, while
``/dev/tty`` still is the terminal.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import psutil
from forked_worker import ask_worker


@dataclass(frozen=True, slots=True)
class Kinship:
    """Ids of a process and of what it belongs to.

    Attributes:
        pid: its own id.
        parent: the id of its parent; another one adopts it when that ends.
        group: its process group: one job of a shell.
        session: its session: one login.
        terminal: the controlling terminal's path, or ``None`` for a daemon.
        foreground: the group that reads from that terminal, or ``None``.
    """

    pid: int
    parent: int
    group: int
    session: int
    terminal: str | None
    foreground: int | None

    @property
    def in_foreground(self) -> bool:
        """Say whether the terminal's Ctrl-C would reach it."""
        return self.foreground == self.group

    def __str__(self) -> str:
        """Show one fact a line."""
        return "\n".join(
            [
                f"pid: {self.pid}",
                f"parent: {self.parent}",
                f"process group: {self.group}",
                f"session: {self.session}",
                f"controlling terminal: {self.terminal or 'none'}",
                f"foreground: {'yes' if self.in_foreground else 'no'}",
            ]
        )


def kinship() -> Kinship:
    """Return where this process stands."""
    with controlling_terminal() as fd:
        foreground = None if fd is None else os.tcgetpgrp(fd)
    return Kinship(
        os.getpid(),
        os.getppid(),
        os.getpgrp(),
        os.getsid(0),
        psutil.Process().terminal(),  # os.ttyname() would only say /dev/tty again
        foreground,
    )


@contextmanager
def controlling_terminal() -> Iterator[int | None]:
    """Yield a descriptor of the controlling terminal, or ``None`` when there is none."""
    try:
        fd = os.open(os.ctermid(), os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:  # ENXIO: a daemon; ENOENT: a container without /dev/tty
        yield None
        return
    try:
        yield fd
    finally:
        os.close(fd)


def begin_group() -> None:
    """Make this process the leader, and only member, of a new process group."""
    os.setpgid(0, 0)


def begin_session() -> None:
    """Make this process the leader of a new session, which has no controlling terminal.

    Raises:
        PermissionError: it leads a group already; a forked child does not.
    """
    os.setsid()


def bring_to_foreground(terminal: int, group: int) -> None:
    """Let another group read from the terminal, wherever the caller stands.

    Args:
        terminal: a descriptor of the caller's controlling terminal.
        group: a process group of the caller's session.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTTOU])
    try:
        os.tcsetpgrp(terminal, group)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def kinship_of_child(prepare: Callable[[], object]) -> Kinship:
    """Fork a child that calls ``prepare`` first, and return where it stands then.

    Raises:
        ChildProcessError: ``prepare`` failed in the child.
    """

    def look() -> str:
        prepare()
        return json.dumps(asdict(kinship()))

    return Kinship(**json.loads(ask_worker(look)))


def take_the_foreground() -> None:
    """Leave the caller's group, and bring the new one to the foreground."""
    begin_group()
    with controlling_terminal() as fd:
        if fd is not None:
            bring_to_foreground(fd, os.getpgrp())


def main() -> int:
    """Show this process, and children with a new group, the foreground, and a new session."""
    print(f"this process\n{kinship()}")
    print(f"\nchild in a new group\n{kinship_of_child(begin_group)}")
    with controlling_terminal() as fd:
        print(f"\nchild in the foreground\n{kinship_of_child(take_the_foreground)}")
        if fd is not None:
            bring_to_foreground(fd, os.getpgrp())  # its group has died with it
    print(f"\nchild in a new session\n{kinship_of_child(begin_session)}")
    print(f"\nthis process\n{kinship()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

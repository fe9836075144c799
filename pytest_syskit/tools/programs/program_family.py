"""A started program with everything that descends from it: who lives, how it ended, ending it."""

from __future__ import annotations

import os
import signal
import subprocess

import psutil

from pytest_syskit.host.processes.cookies import carriers, session_members, start_of
from pytest_syskit.host.processes.process_tree import alive, descendants, end_tree, reap_child
from pytest_syskit.host.real import real

from .process_errors import ProcessError

_POLL = 0.01  # seconds; see host/process_tree.py
_ROUNDS = 3  # who was born while its parent was killed is found in the next round
_REAP_LIMIT = 2.0  # seconds for a killed child to become waitable: it needs milliseconds


class ProgramFamily:
    """The program (a child of ours, waited for here and nowhere else) and its descendants."""

    def __init__(self, popen: subprocess.Popen[bytes], cookie: str) -> None:
        self.pid = popen.pid
        self.status_lost = False
        self._popen = popen
        self._since = start_of(popen.pid)
        self._cookie = cookie
        self._owner = real.getpid()
        self._left_behind: list[psutil.Process] = []

    @property
    def is_ours(self) -> bool:
        """Say whether this is the process that started the program, not a fork of it."""
        return bool(real.getpid() == self._owner)

    @property
    def returncode(self) -> int | None:
        """Return the exit status as ``subprocess`` has it; ``None`` while running, or when lost."""
        return self._popen.returncode if self.has_ended() and not self.status_lost else None

    def has_ended(self) -> bool:
        """Say whether the program itself has ended, and wait for it if so (never blocks)."""
        if self._popen.returncode is None:
            self._require_ownership()
            if self._is_waitable():
                self._note_left_behind()
                self._popen.poll()
        return self._popen.returncode is not None

    def _note_left_behind(self) -> None:
        """Remember the session while its number is ours; later it could be a stranger's."""
        if not self.status_lost:
            self._left_behind = session_members(self.pid)

    def _require_ownership(self) -> None:
        if not self.is_ours:
            raise ProcessError(
                f"process {self.pid} was started by process {self._owner}; this is process "
                f"{real.getpid()}, a fork of it, which cannot wait for it"
            )

    def _is_waitable(self) -> bool:
        try:
            look = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return real.waitid(os.P_PID, self.pid, look) is not None
        except ChildProcessError:
            self.status_lost = True  # subprocess would call this status 0
            return True
        except (AttributeError, NotImplementedError):
            return self._popen.poll() is not None  # no waitid here (Windows; macOS before 3.13)

    def living(self) -> list[psutil.Process]:
        """Return all that run: the program, its descendants, and who slipped out of the tree.

        What the cookie and the session cannot find is said in ``host/cookies.py``.
        """
        ended = self.has_ended()
        root = [] if ended else [*_look_up(self.pid), *descendants(self.pid)]
        session = self._left_behind if ended else session_members(self.pid)
        found = {each.pid: each for each in [*root, *session, *carriers(self._cookie, self._since)]}
        return [each for each in found.values() if alive(each)]

    def signal_program(self, number: int) -> None:
        """Send a signal to the program itself; nothing happens when it has ended."""
        if not self.has_ended():  # not waited for, so the number is still its own
            self._popen.send_signal(number)

    def end(self, stop_signal: int, grace: float) -> None:
        """End everybody: a signal, up to ``grace`` seconds, then KILL.

        TERM goes to all at once.  Any other signal goes to the program alone, which knows what it
        means by it; whoever is left after the grace gets TERM, the grace again, and KILL.

        Raises:
            ProcessError: somebody survived, such as a process of another user.
        """
        if stop_signal != signal.SIGTERM:
            self.signal_program(stop_signal)
            self._await_end(grace)
        if not _look_up(self.pid):
            self._end_unseen(grace)
        for turn in range(_ROUNDS):
            pids = [each.pid for each in self.living()]
            if not pids:
                break
            ended = end_tree(pids, 0 if turn else grace, reap=self._reap_program)
            self._reap_adopted(ended)
        else:
            self._report_survivors()
        self._reap_adopted([each.pid for each in self._left_behind if each.is_running()])
        self._await_end(_REAP_LIMIT)

    def _end_unseen(self, grace: float) -> None:
        """End at least the program's group where psutil sees nothing, as under pyfakefs."""
        for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            if self.has_ended():
                return
            if real.getsid(self.pid) == self.pid:  # leads a session, so leads a group
                real.killpg(self.pid, number)
            else:
                real.kill(self.pid, number)
            self._await_end(grace)
            grace = _REAP_LIMIT

    def _await_end(self, seconds: float) -> None:
        deadline = real.monotonic() + seconds
        while not self.has_ended() and real.monotonic() < deadline:
            real.sleep(_POLL)

    def _reap_program(self, pid: int) -> None:
        if pid == self.pid:
            self.has_ended()

    def _reap_adopted(self, pids: list[int]) -> None:
        """Collect descendants that a subreaper setting made children of this process."""
        for pid in pids:
            if pid != self.pid and _is_zombie_of_ours(pid):
                reap_child(pid)

    def _report_survivors(self) -> None:
        if survivors := self.living():
            listed = ", ".join(str(each.pid) for each in survivors)
            raise ProcessError(
                f"{len(survivors)} of the processes started by process {self.pid} outlived "
                f"SIGKILL: {listed}; do they belong to another user?"
            )


def _look_up(pid: int) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid)]
    except psutil.Error:
        return []  # somebody else waited for it between two looks


def _is_zombie_of_ours(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.ppid() == real.getpid() and process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False  # gone already

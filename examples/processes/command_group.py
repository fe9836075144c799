"""Start a command as a process group of its own, and end the whole group.

Exercise D7 (and the ground under D5, D6, D29 and D30).  Killing only the leader leaves its children
running, and a leader that has died already says nothing about its group.  As long as the leader's
status is not collected its number stays taken, so the group that bears this number is still ours:
everybody is ended first, the leader is waited for last.  There is no ``preexec_fn`` here, which is
unsafe with threads: ``start_new_session`` does the same in C.

What leaves the group (a daemon in a session of its own) is found by a mark in its environment, if
the command was started with one.  Nothing finds a process that left the group and also cleared its
environment.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import psutil

VARIABLE = "COMMAND_GROUP_MARKS"
LOOK = 0.01  # seconds between looks: a process needs about one millisecond to die
DYING = (
    10.0  # seconds that the kernel may take to end a killed process; more is a fault of a driver
)
ROUNDS = 5  # a process can fork while it is being killed; five blows end all that plays fair


class Mark(NamedTuple):
    """A text in a variable of the environment, by which a command's descendants are known.

    The variable holds the marks of everybody above, the outermost first.
    """

    value: str

    def within(self) -> Mark:
        """Make the mark of one command out of many: who looks for the many finds it, too."""
        return Mark(f"{self.value}.{uuid.uuid4().hex}")

    def added_to(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return an environment with this mark behind those of others."""
        others = environment.get(VARIABLE)
        return {**environment, VARIABLE: f"{others}:{self.value}" if others else self.value}


def new_mark() -> Mark:
    """Make a mark that nobody else bears."""
    return Mark(uuid.uuid4().hex)


def start_group(
    argv: Sequence[str | os.PathLike[str]],
    *,
    mark: Mark | None = None,
    env: Mapping[str, str] | None = None,
    **options: Any,  # those of Popen
) -> subprocess.Popen[bytes]:
    """Start a command as leader of a session and group of its own; the rest is as in ``Popen``."""
    environment = os.environ if env is None else env
    if mark is not None:
        environment = mark.added_to(environment)
    return subprocess.Popen(argv, env=environment, start_new_session=True, **options)


def has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Say whether a child has ended, without collecting its status."""
    if process.returncode is not None:
        return True
    try:
        return psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # other code of this program waited for it
        return True


class Members:
    """Whoever belongs to a command: call it for those that run now.

    Reading an environment is slow, so it remembers who has nothing to do with the command.  Use a
    new one each time: numbers of processes are given out again.
    """

    def __init__(self, process: subprocess.Popen[bytes] | None, mark: Mark | None) -> None:
        self._process = process
        self._mark = mark
        self._strangers: set[int] = {os.getpid()}
        self._born = psutil.Process().create_time()

    def __call__(self) -> list[psutil.Process]:
        """Return those that run, zombies left out."""
        # Once the status is collected the number may be that of somebody else's group.
        leader = self._process
        group = None if leader is None or leader.returncode is not None else leader.pid
        pids = [pid for pid in psutil.pids() if pid not in self._strangers]
        return [each for pid in pids if (each := self._member(pid, group)) is not None]

    def _member(self, pid: int, group: int | None) -> psutil.Process | None:
        try:
            if not (group is not None and os.getpgid(pid) == group) and not self._marked(pid):
                return None
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except psutil.AccessDenied:
            self._strangers.add(pid)
            return None
        except (psutil.Error, OSError):  # it ended meanwhile
            return None

    def _marked(self, pid: int) -> bool:
        if self._mark is None:
            return False
        process = psutil.Process(pid)
        if process.create_time() < self._born:  # older than we are: not started by us
            self._strangers.add(pid)
            return False
        environment = process.environ()
        if self._mark.value in environment.get(VARIABLE, ""):
            return True
        if environment:  # it is empty for a moment in the middle of an exec
            self._strangers.add(pid)
        return False


def living(process: subprocess.Popen[bytes], mark: Mark | None = None) -> list[psutil.Process]:
    """Return whoever runs in the group of a command or bears its mark."""
    return Members(process, mark)()


def tell(processes: list[psutil.Process], number: int) -> None:
    """Send a signal to processes; who has ended, or had its number taken over, is passed by."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # psutil compares the start time first
            process.send_signal(number)


def await_end(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait until a child has ended, without collecting its status; say whether it did in time."""
    return _await(lambda: has_ended(process), seconds)


def ask_group(process: subprocess.Popen[bytes], mark: Mark | None = None) -> None:
    """Ask everybody to end: TERM, and CONT, for a stopped process acts only when it goes on."""
    _ask(living(process, mark))


def _ask(victims: list[psutil.Process]) -> None:
    tell(victims, signal.SIGTERM)
    tell(victims, signal.SIGCONT)


def end_group(
    process: subprocess.Popen[bytes],
    grace: float = 5.0,
    mark: Mark | None = None,
    *,
    ask: bool = True,
) -> int:
    """End a command with its whole group: TERM, up to ``grace`` seconds, then KILL.

    Ctrl-C during the grace means no more grace: everybody is killed before it goes on.

    Args:
        process: the group's leader, dead or alive.
        grace: seconds for all of them; 0 kills at once.
        mark: also end whoever bears it.
        ask: send TERM; False when that was done before.

    Returns:
        The leader's status, ``-N`` when signal N ended it.

    Raises:
        TimeoutError: the kernel did not end somebody.
    """
    members = Members(process, mark)
    victims: list[psutil.Process] = []
    try:
        if grace > 0:
            victims += members()
            if ask:
                _ask(victims)
            _await(lambda: not members(), grace)
    finally:
        victims += _kill(members)
    status = process.wait(DYING)
    _collect_adopted(victims, process.pid)
    return status


def end_marked(mark: Mark) -> None:
    """Kill whoever bears a mark."""
    _collect_adopted(_kill(Members(None, mark)), None)


def _kill(victims: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    """Kill, and look again until nobody is new; return who was killed."""
    killed: list[psutil.Process] = []
    for _ in range(ROUNDS):
        if not (found := victims()):
            return killed
        tell(found, signal.SIGKILL)
        killed += found
        if _await(lambda: not victims(), DYING / ROUNDS):
            return killed
    numbers = ", ".join(str(each.pid) for each in victims())
    raise TimeoutError(f"killed, but still there: {numbers}")


def _collect_adopted(victims: list[psutil.Process], leader: int | None) -> None:
    """Collect orphans that became our children, as they do where this process is a subreaper."""
    for victim in victims:
        if (
            victim.pid != leader and victim.is_running()
        ):  # a zombie counts, a reused number does not
            with contextlib.suppress(ChildProcessError):  # somebody else's to collect
                os.waitpid(victim.pid, os.WNOHANG)


def _await(question: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not question():
        if time.monotonic() >= deadline:
            return False
        time.sleep(LOOK)
    return True

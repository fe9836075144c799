"""What a forked child leaves behind: found before it goes, told and ended by its parent."""

from __future__ import annotations

import gc
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Union

from ...host.descriptors import descriptor_facts, descriptors
from ...host.processes import children, process_group

if TYPE_CHECKING:
    from typing import TypeAlias

    Packed: TypeAlias = list[tuple[str, tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class LeftProcess:
    """A process that was still there; ``started`` tells it from others that get its pid.

    Attributes:
        state: ``running``, ``stopped`` or ``zombie`` (it has ended, and nobody waited for it).
        argv: its command line; of a zombie, its short name.
    """

    pid: int
    state: str
    argv: tuple[str, ...]
    started: float

    def __str__(self) -> str:
        return f"process {self.pid}  {self.state}  {shlex.join(self.argv)}"


@dataclass(frozen=True, slots=True)
class LeftDescriptor:
    """A descriptor that was opened and not closed; ``what`` is file, pipe, socket and so on."""

    fd: int
    what: str
    target: str

    def __str__(self) -> str:
        return f"fd {self.fd}  {self.what}  {self.target}"


@dataclass(frozen=True, slots=True)
class EscapedChild:
    """A child of the child that ran on where only the child may be; it was stopped there."""

    pid: int
    how: str

    def __str__(self) -> str:
        return f"process {self.pid}  escaped from the function: it {self.how}"


Leftover = Union[LeftProcess, LeftDescriptor, EscapedChild]  # noqa: UP007  # also used at run time
_TYPES = {kind.__name__: kind for kind in (LeftProcess, LeftDescriptor)}


def pack(left: Iterable[LeftProcess | LeftDescriptor]) -> Packed:
    """Turn findings into plain values."""
    return [
        (type(each).__name__, tuple(getattr(each, name) for name in each.__slots__))
        for each in left
    ]


def unpack(packed: Packed) -> tuple[Leftover, ...]:
    """Undo :func:`pack`."""
    return tuple(_TYPES[name](*values) for name, values in packed)


def find(before: Iterable[int]) -> list[LeftProcess | LeftDescriptor]:
    """List what this process has now that it had not; ``before`` are its descriptors of then.

    A descriptor closed and replaced by another of the same number does not show.
    """
    return [*left_processes(), *_left_descriptors(set(before))]


def left_processes() -> list[LeftProcess]:
    """List the children of this process, the servants of multiprocessing aside."""
    if children.none():
        return []
    servants = _servants()
    return [described(each) for each in children.children() if each.pid not in servants]


def described(child: children.Child) -> LeftProcess:
    """Describe one process."""
    argv = tuple(children.argv(child.pid)) or (child.command,)
    return LeftProcess(child.pid, child.state, argv, child.started)


def _servants() -> set[int]:
    """Return multiprocessing's resource tracker and fork server: they end when we do."""
    tracker = sys.modules.get("multiprocessing.resource_tracker")
    server = sys.modules.get("multiprocessing.forkserver")
    pids = (
        getattr(getattr(tracker, "_resource_tracker", None), "_pid", None),
        getattr(getattr(server, "_forkserver", None), "_forkserver_pid", None),
    )
    return {pid for pid in pids if pid is not None}


def _servants_descriptors() -> set[int]:
    """Return the descriptors that keep the servants alive."""
    tracker = sys.modules.get("multiprocessing.resource_tracker")
    server = sys.modules.get("multiprocessing.forkserver")
    fds = (
        getattr(getattr(tracker, "_resource_tracker", None), "_fd", None),
        getattr(getattr(server, "_forkserver", None), "_forkserver_alive_fd", None),
    )
    return {fd for fd in fds if fd is not None}


def _left_descriptors(before: set[int]) -> list[LeftDescriptor]:
    if not set(descriptors.numbers()) - before:
        return []
    gc.collect()  # on suspicion: what is only held by a cycle of objects is no leak
    left = set(descriptors.numbers()) - before - _servants_descriptors()
    return [each for fd in sorted(left) for each in _describe(fd)]


def _describe(fd: int) -> list[LeftDescriptor]:
    try:
        facts = descriptor_facts.describe(fd)
    except OSError:
        return []  # closed by another thread meanwhile
    return [LeftDescriptor(fd, facts.what, facts.target)]


def strays(group: int) -> list[LeftProcess]:
    """Find the processes of a dead child's group or session that live on."""
    found = [children.look_up(pid) for pid in process_group.members(group)]
    return [described(each) for each in found if each is not None and each.state != "zombie"]


def end(left: Iterable[Leftover], grace: float) -> None:
    """End the processes among the leftovers, with descendants; collect those handed to us."""
    processes = [each for each in left if isinstance(each, LeftProcess)]
    roots = [each.pid for each in processes if _same(each)]
    if roots:
        from ...host.processes.process_tree import end_tree  # noqa: PLC0415  # psutil, on suspicion only

        for pid in end_tree(roots, grace, reap=children.reap):
            children.reap(pid)  # the last may have ended after its turn
    for each in processes:
        children.reap(each.pid)


def _same(process: LeftProcess) -> bool:
    now = children.look_up(process.pid)
    return now is not None and now.started == process.started and now.state != "zombie"
